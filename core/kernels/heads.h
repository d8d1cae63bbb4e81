// The row kernels of the softmax heads: one sample's logits to its loss and the gradient of that loss.
#pragma once

#include "radial/core/kernels/host_device.h"

#include <cmath>
#include <cstdint>

namespace radial::kernels {

/// log(sum exp z), with the maximum subtracted first.
template <class T>
RADIAL_HD T log_sum_exp(const T* z, std::int64_t classes) {
    T top = z[0];
    for (std::int64_t j = 1; j < classes; ++j) top = z[j] > top ? z[j] : top;
    if (!(top - top == 0)) return top + (top > 0 ? T{0} : top - top);  // an infinite or NaN maximum is the answer
    T total{0};
    for (std::int64_t j = 0; j < classes; ++j) total += std::exp(z[j] - top);
    return top + std::log(total);
}

/// One sample of softmax cross-entropy. Turns the logits z [C] into weight * dL/dz and returns L.
/// The target is 1 - smoothing on `label` plus smoothing / C everywhere.
template <class T>
RADIAL_HD T cross_entropy_row(T* z, std::int64_t classes, std::int64_t label, T smoothing, T weight) {
    const T lse = log_sum_exp(z, classes);
    T mean{0};
    if (smoothing > 0) {
        for (std::int64_t j = 0; j < classes; ++j) mean += z[j];
        mean /= static_cast<T>(classes);
    }
    const T own = (1 - smoothing) * z[label] + smoothing * mean;
    const T share = smoothing / static_cast<T>(classes);
    for (std::int64_t j = 0; j < classes; ++j) z[j] = weight * (std::exp(z[j] - lse) - share);
    z[label] -= weight * (1 - smoothing);
    return lse - own;
}

/// exp(-d / gamma) from the inner product of x and W_j and their squared norms; rounding may not make d negative.
template <class T>
RADIAL_HD T squared_distance(T product, T x_norm, T w_norm) {
    const T d = x_norm + w_norm - 2 * product;
    return d < 0 ? T{0} : d;
}

/// One sample of RBF-Softmax (Zhang et al. 2020, Eq. 4 and 5). `row` [C] holds the products <x, W_j> and becomes
/// A_j = weight * (P_j - 1[j = y]) * K_j * 2 s / gamma, with which dL/dx = sum_j A_j (W_j - x) and
/// dL/dW_j = sum_i A_ij (x_i - W_j). Returns the loss; `own_distance` and `own_kernel` are those of the label's
/// prototype.
template <class T>
RADIAL_HD T rbf_softmax_row(T* row, std::int64_t classes, std::int64_t label, T x_norm, const T* w_norms, T scale,
                            T gamma, T weight, T* own_distance, T* own_kernel) {
    const T own = squared_distance(row[label], x_norm, w_norms[label]);
    for (std::int64_t j = 0; j < classes; ++j) {
        row[j] = scale * std::exp(-squared_distance(row[j], x_norm, w_norms[j]) / gamma);
    }
    const T lse = log_sum_exp(row, classes);
    const T loss = lse - row[label];
    *own_distance = own;
    *own_kernel = row[label] / scale;
    for (std::int64_t j = 0; j < classes; ++j) {
        const T probability = std::exp(row[j] - lse);
        const T error = probability - (j == label ? T{1} : T{0});
        row[j] = weight * error * row[j] * 2 / gamma;
    }
    return loss;
}

}  // namespace radial::kernels
