// Synchronised batch normalisation of [rows, channels], with statistics over the batches of all ranks.
//
// Ranks exchange the moments of their batches in float64, so that no precision is lost where a mean is far from 0. `r`
// is a row index, `c` a channel index.
#pragma once

#include "radial/core/kernels/values.h"

#include <cmath>
#include <cstdint>

namespace radial::kernels::sync_norm {

/// The sums of x - x[0] and of (x - x[0])^2.
template <class X>
struct Moments {
    const X* x;
    std::int64_t channels;
    RADIAL_HD Pair<Compute<X>> operator()(std::int64_t r, std::int64_t c) const {
        const Compute<X> distance = convert<Compute<X>>(x[r * channels + c]) - convert<Compute<X>>(x[c]);
        return {distance, distance * distance};
    }
};

/// Stores the mean and the sum of squared deviations from it, computed from the sums of Moments.
template <class X>
struct StoreMoments {
    const X* x;
    double *mean, *squares;
    double rows;
    RADIAL_HD void operator()(std::int64_t c, const Pair<double>& total) const {
        const double distance = total.first / rows, spread = total.second - total.first * distance;
        mean[c] = convert<double>(x[c]) + distance;
        squares[c] = spread < 0 ? 0.0 : spread;  // NaN stays NaN
    }
};

/// Combines the moments of all ranks, one row [rows, mean ..., squares ...] per rank, into the mean, variance, unbiased
/// variance and total number of rows (Chan, Golub, LeVeque 1983).
template <class V>
struct Combine {
    const double* moments;
    V *mean, *variance, *unbiased;
    double* rows;
    std::int64_t ranks, channels;
    RADIAL_HD void operator()(std::int64_t c) const {
        const std::int64_t width = 1 + 2 * channels;
        double count = 0, sum = 0, squares = 0;
        for (std::int64_t k = 0; k < ranks; ++k) {
            const double* const row = moments + k * width;
            count += row[0];
            sum += row[0] * row[1 + c];
        }
        const double centre = sum / count;
        for (std::int64_t k = 0; k < ranks; ++k) {
            const double* const row = moments + k * width;
            const double distance = row[1 + c] - centre;
            squares += row[1 + channels + c] + row[0] * distance * distance;
        }
        mean[c] = static_cast<V>(centre);
        variance[c] = static_cast<V>(squares / count);
        unbiased[c] = static_cast<V>(squares / (count - 1));
        if (c == 0) *rows = count;
    }
};

/// The sums of the gradient of the ReLU's input, and of its product with the normalised x. Also writes that gradient to
/// `masked` if it is not null. `y` is the output of the ReLU, or null if there is no ReLU.
template <class X>
struct Gradients {
    const X *x, *dy, *y;
    X* masked;  ///< may equal dy
    const Compute<X>*mean, *variance;
    double epsilon;
    std::int64_t channels;
    RADIAL_HD Compute<X> normal(std::int64_t r, std::int64_t c) const {
        const auto inverse = static_cast<Compute<X>>(1 / std::sqrt(static_cast<double>(variance[c]) + epsilon));
        return (convert<Compute<X>>(x[r * channels + c]) - mean[c]) * inverse;
    }
    RADIAL_HD Compute<X> behind_clamp(std::int64_t at) const {
        return y == nullptr || convert<Compute<X>>(y[at]) > 0 ? convert<Compute<X>>(dy[at]) : Compute<X>{0};
    }
    RADIAL_HD Pair<Compute<X>> operator()(std::int64_t r, std::int64_t c) const {
        const Compute<X> grad = behind_clamp(r * channels + c);
        if (masked != nullptr) masked[r * channels + c] = convert<X>(grad);
        return {grad, grad * normal(r, c)};
    }
};

/// Stores these sums both as dshift and dscale of this rank and as the input to the sum over ranks.
template <class V>
struct StoreGradients {
    V *dshift, *dscale;
    double* sums;  ///< [2, channels]
    std::int64_t channels;
    RADIAL_HD void operator()(std::int64_t c, const Pair<double>& total) const {
        dshift[c] = static_cast<V>(total.first);
        dscale[c] = static_cast<V>(total.second);
        sums[c] = total.first;
        sums[channels + c] = total.second;
    }
};

/// dx = scale / std * (g - (sum(g) + normalised x * sum(g * normalised x)) / rows), with sums over all ranks.
template <class X>
struct InputGradient {
    Gradients<X> from;
    X* dx;
    const Compute<X>* scale;
    const double *sums, *rows;
    RADIAL_HD void operator()(std::int64_t r, std::int64_t c) const {
        using V = Compute<X>;
        const std::int64_t at = r * from.channels + c;
        const V grad = from.masked != nullptr ? convert<V>(from.masked[at]) : from.behind_clamp(at);
        const auto inverse = static_cast<V>(1 / std::sqrt(static_cast<double>(from.variance[c]) + from.epsilon));
        const auto mean_grad = static_cast<V>(sums[c] / *rows);
        const auto mean_product = static_cast<V>(sums[from.channels + c] / *rows);
        dx[at] = convert<X>(scale[c] * inverse * (grad - mean_grad - from.normal(r, c) * mean_product));
    }
};

}  // namespace radial::kernels::sync_norm
