// Row kernels of layer_norm() and rms_norm(): each row is normalised by its own statistics.
//
// The statistics are float64, [rows, 2]: the mean and 1 / sqrt(variance + epsilon). A row is read twice to compute
// them, so that the variance is precise however far the mean is from 0.
#pragma once

#include "radial/core/kernels/team.h"
#include "radial/core/kernels/values.h"

#include <cmath>
#include <cstdint>

namespace radial::kernels {

/// A mean as the sum of two numbers of type V, which holds it to twice the precision of V: x - high - low is precise
/// where x is close to a mean that is far from 0.
template <class V>
struct Centre {
    V high, low;
    RADIAL_HD explicit Centre(double mean)
        : high(static_cast<V>(mean)), low(static_cast<V>(mean - static_cast<double>(high))) {}
    /// v - mean.
    RADIAL_HD V distance(V v) const { return (v - high) - low; }
};

/// y = (x - mean) * rstd * weight + bias, and the statistics. Without `centred` the mean is taken as 0 (RMS norm).
template <class X, bool centred>
struct LayerNormRow {
    using V = Compute<X>;
    const X* x;
    const V *weight, *bias;  ///< [columns]
    X* y;
    double* statistics;
    std::int64_t columns;
    double epsilon;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const X* const in = x + row * columns;
        X* const out = y + row * columns;
        const V *const w = weight, *const b = bias;
        const auto count = static_cast<double>(columns);
        double mean = 0;
        if constexpr (centred) mean = team.sum(columns, [=](std::int64_t i) { return convert<double>(in[i]); }) / count;
        const Centre<V> centre(mean);
        const double squares = team.sum(columns, [=](std::int64_t i) {
            const auto distance = static_cast<double>(centre.distance(convert<V>(in[i])));
            return distance * distance;
        });
        const double inverse = 1 / std::sqrt(squares / count + epsilon);
        const auto rstd = static_cast<V>(inverse);
        team.each(columns, [=](std::int64_t i) {
            out[i] = convert<X>(centre.distance(convert<V>(in[i])) * rstd * w[i] + b[i]);
        });
        double* const kept = statistics + 2 * row;
        team.once([=] {
            kept[0] = mean;
            kept[1] = inverse;
        });
    }
};

/// dx = rstd * (g - mean(g) - normalised x * mean(g * normalised x)) with g = dy * weight. mean(g) is not subtracted
/// without `centred`. dx may equal dy.
template <class X, bool centred>
struct LayerNormGradientRow {
    using V = Compute<X>;
    const X *x, *dy;
    const V* weight;
    X* dx;
    const double* statistics;
    std::int64_t columns;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const X *const in = x + row * columns, *const grad = dy + row * columns;
        X* const out = dx + row * columns;
        const V* const w = weight;
        const Centre<V> centre(statistics[2 * row]);
        const double inverse = statistics[2 * row + 1];
        const auto rstd = static_cast<V>(inverse);
        const auto count = static_cast<double>(columns);
        V mean_grad{0};
        if constexpr (centred) {
            mean_grad = static_cast<V>(team.sum(columns, [=](std::int64_t i) {
                return static_cast<double>(convert<V>(grad[i]) * w[i]);
            }) / count);
        }
        const auto mean_product = static_cast<V>(team.sum(columns, [=](std::int64_t i) {
            const V g = convert<V>(grad[i]) * w[i];
            return static_cast<double>(g * (centre.distance(convert<V>(in[i])) * rstd));
        }) / count);
        team.each(columns, [=](std::int64_t i) {
            const V g = convert<V>(grad[i]) * w[i], normal = centre.distance(convert<V>(in[i])) * rstd;
            out[i] = convert<X>(rstd * (g - mean_grad - normal * mean_product));
        });
    }
};

/// For reduce_columns(): the gradients of bias and weight from one element, dy and dy * normalised x.
template <class X>
struct LayerNormColumn {
    using V = Compute<X>;
    const X *x, *dy;
    const double* statistics;
    std::int64_t columns;
    RADIAL_HD Pair<V> operator()(std::int64_t row, std::int64_t column) const {
        const std::int64_t at = row * columns + column;
        const Centre<V> centre(statistics[2 * row]);
        const auto rstd = static_cast<V>(statistics[2 * row + 1]);
        const V grad = convert<V>(dy[at]);
        return {grad, grad * (centre.distance(convert<V>(x[at])) * rstd)};
    }
};

/// Stores the two sums of each column. `first` or `second` may be null.
template <class V>
struct StoreColumnPair {
    V *first, *second;
    RADIAL_HD void operator()(std::int64_t column, const Pair<double>& total) const {
        if (first != nullptr) first[column] = static_cast<V>(total.first);
        if (second != nullptr) second[column] = static_cast<V>(total.second);
    }
};

}  // namespace radial::kernels
