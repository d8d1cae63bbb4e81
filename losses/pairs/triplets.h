// Triplet losses: the rule over all triplets of an anchor, and the miners, which choose one negative for each positive.
#pragma once

#include "radial/core/kernels/philox.h"
#include "radial/core/ops/kernels/reduce.h"
#include "radial/losses/pairs/kernels.h"

#include <cmath>
#include <cstdint>

namespace radial::kernels {

/// The loss of a triplet as a function of d(anchor, positive) - d(anchor, negative), and its slope.
template <class T>
struct TripletLoss {
    T margin;
    bool soft, over_nonzero;

    RADIAL_HD T value(T difference) const {
        const T v = difference + margin;
        return soft ? soft_plus(v) : positive_part(v);
    }
    RADIAL_HD T slope(T difference) const {
        const T v = difference + margin;
        if (soft) return logistic(v);
        return v <= 0 ? T{0} : T{1};
    }
    /// The loss, and the triplet's contribution to the count: 1, or 0 if `over_nonzero` and the loss is 0.
    RADIAL_HD Pair<double> term(T difference) const {
        const auto loss = static_cast<double>(value(difference));
        return {loss, over_nonzero && loss == 0 ? 0.0 : 1.0};
    }
};

/// Combines every positive with every negative.
template <class T>
struct AllTriplets {
    static constexpr bool two_parts = false;
    TripletLoss<T> loss;

    template <class Team>
    RADIAL_HD PairSums operator()(const Team& team, const PairRow<T>& anchor) const {
        const T* const d = anchor.value;
        const std::int64_t columns = anchor.columns;
        const Pair<double> total = team.sum(columns, [&](std::int64_t p) {
            Pair<double> sum{};
            if (!anchor.positive(p)) return sum;
            for (std::int64_t n = 0; n < columns; ++n)
                if (anchor.negative(n)) sum += loss.term(d[p] - d[n]);
            return sum;
        });
        team.each(columns, [&](std::int64_t j) {
            double slope = 0;
            if (anchor.positive(j)) {
                for (std::int64_t n = 0; n < columns; ++n)
                    if (anchor.negative(n)) slope += static_cast<double>(loss.slope(d[j] - d[n]));
            } else if (anchor.negative(j)) {
                for (std::int64_t p = 0; p < columns; ++p)
                    if (anchor.positive(p)) slope -= static_cast<double>(loss.slope(d[p] - d[j]));
            }
            anchor.grad[j] = static_cast<T>(slope);
        });
        return {{total.first, 0}, {total.second, 0}};
    }
};

/// The index that a miner writes for a positive without a triplet, and for samples that are not positives.
inline constexpr std::int64_t no_negative = -1;

/// The triplets that a miner chooses. miner(team, anchor, chosen) writes the negative for each positive to chosen
/// [columns]. `scratch` holds one such row for each row of the matrix.
template <class T, class Miner>
struct MinedTriplets {
    static constexpr bool two_parts = false;
    TripletLoss<T> loss;
    std::int64_t* scratch;
    Miner miner;

    template <class Team>
    RADIAL_HD PairSums operator()(const Team& team, const PairRow<T>& anchor) const {
        const T* const d = anchor.value;
        const std::int64_t columns = anchor.columns;
        std::int64_t* const chosen = scratch + anchor.row * columns;
        miner(team, anchor, chosen);
        const Pair<double> total = team.sum(columns, [&](std::int64_t p) {
            return chosen[p] == no_negative ? Pair<double>{} : loss.term(d[p] - d[chosen[p]]);
        });
        team.each(columns, [&](std::int64_t j) {
            double slope = chosen[j] == no_negative ? 0.0 : static_cast<double>(loss.slope(d[j] - d[chosen[j]]));
            if (anchor.negative(j)) {
                for (std::int64_t p = 0; p < columns; ++p)
                    if (chosen[p] == j) slope -= static_cast<double>(loss.slope(d[p] - d[j]));
            }
            anchor.grad[j] = static_cast<T>(slope);
        });
        return {{total.first, 0}, {total.second, 0}};
    }
};

/// Hermans et al. 2017, batch hard: the furthest positive and the nearest negative; the first one in case of ties.
template <class T>
struct HardestMiner {
    template <class Team>
    RADIAL_HD void operator()(const Team& team, const PairRow<T>& anchor, std::int64_t* chosen) const {
        const T* const d = anchor.value;
        const std::int64_t p = first_largest(team, anchor.columns,
                                             [&](std::int64_t j) { return anchor.positive(j) ? d[j] : -infinity<T>; });
        const std::int64_t n = first_largest(team, anchor.columns,
                                             [&](std::int64_t j) { return anchor.negative(j) ? -d[j] : -infinity<T>; });
        const bool found = anchor.positive(p) && anchor.negative(n);
        team.each(anchor.columns, [&](std::int64_t j) { chosen[j] = found && j == p ? n : no_negative; });
    }
};

/// Schroff et al. 2015, semi-hard: the nearest negative that is further away than the positive, by less than the
/// margin.
template <class T>
struct SemiHardMiner {
    T margin;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, const PairRow<T>& anchor, std::int64_t* chosen) const {
        const T* const d = anchor.value;
        team.each(anchor.columns, [&](std::int64_t p) {
            std::int64_t best = no_negative;
            if (anchor.positive(p)) {
                for (std::int64_t n = 0; n < anchor.columns; ++n) {
                    if (!anchor.negative(n) || !(d[n] > d[p] && d[n] < d[p] + margin)) continue;
                    if (best == no_negative || d[n] < d[best]) best = n;
                }
            }
            chosen[p] = best;
        });
    }
};

/// Wu et al. 2017, distance weighted: draws negative n with a probability proportional to 1 / q(d_n), where
/// q(d) = d^(D - 2) (1 - d^2 / 4)^((D - 3) / 2) is the density of distances on the unit sphere in D dimensions.
template <class T>
struct DistanceWeightedMiner {
    T cutoff, furthest, dimension;
    std::uint64_t seed, first;
    const std::uint64_t* base;

    RADIAL_HD T log_weight(T distance) const {
        const T d = distance < cutoff ? cutoff : distance;
        constexpr T least = T{1e-6};  // keeps log() finite for opposite points, where the density is 0
        const T rest = 1 - d * d / 4;
        return (2 - dimension) * std::log(d) - (dimension - 3) / 2 * std::log(rest < least ? least : rest);
    }
    template <class Team>
    RADIAL_HD void operator()(const Team& team, const PairRow<T>& anchor, std::int64_t* chosen) const {
        const T* const d = anchor.value;
        const std::int64_t columns = anchor.columns;
        const auto usable = [&](std::int64_t j) { return anchor.negative(j) && d[j] < furthest; };
        const T top = team.max(columns, [&](std::int64_t j) { return usable(j) ? log_weight(d[j]) : -infinity<T>; });
        T* const weight = anchor.grad;  // not yet in use for the gradient
        team.each(columns, [&](std::int64_t j) { weight[j] = usable(j) ? std::exp(log_weight(d[j]) - top) : T{0}; });
        const std::uint64_t start = (base == nullptr ? first : first + *base) +
                                    static_cast<std::uint64_t>(anchor.row) * static_cast<std::uint64_t>(columns);
        team.each(columns, [&](std::int64_t p) {
            std::int64_t drawn = no_negative;
            if (anchor.positive(p)) {
                // Every lane adds in the same order, so that the draw does not depend on the device.
                double total = 0, reached = 0;
                for (std::int64_t j = 0; j < columns; ++j) total += static_cast<double>(weight[j]);
                const float u = to_unit(random_bits(seed, start + static_cast<std::uint64_t>(p)));
                const double wanted = static_cast<double>(u) * total;
                for (std::int64_t j = 0; j < columns && drawn == no_negative; ++j) {
                    reached += static_cast<double>(weight[j]);
                    if (reached > wanted) drawn = j;
                }
            }
            chosen[p] = drawn;
        });
    }
};

}  // namespace radial::kernels
