// Reference batch normalisation (Ioffe & Szegedy 2015), two passes over each channel.
#include "radial/core/dispatch.h"
#include "radial/core/ref/reference_backend.h"
#include "radial/core/ref/strided.h"

#include <cmath>

namespace radial {
namespace {

using ref::Strided;

/// f(n, h, w) for every position of one channel of `x`.
template <class T, class F>
void for_each_position(const Strided<T>& x, const F& f) {
    for (std::int64_t n = 0; n < x.N; ++n) {
        for (std::int64_t h = 0; h < x.H; ++h) {
            for (std::int64_t w = 0; w < x.W; ++w) f(n, h, w);
        }
    }
}

template <class T>
void batch_statistics(const Tensor& input, const Tensor& mean, const Tensor& variance) {
    const Strided<T> x(input);
    T* const means = mean.data<T>();
    T* const variances = variance.data<T>();
    const auto count = static_cast<double>(x.N * x.H * x.W);
#pragma omp parallel for schedule(static)
    for (std::int64_t c = 0; c < x.C; ++c) {
        double total = 0;
        for_each_position(x, [&](auto n, auto h, auto w) { total += x(n, c, h, w); });
        const double centre = total / count;
        double squares = 0;
        for_each_position(x, [&](auto n, auto h, auto w) {
            const double deviation = x(n, c, h, w) - centre;
            squares += deviation * deviation;
        });
        means[c] = static_cast<T>(centre);
        variances[c] = static_cast<T>(squares / count);
    }
}

/// `mask` may be undefined.
template <class T>
void normalise(const Tensor& input, const Tensor& scale, const Tensor& shift, const Tensor& mean,
               const Tensor& variance, double epsilon, bool relu, const Tensor& output, const Tensor& mask) {
    const Strided<T> x(input), y(output);
    const T *const scales = scale.data<T>(), *const shifts = shift.data<T>();
    const T *const means = mean.data<T>(), *const variances = variance.data<T>();
#pragma omp parallel for schedule(static)
    for (std::int64_t c = 0; c < x.C; ++c) {
        const double factor = scales[c] / std::sqrt(variances[c] + epsilon);
        for_each_position(x, [&](auto n, auto h, auto w) {
            const double value = (double{x(n, c, h, w)} - means[c]) * factor + shifts[c];
            // Written so that a NaN passes through.
            y(n, c, h, w) = relu && value <= 0 ? T{0} : static_cast<T>(value);
        });
    }
    if (!mask.defined()) return;
    const Strided<std::uint8_t> positive(mask);
    for (std::int64_t c = 0; c < x.C; ++c) {
        for_each_position(y, [&](auto n, auto h, auto w) { positive(n, c, h, w) = y(n, c, h, w) > 0 ? 1 : 0; });
    }
}

/// The gradient after the clamp: dy where the mask is set, 0 elsewhere.
template <class T>
Tensor through_relu(const Tensor& grad, const Tensor& mask) {
    const Tensor result = Tensor::empty_like(grad);
    const Strided<T> dy(grad), out(result);
    const Strided<std::uint8_t> positive(mask);
    for (std::int64_t c = 0; c < dy.C; ++c) {
        for_each_position(
            dy, [&](auto n, auto h, auto w) { out(n, c, h, w) = positive(n, c, h, w) != 0 ? dy(n, c, h, w) : T{0}; });
    }
    return result;
}

template <class T>
void backward(const Tensor& input, const Tensor& grad, const Tensor& scale, const Tensor& mean, const Tensor& variance,
              double epsilon, const Tensor& result, const Tensor& dscale, const Tensor& dshift) {
    const Strided<T> x(input), dy(grad), dx(result);
    const T *const scales = scale.data<T>(), *const means = mean.data<T>(), *const variances = variance.data<T>();
    T *const dscales = dscale.data<T>(), *const dshifts = dshift.data<T>();
    const auto count = static_cast<double>(x.N * x.H * x.W);
#pragma omp parallel for schedule(static)
    for (std::int64_t c = 0; c < x.C; ++c) {
        const double centre = means[c], inverse_deviation = 1 / std::sqrt(variances[c] + epsilon);
        double total = 0, projection = 0;
        for_each_position(x, [&](auto n, auto h, auto w) {
            total += dy(n, c, h, w);
            projection += dy(n, c, h, w) * ((x(n, c, h, w) - centre) * inverse_deviation);
        });
        dshifts[c] = static_cast<T>(total);
        dscales[c] = static_cast<T>(projection);
        const double factor = scales[c] * inverse_deviation;
        for_each_position(x, [&](auto n, auto h, auto w) {
            const double normal = (x(n, c, h, w) - centre) * inverse_deviation;
            dx(n, c, h, w) = static_cast<T>(factor * (dy(n, c, h, w) - (total + normal * projection) / count));
        });
    }
}

}  // namespace

Tensor ReferenceBackend::batch_norm_forward(const Tensor& x, const Tensor& scale, const Tensor& shift, double epsilon,
                                            bool relu, const Tensor& mean, const Tensor& variance, const Tensor& y) {
    const Tensor mask = relu ? Tensor::empty(y.shape(), DType::uint8, y.device(), y.layout()) : Tensor{};
    dispatch_floating(x.dtype(), "reference batch norm", [&]<class T>(T) {
        batch_statistics<T>(x, mean, variance);
        normalise<T>(x, scale, shift, mean, variance, epsilon, relu, y, mask);
    });
    return mask;
}

void ReferenceBackend::batch_norm_backward(const Tensor& x, const Tensor& dy, const Tensor& scale, const Tensor& mean,
                                           const Tensor& variance, double epsilon, const Tensor& relu_mask,
                                           const Tensor& dx, const Tensor& dscale, const Tensor& dshift) {
    dispatch_floating(x.dtype(), "reference batch norm", [&]<class T>(T) {
        const Tensor grad = relu_mask.defined() ? through_relu<T>(dy, relu_mask) : dy;
        backward<T>(x, grad, scale, mean, variance, epsilon, dx, dscale, dshift);
    });
}

void ReferenceBackend::batch_norm_apply(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& mean,
                                        const Tensor& variance, double epsilon, bool relu, const Tensor& y) {
    dispatch_floating(x.dtype(), "reference batch norm",
                      [&]<class T>(T) { normalise<T>(x, scale, shift, mean, variance, epsilon, relu, y, Tensor{}); });
}

}  // namespace radial
