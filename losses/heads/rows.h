// The passes of a softmax head over one block of classes, with one team per sample. Forward accumulates the sums from
// which the softmax is computed; backward turns products into pulls, the gradients of the products.
//
// Only differences of logits are used, so rounding errors do not grow with the size of the logits. This holds for the
// loss, which comes from the log of (sum over the other classes / term of the true class), and for the probabilities,
// which add up to 1. Sums over classes are formed in double, because one lane may add up 100,000 terms.
#pragma once

#include "radial/core/kernels/team.h"
#include "radial/core/ops/kernels/linear_algebra.h"
#include "radial/core/ops/kernels/reduce.h"

#include <cmath>
#include <cstdint>
#include <limits>

namespace radial::kernels {

/// Whether a label names a class. Otherwise the loss of its sample is NaN and the gradient 0.
RADIAL_HD inline bool is_class(std::int64_t label, std::int64_t classes) { return label >= 0 && label < classes; }

/// The target of softmax cross-entropy: `1 - smoothing` at the label plus `smoothing` spread evenly over all classes,
/// each multiplied by the class weight.
template <class T>
struct HeadTarget {
    const std::int64_t* labels;
    std::int64_t classes;
    T smoothing;
    const T* class_weights;  ///< [classes]; null means 1 for every class
    const T* mean_weight;    ///< the mean of class_weights; null means 1

    RADIAL_HD T weight(std::int64_t j) const { return class_weights == nullptr ? T{1} : class_weights[j]; }
    RADIAL_HD T at_label(std::int64_t label) const { return (1 - smoothing) * weight(label); }
    RADIAL_HD T everywhere() const { return smoothing / static_cast<T>(classes); }
    /// The part of the target that is spread over the classes, summed over all of them.
    RADIAL_HD T spread() const { return smoothing * (mean_weight == nullptr ? T{1} : *mean_weight); }
    RADIAL_HD T total(std::int64_t label) const { return at_label(label) + spread(); }
};

/// Columns [first, first + width) of the products [N, classes] that a metric reads; row i begins at products + i *
/// stride.
template <class T>
struct HeadBlock {
    const T* products;
    std::int64_t first, width, stride;
    const T *x_numbers, *w_numbers;  ///< the metric's numbers, [N] and [classes]; null if it has none
    const T* own;                    ///< similarity of each sample to its own class
};

/// Sums over the classes other than each sample's own, accumulated block by block.
template <class T>
struct HeadSums {
    T* top;          ///< the largest logit
    double* total;   ///< sum of exp(logit - top)
    double* spread;  ///< sum of weight * (logit - logit of the true class); null without smoothing
};

/// Each sample's softmax, in the parts that backward reads, each [N].
template <class T>
struct HeadSoftmax {
    T* top;    ///< the largest logit of the other classes; 0 if their probability is 0
    T* share;  ///< share * exp(logit - top) is the probability of another class
    T* rest;   ///< probability of all other classes together: 1 - that of the true class, to full precision
};

template <class T, class Metric, class Link>
struct HeadForward {
    HeadBlock<T> block;
    HeadTarget<T> target;
    Link link;
    T* logits;  ///< [N, width]; may share memory with the products if they are not needed afterwards
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
        // HeadFinish adds the true class, from its own similarity.
        if (own >= 0 && own < width) team.each(1, [=](std::int64_t) { z[own] = -infinity<T>; });
        add(team, i, z, own, link.own_logit(row, block.own[i], label));
    }

private:
    template <class Team>
    RADIAL_HD void add(const Team& team, std::int64_t i, const T* z, std::int64_t own, T own_z) const {
        const std::int64_t width = block.width;
        const T old = sums.top[i], top = larger(old, team.max(width, [=](std::int64_t j) { return z[j]; }));
        double total = 0;
        if (top - top == 0)  // otherwise the maximum is infinite or NaN, and no sum is needed
            total = team.sum(width, [=](std::int64_t j) { return static_cast<double>(exponential(z[j] - top)); });
        double spread = 0;
        if (sums.spread != nullptr) {
            const HeadTarget<T> weights = target;
            const std::int64_t first = block.first;
            spread = team.sum(width, [=](std::int64_t j) {
                const double above = static_cast<double>(z[j]) - static_cast<double>(own_z);
                return j == own ? 0.0 : static_cast<double>(weights.weight(first + j)) * above;
            });
        }
        const HeadSums<T> all = sums;
        team.once([=] {
            all.total[i] = total + (all.total[i] > 0 ? all.total[i] * std::exp(static_cast<double>(old - top)) : 0.0);
            all.top[i] = top;
            if (all.spread != nullptr) all.spread[i] += spread;
        });
    }
};

/// Sets the sums to those over no classes.
template <class T>
struct HeadStart {
    HeadSums<T> sums;
    RADIAL_HD void operator()(std::int64_t i) const {
        sums.top[i] = -infinity<T>;
        sums.total[i] = 0;
        if (sums.spread != nullptr) sums.spread[i] = 0;
    }
};

/// A logit rounded as if stored in memory. Forward stores its logits; where one is computed again, the compiler must
/// not fuse the product and the following subtraction. The comparison prevents this.
template <class T>
RADIAL_HD T rounded(T logit) {
    constexpr T lowest = -std::numeric_limits<T>::max();
    return logit < lowest ? lowest : logit;
}

/// Completes the forward passes: the softmax, loss and weight of each sample.
template <class T, class Link>
struct HeadFinish {
    HeadTarget<T> target;
    HeadSums<T> sums;
    Link link;
    const T* own;
    HeadSoftmax<T> softmax;
    T *losses, *weights;  ///< [N]

    RADIAL_HD void operator()(std::int64_t i) const {
        const std::int64_t label = target.labels[i];
        if (!is_class(label, target.classes)) {
            losses[i] = softmax.rest[i] = softmax.share[i] = softmax.top[i] = not_a_number<T>;
            weights[i] = 0;
            return;
        }
        const T top = sums.top[i], own_z = link.own_logit(link.row(i, own[i]), own[i], label);
        const bool finite = sums.total[i] > 0, none = top == -infinity<T>;
        // The log of (sum over the other classes / term of the true class). Its softplus is -log of the probability of
        // the true class.
        double above = static_cast<double>(top) - static_cast<double>(own_z);
        if (finite) above += std::log(sums.total[i]);
        if (own_z == infinity<T>) above = not_a_number<double>;
        const double rest = logistic(above);
        double loss = static_cast<double>(target.total(label)) * soft_plus(above);
        if (sums.spread != nullptr) loss -= static_cast<double>(target.everywhere()) * sums.spread[i];
        softmax.top[i] = none ? T{0} : top;
        softmax.share[i] = finite ? static_cast<T>(rest / sums.total[i]) : none ? T{0} : T{1};
        softmax.rest[i] = static_cast<T>(rest);
        losses[i] = static_cast<T>(loss);
        weights[i] = target.weight(label);
    }
};

/// 1 / the sum of the samples' weights; 0 if the sum is 0.
template <class T>
struct InverseOf {
    const T* sum;
    T* out;
    RADIAL_HD void operator()(std::int64_t) const { *out = *sum > 0 ? 1 / *sum : T{0}; }
};

/// The data that backward reads for a sample in addition to its products.
template <class T>
struct HeadDerivative {
    HeadSoftmax<T> softmax;
    const T *upstream, *inverse_weight;  ///< one number each: dL/dloss and 1 / the sum of weights
    T plain_inverse;                     ///< 1 / N, used when inverse_weight is null

    RADIAL_HD T factor() const { return *upstream * (inverse_weight == nullptr ? plain_inverse : *inverse_weight); }
    /// dL/dz of sample i's own class: probability - target, computed without cancellation when both are close to 1.
    RADIAL_HD T own(const HeadTarget<T>& target, std::int64_t i, std::int64_t label) const {
        const T rest = softmax.rest[i];
        return factor() * (target.spread() * (1 - rest) - target.everywhere() * target.weight(label) -
                           target.at_label(label) * rest);
    }
};

template <class T, class Metric, class Link>
struct HeadBackward {
    HeadBlock<T> block;
    HeadTarget<T> target;
    Link link;
    HeadDerivative<T> derivative;
    T* pulls;  ///< dL/dproduct: row i begins at pulls + i * pull_stride; may share memory with the products
    std::int64_t pull_stride;
    T* own_pulls;       ///< [N], the pulls of the true classes, which are then 0 in `pulls`; null to keep them there
    double* pull_sums;  ///< [N], the sums of the pulls are added to it; null if not needed
    T* logit_sums;      ///< [N], the sums of dL/dz * z are added to it; null if not needed

    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t i) const {
        const std::int64_t label = target.labels[i], width = block.width, first = block.first, own = label - first;
        T* const pull = pulls + i * pull_stride;
        if (!is_class(label, target.classes)) {
            team.each(width, [=](std::int64_t j) { pull[j] = T{0}; });
            return;
        }
        const auto row = link.row(i, block.own[i]);
        const T own_z = link.own_logit(row, block.own[i], label);
        const T share = derivative.factor() * target.total(label) * derivative.softmax.share[i];
        const T top = derivative.softmax.top[i], spread = derivative.factor() * target.everywhere();
        const T x = block.x_numbers == nullptr ? T{0} : block.x_numbers[i];
        const T *const a = block.products + i * block.stride, *const w = block.w_numbers;
        const Link own_link = link;
        const HeadTarget<T> aim = target;
        // All dL/dz add up to 0, so the sum may use z - own_z instead of z; the true class's term is then 0.
        const auto one = [=](std::int64_t j, T w_number) {
            const T s = Metric::value(a[j], x, w_number), z = rounded(own_link.logit(row, s, first + j));
            const T dz = share * exponential(z - top) - spread * aim.weight(first + j);
            pull[j] = dz * own_link.slope(row, s, z, first + j) * Metric::slope(x, w_number);
            return static_cast<double>(dz * (z - own_z));
        };
        if (logit_sums != nullptr) {
            const double sum = team.sum(width, [=](std::int64_t j) {
                const double term = one(j, w == nullptr ? T{0} : w[first + j]);
                return j == own ? 0.0 : term;
            });
            T* const at = logit_sums + i;
            team.once([=] { *at += static_cast<T>(sum); });
        } else if (w == nullptr) {
            team.each(width, [=](std::int64_t j) { one(j, T{0}); });
        } else {
            team.each(width, [=](std::int64_t j) { one(j, w[first + j]); });
        }
        if (own >= 0 && own < width) {
            const T w_number = w == nullptr ? T{0} : w[label];
            const T value = derivative.own(target, i, label) * link.own_slope(row, block.own[i], own_z, label) *
                            Metric::slope(x, w_number);
            T* const apart = own_pulls == nullptr ? nullptr : own_pulls + i;
            team.each(1, [=](std::int64_t) {
                if (apart != nullptr) *apart = value;
                pull[own] = apart == nullptr ? value : T{0};
            });
        }
        if (pull_sums == nullptr) return;
        const double sum = team.sum(width, [=](std::int64_t j) { return static_cast<double>(pull[j]); });
        double* const at = pull_sums + i;
        team.once([=] { *at += sum; });
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
        out[i] = derivative.own(target, i, label) * row.scale * row.own.by_angle;
    }
};

/// A functor for reduce_columns() that returns the contribution of sample i and class j of a block to the gradient of
/// the class's parameter.
template <class T, class Metric, class Link>
struct HeadClassTerm {
    HeadBlock<T> block;
    const std::int64_t* labels;
    Link link;
    const T* pulls;
    std::int64_t pull_stride;
    const T* own_pulls;  ///< as in HeadBackward
    RADIAL_HD T operator()(std::int64_t i, std::int64_t j) const {
        const bool own = labels[i] == block.first + j;
        const T x = block.x_numbers == nullptr ? T{0} : block.x_numbers[i];
        const T w = block.w_numbers == nullptr ? T{0} : block.w_numbers[block.first + j];
        const T s = Metric::value(block.products[i * block.stride + j], x, w);
        const T pull = own && own_pulls != nullptr ? own_pulls[i] : pulls[i * pull_stride + j];
        return link.class_term(pull, s, block.first + j, own);
    }
};

// ---- before and after the passes ----

/// Each sample's similarity to its own class, computed from the vectors; 0 for a label that names no class.
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
/// Each sample's squared distance to its own class, computed from the difference of the vectors. No precision is lost,
/// however far both are from the origin.
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
/// Completes the features' gradient of a distance head. On entry, grad_i is the sum over the other classes of pull *
/// (w_j - c), where c is the offset of `centred`. This subtracts the sum of these pulls * (x_i - c) and adds the
/// gradient of the true class, computed from the difference w_y - x_i.
template <class T>
struct EndFeatureGradient {
    T* grad;
    const T *centred, *x, *w;
    const std::int64_t* labels;
    const double* pull_sums;  ///< sums over the other classes
    const T* own_pulls;
    std::int64_t classes, dim;
    RADIAL_HD void operator()(std::int64_t i, std::int64_t d) const {
        const std::int64_t at = i * dim + d, label = labels[i];
        double total = static_cast<double>(grad[at]) - pull_sums[i] * static_cast<double>(centred[at]);
        if (is_class(label, classes)) {
            const double difference = static_cast<double>(w[label * dim + d]) - static_cast<double>(x[at]);
            total += static_cast<double>(own_pulls[i]) * difference;
        }
        grad[at] = static_cast<T>(total);
    }
};

/// Adds the pulls of each class's own samples to the classes' gradient. The team of the first sample of a class handles
/// all of its samples.
template <class T>
struct AddOwnPulls {
    const T *x, *w, *own_pulls;
    const std::int64_t* labels;
    T* grad;
    std::int64_t batch, classes, dim;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t i) const {
        const std::int64_t label = labels[i], length = dim;
        if (!is_class(label, classes)) return;
        for (std::int64_t k = 0; k < i; ++k)
            if (labels[k] == label) return;
        const T* const from = w + label * length;
        T* const out = grad + label * length;
        for (std::int64_t k = i; k < batch; ++k) {
            if (labels[k] != label) continue;
            const T pull = own_pulls[k];
            const T* const point = x + k * length;
            team.each(length, [=](std::int64_t d) { out[d] += pull * (point[d] - from[d]); });
        }
    }
};

/// Each sample's entry for its own class in given similarities [N, classes].
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
