// Class means within a batch, running class means, and the range loss, which uses class means.
#pragma once

#include "radial/core/ops/kernels/reduce.h"
#include "radial/losses/pairs/kernels.h"

#include <cstdint>

namespace radial::kernels {

/// out_i = the mean of x_k over the samples k of the batch with the same label as sample i. This map is its own
/// adjoint.
template <class T>
struct BatchClassMeans {
    const T* x;
    const std::int64_t* labels;
    T* out;
    std::int64_t count, dim;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t i) const {
        const std::int64_t *const at = labels, label = labels[i], samples = count, width = dim;
        const T* const in = x;
        T* const to = out + i * dim;
        const double members = count_of(team, samples, [=](std::int64_t k) { return at[k] == label; });
        team.each(width, [=](std::int64_t d) {
            double total = 0;
            for (std::int64_t k = 0; k < samples; ++k)
                if (at[k] == label) total += static_cast<double>(in[k * width + d]);
            to[d] = static_cast<T>(total / members);
        });
    }
};

/// Moves the running mean of class `c` towards the mean of the class's samples in the batch by the fraction `momentum`,
/// or sets it to that mean if these are the first samples of the class. A class without samples in the batch is
/// unchanged.
template <class T>
struct UpdateClassMeans {
    const T* x;
    const std::int64_t* labels;
    T *means, *seen;
    std::int64_t count, dim;
    double momentum;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t c) const {
        const std::int64_t *const at = labels, samples = count, width = dim;
        const T* const in = x;
        T* const mean = means + c * dim;
        const double members = count_of(team, samples, [=](std::int64_t k) { return at[k] == c; });
        if (members == 0) return;
        const double step = seen[c] > 0 ? momentum : 1;
        team.each(width, [=](std::int64_t d) {
            double total = 0;
            for (std::int64_t k = 0; k < samples; ++k)
                if (at[k] == c) total += static_cast<double>(in[k * width + d]);
            const auto old = static_cast<double>(mean[d]);
            // A mean that is replaced does not enter the result, because its memory may hold anything, such as NaN.
            mean[d] = static_cast<T>(step == 1 ? total / members : old + step * (total / members - old));
        });
        team.once([&] { seen[c] = T{1}; });
    }
};

/// The harmonic mean of the `largest` largest distances between two samples of a class, or of all of them if there are
/// fewer (Zhang et al. 2017, Eq. 5). The result of a class is in the row of its first sample; the losses of all other
/// rows are 0. If one of the distances is 0, the mean and its gradient are 0. `grad` must be zeros on entry.
template <class T>
struct HarmonicRange {
    const T* distances;  ///< [samples, samples]
    const std::int64_t* labels;
    T* grad;
    double* losses;
    std::int64_t samples, largest;

    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const std::int64_t label = labels[row];
        double* const loss = losses + row;
        const double earlier = count_of(team, row, [&](std::int64_t i) { return labels[i] == label; });
        double found = 0, inverse = 0;
        Place place{infinity<T>, -1};
        for (std::int64_t k = 0; k < largest && earlier == 0; ++k) {
            if (!next(team, label, &place)) break;
            found += 1;
            inverse += 1 / static_cast<double>(place.distance);
        }
        const double mean = found > 0 ? found / inverse : 0;
        team.once([&] { *loss = mean; });
        place = {infinity<T>, -1};
        for (double k = 0; k < found; ++k) {
            next(team, label, &place);
            const double ratio = mean > 0 ? mean / static_cast<double>(place.distance) : 0;
            T* const at = grad + place.pair;
            team.once([&] { *at = static_cast<T>(ratio * ratio / found); });
        }
    }

private:
    /// A position in the order of a class's pairs: by falling distance, then by rising index.
    struct Place {
        T distance;
        std::int64_t pair;
        RADIAL_HD bool before(T d, std::int64_t at) const { return d < distance || (d == distance && at > pair); }
    };
    /// Moves to the class's next pair of samples a < b. Returns false when there is none.
    template <class Team>
    RADIAL_HD bool next(const Team& team, std::int64_t label, Place* place) const {
        const Place old = *place;
        bool found = false;
        for (std::int64_t a = 0; a + 1 < samples; ++a) {
            if (labels[a] != label) continue;
            const std::int64_t first = a * samples + a + 1;  // the pair with b = a + 1
            const auto eligible = [&](std::int64_t k) {
                return labels[a + 1 + k] == label && old.before(distances[first + k], first + k);
            };
            const std::int64_t best = first_largest(team, samples - a - 1, [&](std::int64_t k) {
                return eligible(k) ? distances[first + k] : -infinity<T>;
            });
            const T d = distances[first + best];
            if (!eligible(best) || (found && d <= place->distance)) continue;
            *place = {d, first + best};
            found = true;
        }
        return found;
    }
};

/// Zhang et al. 2017, Eq. 7: max(0, margin - the smallest distance between two classes). Launch it as a single row over
/// all pairs. Writes the only element of the gradient that is not 0.
template <class T>
struct NearestClasses {
    const T* distances;  ///< [samples, samples]
    const std::int64_t* labels;
    T *grad, *loss;
    std::int64_t samples;
    T margin;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t) const {
        const PairIndex index{labels, labels, true};
        const std::int64_t columns = samples;
        const std::int64_t nearest = first_largest(team, columns * columns, [&](std::int64_t pair) {
            return index.negative(pair / columns, pair % columns) ? -distances[pair] : -infinity<T>;
        });
        const bool found = index.negative(nearest / columns, nearest % columns);
        const T value = found ? positive_part(margin - distances[nearest]) : T{0};
        team.once([&] {
            *loss = value;
            if (value > 0) grad[nearest] = T{-1};
        });
    }
};

}  // namespace radial::kernels
