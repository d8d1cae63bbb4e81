// The passes of a softmax head over one block of classes, a team a sample: forward gathers what log sum exp needs,
// backward turns products into the pull of each class on its sample.
//
// Sums over classes are formed in double: one lane may have 100,000 of them.
#pragma once

#include "radial/core/kernels/compare.h"
#include "radial/core/kernels/team.h"

#include <cmath>
#include <cstdint>

namespace radial::kernels {

/// Whether a label names a class. One that does not makes its sample's loss NaN and the gradient of it 0.
RADIAL_HD inline bool is_class(std::int64_t label, std::int64_t classes) { return label >= 0 && label < classes; }

/// What softmax cross-entropy aims at: the share `1 - smoothing` at the label and the rest over all classes alike, both
/// times the classes' weights.
template <class T>
struct HeadTarget {
    const std::int64_t* labels;
    std::int64_t classes;
    T smoothing;
    const T* class_weights;  ///< [classes], or null: 1 each
    const T* mean_weight;    ///< of them, or null: 1

    RADIAL_HD T weight(std::int64_t j) const { return class_weights == nullptr ? T{1} : class_weights[j]; }
    RADIAL_HD T at_label(std::int64_t label) const { return (1 - smoothing) * weight(label); }
    RADIAL_HD T everywhere() const { return smoothing / static_cast<T>(classes); }
    RADIAL_HD T total(std::int64_t label) const {
        return at_label(label) + smoothing * (mean_weight == nullptr ? T{1} : *mean_weight);
    }
};

/// Columns [first, first + width) of the products [N, classes]; row i of them begins at products + i * stride.
template <class T>
struct HeadBlock {
    const T* products;
    std::int64_t first, width, stride;
    const T *x_numbers, *w_numbers;  ///< the metric's, [N] and [classes]; null where it has none
    const T* own;                    ///< each sample's similarity to its own class
};

/// What log sum exp of each sample has come to, block by block.
template <class T>
struct HeadSums {
    T* top;          ///< the largest logit
    double* total;   ///< of exp(logit - top)
    double* spread;  ///< of weight * logit; null without smoothing
};

template <class T, class Metric, class Link>
struct HeadForward {
    HeadBlock<T> block;
    HeadTarget<T> target;
    Link link;
    T* logits;  ///< [N, width], may be the products where those have no further use
    HeadSums<T> sums;

    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t i) const {
        const std::int64_t label = target.labels[i], width = block.width, first = block.first, own = label - first;
        if (!is_class(label, target.classes)) return;
        const auto row = link.row(i, block.own[i]);
        const T x = block.x_numbers == nullptr ? T{0} : block.x_numbers[i];
        const T *const a = block.products + i * block.stride, *const w = block.w_numbers;
        T* const z = logits + i * width;
        const Link own_link = link;
        if (w == nullptr) {
            team.each(width, [=](std::int64_t j) { z[j] = own_link.logit(row, Metric::value(a[j], x, x), first + j); });
        } else {
            team.each(width, [=](std::int64_t j) {
                z[j] = own_link.logit(row, Metric::value(a[j], x, w[first + j]), first + j);
            });
        }
        if (own >= 0 && own < width) {
            const T own_z = link.own_logit(row, block.own[i], label);
            team.each(1, [=](std::int64_t) { z[own] = own_z; });
        }
        add(team, i, z);
    }

private:
    template <class Team>
    RADIAL_HD void add(const Team& team, std::int64_t i, const T* z) const {
        const std::int64_t width = block.width;
        const T old = sums.top[i], top = larger(old, team.max(width, [=](std::int64_t j) { return z[j]; }));
        double total = 0;
        if (top - top == 0)  // an infinite or NaN maximum is the answer by itself
            total = team.sum(width, [=](std::int64_t j) { return static_cast<double>(exponential(z[j] - top)); });
        double spread = 0;
        if (sums.spread != nullptr) {
            const HeadTarget<T> weights = target;
            const std::int64_t first = block.first;
            spread =
                team.sum(width, [=](std::int64_t j) { return static_cast<double>(weights.weight(first + j) * z[j]); });
        }
        const HeadSums<T> all = sums;
        team.once([=] {
            all.total[i] = total + (all.total[i] > 0 ? all.total[i] * std::exp(static_cast<double>(old - top)) : 0.0);
            all.top[i] = top;
            if (all.spread != nullptr) all.spread[i] += spread;
        });
    }
};

/// Sets the sums to those of no class.
template <class T>
struct HeadStart {
    HeadSums<T> sums;
    RADIAL_HD void operator()(std::int64_t i) const {
        sums.top[i] = -infinity<T>;
        sums.total[i] = 0;
        if (sums.spread != nullptr) sums.spread[i] = 0;
    }
};

/// Ends the forward passes: each sample's log sum exp, loss and weight in the mean.
template <class T, class Link>
struct HeadFinish {
    HeadTarget<T> target;
    HeadSums<T> sums;
    Link link;
    const T* own;
    T *lse, *losses, *weights;  ///< [N]

    RADIAL_HD void operator()(std::int64_t i) const {
        const std::int64_t label = target.labels[i];
        if (!is_class(label, target.classes)) {
            losses[i] = lse[i] = not_a_number<T>;
            weights[i] = 0;
            return;
        }
        const T top = sums.top[i];
        T value = top + static_cast<T>(std::log(sums.total[i]));
        if (!(top - top == 0)) value = top > 0 ? top : top - top;
        const T own_logit = link.own_logit(link.row(i, own[i]), own[i], label);
        T loss = target.total(label) * value - target.at_label(label) * own_logit;
        if (sums.spread != nullptr) loss -= target.everywhere() * static_cast<T>(sums.spread[i]);
        lse[i] = value;
        losses[i] = loss;
        weights[i] = target.weight(label);
    }
};

/// One divided by the sum of the samples' weights; 0 where that is 0.
template <class T>
struct InverseOf {
    const T* sum;
    T* out;
    RADIAL_HD void operator()(std::int64_t) const { *out = *sum > 0 ? 1 / *sum : T{0}; }
};

/// What backward reads of a sample besides its products.
template <class T>
struct HeadDerivative {
    const T *lse, *upstream, *inverse_weight;  ///< [N]; two numbers, dL/dloss and 1 / the sum of weights
    T plain_inverse;                           ///< in the place of a null inverse_weight

    RADIAL_HD T factor() const { return *upstream * (inverse_weight == nullptr ? plain_inverse : *inverse_weight); }
};

template <class T, class Metric, class Link>
struct HeadBackward {
    HeadBlock<T> block;
    HeadTarget<T> target;
    Link link;
    HeadDerivative<T> derivative;
    T* pulls;  ///< dL/dproduct: row i begins at pulls + i * pull_stride; may be the products
    std::int64_t pull_stride;
    T *pull_sums, *logit_sums;  ///< [N], added to: sums of the pulls, and of dL/dz * z; null where nobody asks

    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t i) const {
        const std::int64_t label = target.labels[i], width = block.width, first = block.first, own = label - first;
        T* const pull = pulls + i * pull_stride;
        if (!is_class(label, target.classes)) {
            team.each(width, [=](std::int64_t j) { pull[j] = T{0}; });
            return;
        }
        const auto row = link.row(i, block.own[i]);
        const T factor = derivative.factor(), total = factor * target.total(label), lse = derivative.lse[i];
        const T x = block.x_numbers == nullptr ? T{0} : block.x_numbers[i];
        const T *const a = block.products + i * block.stride, *const w = block.w_numbers;
        const Link own_link = link;
        const HeadTarget<T> aim = target;
        const T spread = factor * target.everywhere();
        const auto one = [=](std::int64_t j, T w_number) {
            const T s = Metric::value(a[j], x, w_number), z = own_link.logit(row, s, first + j);
            const T dz = total * exponential(z - lse) - spread * aim.weight(first + j);
            pull[j] = dz * own_link.slope(row, s, z, first + j) * Metric::slope(x, w_number);
            return static_cast<double>(dz * z);
        };
        // What the own class's number would have added is taken out by the kernel that puts its true pull in.
        if (logit_sums != nullptr) {
            T own_dz{}, own_z{};
            const bool here = own >= 0 && own < width;
            if (here) own_dz = own_derivative(row, i, label, &own_z);
            double sum = team.sum(width, [=](std::int64_t j) {
                const double term = one(j, w == nullptr ? T{0} : w[first + j]);
                return j == own ? 0.0 : term;
            });
            if (here) sum += static_cast<double>(own_dz * own_z);
            T* const at = logit_sums + i;
            team.once([=] { *at += static_cast<T>(sum); });
        } else if (w == nullptr) {
            team.each(width, [=](std::int64_t j) { one(j, T{0}); });
        } else {
            team.each(width, [=](std::int64_t j) { one(j, w[first + j]); });
        }
        if (own >= 0 && own < width) {
            T own_z{};
            const T dz = own_derivative(row, i, label, &own_z), w_number = w == nullptr ? T{0} : w[label];
            const T value = dz * link.own_slope(row, block.own[i], own_z, label) * Metric::slope(x, w_number);
            team.each(1, [=](std::int64_t) { pull[own] = value; });
        }
        if (pull_sums == nullptr) return;
        const double sum = team.sum(width, [=](std::int64_t j) { return static_cast<double>(pull[j]); });
        T* const at = pull_sums + i;
        team.once([=] { *at += static_cast<T>(sum); });
    }

private:
    /// dL/dz of the own class, and its logit z.
    template <class Row>
    RADIAL_HD T own_derivative(const Row& row, std::int64_t i, std::int64_t label, T* z) const {
        *z = link.own_logit(row, block.own[i], label);
        const T p = exponential(*z - derivative.lse[i]);
        return derivative.factor() *
               (target.total(label) * p - target.everywhere() * target.weight(label) - target.at_label(label));
    }
};

/// The gradient of each sample's own angle: dL/dz_y * scale * df/dangle.
template <class T, class Link>
struct HeadAngleGradient {
    HeadTarget<T> target;
    Link link;
    HeadDerivative<T> derivative;
    const T* own;
    T* out;

    RADIAL_HD void operator()(std::int64_t i) const {
        const std::int64_t label = target.labels[i];
        out[i] = 0;
        if (!is_class(label, target.classes)) return;
        const auto row = link.row(i, own[i]);
        const T p = exponential(link.own_logit(row, own[i], label) - derivative.lse[i]);
        const T dz = derivative.factor() *
                     (target.total(label) * p - target.everywhere() * target.weight(label) - target.at_label(label));
        out[i] = dz * row.scale * row.own.by_angle;
    }
};

/// For reduce_columns: what sample i and class j of a block add to the gradient of the class's own number.
template <class T, class Metric, class Link>
struct HeadClassTerm {
    HeadBlock<T> block;
    const std::int64_t* labels;
    Link link;
    const T* pulls;
    std::int64_t pull_stride;
    RADIAL_HD T operator()(std::int64_t i, std::int64_t j) const {
        const T x = block.x_numbers == nullptr ? T{0} : block.x_numbers[i];
        const T w = block.w_numbers == nullptr ? T{0} : block.w_numbers[block.first + j];
        const T s = Metric::value(block.products[i * block.stride + j], x, w);
        return link.class_term(pulls[i * pull_stride + j], s, block.first + j, labels[i] == block.first + j);
    }
};

// ---- what surrounds the passes ----

/// Each sample's similarity to its own class from the vectors themselves; 0 for a label that names no class.
template <class T, class Metric>
struct OwnSimilarity {
    const T *x, *w;
    const std::int64_t* labels;
    const T *x_numbers, *w_numbers;
    T* own;
    std::int64_t classes, dim;

    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t i) const {
        const std::int64_t label = labels[i];
        T* const out = own + i;
        if (!is_class(label, classes)) {
            team.once([=] { *out = T{0}; });
            return;
        }
        const T *const a = x + i * dim, *const b = w + label * dim;
        const double product = inner_product(team, a, b, dim);
        const T x_number = x_numbers == nullptr ? T{0} : x_numbers[i];
        const T w_number = w_numbers == nullptr ? T{0} : w_numbers[label];
        team.once([=] { *out = Metric::value(static_cast<T>(product), x_number, w_number); });
    }
};
/// A distance from the differences: no digits are lost however far from the origin both are.
template <class T>
struct OwnDistance {
    const T *x, *w;
    const std::int64_t* labels;
    T* own;
    std::int64_t classes, dim;

    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t i) const {
        const std::int64_t label = labels[i];
        T* const out = own + i;
        if (!is_class(label, classes)) {
            team.once([=] { *out = T{0}; });
            return;
        }
        const T *const a = x + i * dim, *const b = w + label * dim;
        const double sum = team.sum(dim, [=](std::int64_t d) {
            const double difference = static_cast<double>(a[d]) - static_cast<double>(b[d]);
            return difference * difference;
        });
        team.once([=] { *out = static_cast<T>(sum); });
    }
};
/// Each sample's own element of given similarities [N, classes].
template <class T>
struct OwnElement {
    const T* given;
    const std::int64_t* labels;
    T* own;
    std::int64_t classes;
    RADIAL_HD void operator()(std::int64_t i) const {
        own[i] = is_class(labels[i], classes) ? given[i * classes + labels[i]] : T{0};
    }
};

}  // namespace radial::kernels
