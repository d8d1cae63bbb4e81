// The row kernels of the softmax heads: a team turns one sample's logits into its loss and the gradient of that loss.
//
// Sums over classes are formed in double: one lane may have 100,000 of them.
#pragma once

#include "radial/core/kernels/team.h"

#include <cmath>
#include <cstdint>

namespace radial::kernels {

/// Whether a label names a class. One that does not makes its sample's loss NaN and the gradient of it 0.
RADIAL_HD inline bool is_class(std::int64_t label, std::int64_t classes) { return label >= 0 && label < classes; }

/// log(sum exp z), with the maximum subtracted first.
template <class Team, class T>
RADIAL_HD T log_sum_exp(const Team& team, const T* z, std::int64_t classes) {
    const T top = team.max(classes, [&](std::int64_t j) { return z[j]; });
    if (!(top - top == 0)) return top > 0 ? top : top - top;  // an infinite or NaN maximum is the answer
    const double total = team.sum(classes, [&](std::int64_t j) { return static_cast<double>(std::exp(z[j] - top)); });
    return top + std::log(static_cast<T>(total));
}

/// One sample of softmax cross-entropy. Turns the logits z [C] into weight * dL/dz and returns L.
/// The target is 1 - smoothing on `label` plus smoothing / C everywhere.
template <class Team, class T>
RADIAL_HD T cross_entropy_row(const Team& team, T* z, std::int64_t classes, std::int64_t label, T smoothing, T weight) {
    if (!is_class(label, classes)) {
        team.each(classes, [&](std::int64_t j) { z[j] = T{0}; });
        return not_a_number<T>;
    }
    const T lse = log_sum_exp(team, z, classes);
    T own = (1 - smoothing) * z[label];
    if (smoothing > 0) {
        const double total = team.sum(classes, [&](std::int64_t j) { return static_cast<double>(z[j]); });
        own += smoothing * static_cast<T>(total / static_cast<double>(classes));
    }
    const T share = smoothing / static_cast<T>(classes);
    team.each(classes, [&](std::int64_t j) { z[j] = weight * (std::exp(z[j] - lse) - share); });
    team.once([&] { z[label] -= weight * (1 - smoothing); });
    return lse - own;
}

/// exp(-d / gamma) wants d = |x - W_j|^2, here from the product <x, W_j> and the squared norms; rounding may not make
/// it negative.
template <class T>
RADIAL_HD T squared_distance(T product, T x_norm, T w_norm) {
    const T d = x_norm + w_norm - 2 * product;
    return d < 0 ? T{0} : d;
}

/// What one sample of RBF-Softmax comes to.
template <class T>
struct RbfSample {
    T loss;
    T own_distance, own_kernel;  ///< of the label's prototype
};

/// One sample of RBF-Softmax (Zhang et al. 2020, Eq. 4 and 5). `row` [C] holds the products <x, W_j> and becomes
/// A_j = weight * (P_j - 1[j = y]) * K_j * 2 s / gamma, with which dL/dx = sum_j A_j (W_j - x) and
/// dL/dW_j = sum_i A_ij (x_i - W_j).
template <class Team, class T>
RADIAL_HD RbfSample<T> rbf_softmax_row(const Team& team, T* row, std::int64_t classes, std::int64_t label, T x_norm,
                                       const T* w_norms, T scale, T gamma, T weight) {
    if (!is_class(label, classes)) {
        team.each(classes, [&](std::int64_t j) { row[j] = T{0}; });
        const T nothing = not_a_number<T>;
        return {nothing, nothing, nothing};
    }
    const T own_distance = squared_distance(row[label], x_norm, w_norms[label]);
    team.each(classes, [&](std::int64_t j) {
        row[j] = scale * std::exp(-squared_distance(row[j], x_norm, w_norms[j]) / gamma);
    });
    const T own = row[label];
    const T lse = log_sum_exp(team, row, classes);
    const T factor = 2 * weight / gamma;
    team.each(classes, [&](std::int64_t j) {
        const T hit = j == label ? T{1} : T{0};
        row[j] *= factor * (std::exp(row[j] - lse) - hit);
    });
    return {lse - own, own_distance, own / scale};
}

// ---- whole matrices, a row a team ----

template <class T>
struct LogSoftmax {
    const T* x;
    T* y;
    std::int64_t classes;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const T* const in = x + row * classes;
        T* const out = y + row * classes;
        const T lse = log_sum_exp(team, in, classes);
        team.each(classes, [&](std::int64_t j) { out[j] = in[j] - lse; });
    }
};

/// dx = dy - softmax(x) * sum(dy); dx may be dy.
template <class T>
struct LogSoftmaxGradient {
    const T *y, *dy;
    T* dx;
    std::int64_t classes;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const T *const kept = y + row * classes, *const grad = dy + row * classes;
        T* const out = dx + row * classes;
        const T total = static_cast<T>(team.sum(classes, [&](std::int64_t j) { return static_cast<double>(grad[j]); }));
        team.each(classes, [&](std::int64_t j) { out[j] = grad[j] - std::exp(kept[j]) * total; });
    }
};

/// Logits [N, C] become the gradient of `weight` times the sum of the losses [N].
template <class T>
struct CrossEntropy {
    T* logits;
    const std::int64_t* labels;
    T* losses;
    std::int64_t classes;
    T smoothing, weight;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const T loss = cross_entropy_row(team, logits + row * classes, classes, labels[row], smoothing, weight);
        T* const out = losses + row;
        team.once([&] { *out = loss; });
    }
};

/// Products [N, C] become the A of rbf_softmax_row.
template <class T>
struct RbfSoftmaxRows {
    T* products;
    const std::int64_t* labels;
    const T *x_norms, *w_norms;
    T *losses, *own_distances, *own_kernels;
    std::int64_t classes;
    T scale, gamma, weight;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const RbfSample<T> sample = rbf_softmax_row(team, products + row * classes, classes, labels[row], x_norms[row],
                                                    w_norms, scale, gamma, weight);
        T *const loss = losses + row, *const distance = own_distances + row, *const kernel = own_kernels + row;
        team.once([&] {
            *loss = sample.loss;
            *distance = sample.own_distance;
            *kernel = sample.own_kernel;
        });
    }
};

/// Sums of the rows of [N, columns].
template <class T>
struct RowSums {
    const T* in;
    T* out;
    std::int64_t columns;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const T* const from = in + row * columns;
        T* const to = out + row;
        const double total = team.sum(columns, [&](std::int64_t c) { return static_cast<double>(from[c]); });
        team.once([&] { *to = static_cast<T>(total); });
    }
};

/// Squared lengths of the rows of [N, columns].
template <class T>
struct RowNorms {
    const T* in;
    T* out;
    std::int64_t columns;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const T* const from = in + row * columns;
        T* const to = out + row;
        const double total = team.sum(columns, [&](std::int64_t c) {
            const auto value = static_cast<double>(from[c]);
            return value * value;
        });
        team.once([&] { *to = static_cast<T>(total); });
    }
};

// ---- element by element ----

/// z = scale * exp(-|x_i - W_j|^2 / gamma) in place of the products.
template <class T>
struct RbfLogits {
    T* z;
    const T *x_norms, *w_norms;
    std::int64_t classes;
    T scale, gamma;
    RADIAL_HD void operator()(std::int64_t i, std::int64_t j) const {
        T* const at = z + i * classes + j;
        *at = scale * std::exp(-squared_distance(*at, x_norms[i], w_norms[j]) / gamma);
    }
};

/// dz_j/dx = z_j * 2 (W_j - x) / gamma: the pull of prototype j on x. `pull` may be dz.
template <class T>
struct RbfLogitsPull {
    const T *z, *dz;
    T* pull;
    T factor;
    RADIAL_HD void operator()(std::int64_t i) const { pull[i] = dz[i] * z[i] * factor; }
};

/// grad_i = upstream * (grad_i - sums_i point_i): the second half of sum_j A_ij (other_j - point_i). A null upstream
/// is 1.
template <class T>
struct PullTowards {
    T* grad;
    const T *sums, *point, *upstream;
    std::int64_t dim;
    RADIAL_HD void operator()(std::int64_t row, std::int64_t d) const {
        const T factor = upstream == nullptr ? T{1} : *upstream;
        T* const at = grad + row * dim + d;
        *at = factor * (*at - sums[row] * point[row * dim + d]);
    }
};

}  // namespace radial::kernels
