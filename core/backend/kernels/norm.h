// Batch normalisation of [rows, channels], where each lane handles N adjacent channels of a row. Forward makes one pass
// over the input for the statistics and one to normalise it; backward also makes two passes.
//
// Activations have type X; vectors of channels are float, except in functors with a type V or Compute<X>. `r` is a row
// index, and `c` is the index of a group of N channels, or of one channel in functors without N.
#pragma once

#include "radial/core/backend/kernels/pack.h"

#include <cmath>
#include <cstdint>

namespace radial::kernels::norm {

template <int N>
using FloatSums = Pair<Floats<N>>;
template <int N>
using Totals = Wide<FloatSums<N>>;

/// The coefficients that normalise a channel: (x - mean) * factor + shift, with factor = scale / sqrt(variance +
/// epsilon).
struct Affine {
    const float *mean, *factor, *shift;
};
RADIAL_HD inline float normalised(float x, float mean, float factor, float shift) {
    return (x - mean) * factor + shift;
}

/// The sums of x - x[0] and of (x - x[0])^2. Subtracting the channel's first value preserves the precision of a
/// variance that is much smaller than the square of the mean.
template <class X, int N>
struct Statistics {
    const X* x;
    std::int64_t channels;
    RADIAL_HD FloatSums<N> operator()(std::int64_t r, std::int64_t c) const {
        const Floats<N> v = load<N>(x + r * channels + c * N), origin = load<N>(x + c * N);
        FloatSums<N> sums;
        for (int k = 0; k < N; ++k) {
            const float distance = v.value[k] - origin.value[k];
            sums.first.value[k] = distance;
            sums.second.value[k] = distance * distance;
        }
        return sums;
    }
};

/// Stores the mean, the biased variance and the factor, computed from the sums of Statistics.
template <class X, int N>
struct StoreStatistics {
    const X* x;
    const float* scale;
    float *mean, *variance, *factor;
    double rows, epsilon;
    RADIAL_HD void operator()(std::int64_t c, const Totals<N>& total) const {
        for (int k = 0; k < N; ++k) {
            const std::int64_t at = c * N + k;
            const double distance = total.first.value[k] / rows;
            const double spread = total.second.value[k] / rows - distance * distance;
            const double biased = spread < 0 ? 0.0 : spread;  // NaN stays NaN
            mean[at] = static_cast<float>(convert<double>(x[at]) + distance);
            variance[at] = static_cast<float>(biased);
            factor[at] = static_cast<float>(scale[at] / std::sqrt(biased + epsilon));
        }
    }
};

/// Computes the factor for given statistics.
struct Factor {
    const float *scale, *variance;
    float* factor;
    double epsilon;
    RADIAL_HD void operator()(std::int64_t c) const {
        factor[c] = static_cast<float>(scale[c] / std::sqrt(static_cast<double>(variance[c]) + epsilon));
    }
};

/// y = normalised x, plus the residual if it is not null, followed by a ReLU if `relu`.
template <class X, int N>
struct Normalise {
    const X *x, *residual;
    X* y;
    Affine channel;
    std::int64_t channels;
    bool relu;
    RADIAL_HD void operator()(std::int64_t r, std::int64_t c) const {
        const std::int64_t at = r * channels + c * N, first = c * N;
        const Floats<N> v = load<N>(x + at), mean = load<N>(channel.mean + first),
                        factor = load<N>(channel.factor + first), shift = load<N>(channel.shift + first);
        Floats<N> result;
        for (int k = 0; k < N; ++k)
            result.value[k] = normalised(v.value[k], mean.value[k], factor.value[k], shift.value[k]);
        if (residual != nullptr) result += load<N>(residual + at);
        if (relu) {
            for (int k = 0; k < N; ++k) result.value[k] = result.value[k] < 0 ? 0.0F : result.value[k];
        }
        store<N>(y + at, result);
    }
};

/// How backward determines which elements the ReLU passed.
enum class Clamp : std::uint8_t {
    none,        ///< there was no ReLU
    from_x,      ///< elements whose normalised x is above 0; recomputing it needs no further memory traffic
    from_result  ///< elements where y is above 0; also writes dresidual, the gradient of the ReLU's input
};

/// The sums for backward: of the gradient of the ReLU's input, and of its product with x - mean.
template <class X, int N, Clamp clamp>
struct GradientSums {
    const X *x, *dy, *y;
    X* masked;  ///< may equal dy
    Affine channel;
    std::int64_t channels;
    RADIAL_HD FloatSums<N> operator()(std::int64_t r, std::int64_t c) const {
        const std::int64_t at = r * channels + c * N;
        const Floats<N> v = load<N>(x + at), mean = load<N>(channel.mean + c * N);
        const Floats<N> grad = behind_clamp(v, mean, load<N>(dy + at), at, c * N);
        if constexpr (clamp == Clamp::from_result) store<N>(masked + at, grad);
        FloatSums<N> sums;
        for (int k = 0; k < N; ++k) {
            sums.first.value[k] = grad.value[k];
            sums.second.value[k] = grad.value[k] * (v.value[k] - mean.value[k]);
        }
        return sums;
    }

    RADIAL_HD Floats<N> behind_clamp(const Floats<N>& v, const Floats<N>& mean, Floats<N> grad, std::int64_t at,
                                     std::int64_t first) const {
        if constexpr (clamp == Clamp::from_x) {
            const Floats<N> factor = load<N>(channel.factor + first), shift = load<N>(channel.shift + first);
            for (int k = 0; k < N; ++k) {
                const float result = normalised(v.value[k], mean.value[k], factor.value[k], shift.value[k]);
                grad.value[k] = result > 0 ? grad.value[k] : 0.0F;
            }
        } else if constexpr (clamp == Clamp::from_result) {
            const Floats<N> result = load<N>(y + at);
            for (int k = 0; k < N; ++k) grad.value[k] = result.value[k] > 0 ? grad.value[k] : 0.0F;
        }
        return grad;
    }
};

/// Coefficients per channel: dx = a * gradient + b * (x - mean) + c.
struct GradientAffine {
    float *a, *b, *c;
};

/// Stores dshift, dscale and the coefficients of dx, computed from the sums of GradientSums.
template <int N>
struct StoreGradients {
    const float *scale, *variance;
    float *dscale, *dshift;
    GradientAffine channel;
    double rows, epsilon;
    RADIAL_HD void operator()(std::int64_t group, const Totals<N>& total) const {
        for (int k = 0; k < N; ++k) {
            const std::int64_t at = group * N + k;
            const double inverse = 1 / std::sqrt(static_cast<double>(variance[at]) + epsilon);
            const double sum = total.first.value[k], projection = total.second.value[k] * inverse;
            const double factor = scale[at] * inverse;
            dshift[at] = static_cast<float>(sum);
            dscale[at] = static_cast<float>(projection);
            channel.a[at] = static_cast<float>(factor);
            channel.b[at] = static_cast<float>(-factor * inverse * projection / rows);
            channel.c[at] = static_cast<float>(-factor * sum / rows);
        }
    }
};

/// Computes dx. With Clamp::from_result, reads the masked gradient that GradientSums has written; otherwise masks dy.
template <class X, int N, Clamp clamp>
struct InputGradient {
    GradientSums<X, N, clamp> from;
    X* dx;
    GradientAffine gradient;
    RADIAL_HD void operator()(std::int64_t r, std::int64_t c) const {
        const std::int64_t at = r * from.channels + c * N, first = c * N;
        const Floats<N> v = load<N>(from.x + at), mean = load<N>(from.channel.mean + first);
        Floats<N> grad;
        if constexpr (clamp == Clamp::from_result) {
            grad = load<N>(from.masked + at);
        } else {
            grad = from.behind_clamp(v, mean, load<N>(from.dy + at), at, first);
        }
        const Floats<N> pa = load<N>(gradient.a + first), pb = load<N>(gradient.b + first),
                        pc = load<N>(gradient.c + first);
        Floats<N> result;
        for (int k = 0; k < N; ++k)
            result.value[k] = pa.value[k] * grad.value[k] + (pb.value[k] * (v.value[k] - mean.value[k]) + pc.value[k]);
        store<N>(dx + at, result);
    }
};

/// running = keep * running + take * batch.
template <class V>
struct UpdateRunning {
    V* running;
    const V* batch;
    V keep, take;
    RADIAL_HD void operator()(std::int64_t c) const { running[c] = keep * running[c] + take * batch[c]; }
};

/// Backward with fixed statistics, where y = (x - mean) * inverse * scale + shift (+ residual, followed by a ReLU).
/// Writes dx and, if `masked` is not null, the gradient of the ReLU's input. Returns the contributions to dshift and
/// dscale. `y` is null without a ReLU.
template <class X>
struct FixedBackward {
    const X *x, *dy, *y;
    X *dx, *masked;
    const Compute<X>*scale, *mean, *variance;
    Compute<X> epsilon;
    std::int64_t channels;
    RADIAL_HD Pair<Compute<X>> operator()(std::int64_t r, std::int64_t c) const {
        using V = Compute<X>;
        const std::int64_t at = r * channels + c;
        const V inverse = 1 / std::sqrt(variance[c] + epsilon), upstream = convert<V>(dy[at]);
        const V grad = y == nullptr || convert<V>(y[at]) > 0 ? upstream : V{0};
        if (masked != nullptr) masked[at] = convert<X>(grad);
        dx[at] = convert<X>(grad * scale[c] * inverse);
        return {grad, grad * (convert<V>(x[at]) - mean[c]) * inverse};
    }
};

template <class V>
struct StorePair {
    V *first, *second;
    RADIAL_HD void operator()(std::int64_t c, const Pair<double>& total) const {
        first[c] = static_cast<V>(total.first);
        second[c] = static_cast<V>(total.second);
    }
};

}  // namespace radial::kernels::norm
