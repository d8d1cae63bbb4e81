// Biases and batch normalisation on devices with our own kernels: selection of kernels and of their pack width.
#include "radial/core/backend/device_backend.h"

#include "radial/core/backend/kernels/norm.h"
#include "radial/core/backend/kernels/pack.h"
#include "radial/core/backend/reference/reference_backend.h"
#include "radial/core/kernels/launch.h"

#include <initializer_list>

namespace radial {
namespace {

namespace norm = kernels::norm;
using norm::Clamp;

std::int64_t rows_of(const Tensor& x) { return x.numel() / x.size(1); }

/// Computes activation((x - mean) * factor + shift + residual) for every element of x.
void normalise(const Tensor& x, const Tensor& residual, const Tensor& mean, const Tensor& factor, const Tensor& shift,
               Activation activation, const Tensor& y) {
    kernels::dispatch_pack(
        x, {&x, &residual, &mean, &factor, &shift, &y}, "batch_norm",
        [&]<class X, int N>(X, std::integral_constant<int, N>) {
            const std::int64_t channels = x.size(1);
            const norm::Affine channel{mean.data<float>(), factor.data<float>(), shift.data<float>()};
            kernels::map2(x.device(), rows_of(x), channels / N,
                          norm::Normalise<X, N>{x.data<X>(), residual.defined() ? residual.data<X>() : nullptr,
                                                y.data<X>(), channel, channels, activation == Activation::relu});
        });
}

template <class X, int N, Clamp clamp>
void backward(const BatchNormSaved& saved, const Tensor& dy, const BatchNormGrads& grads) {
    const Tensor& x = saved.x;
    const std::int64_t channels = x.size(1), rows = rows_of(x);
    // Each row of this matrix contains one of the three coefficients of dx for all channels.
    const Tensor made_with = Tensor::empty({3, (channels + 3) / 4 * 4}, DType::float32, x.device());
    float* const a = made_with.data<float>();
    const norm::GradientAffine gradient{a, a + made_with.size(1), a + 2 * made_with.size(1)};
    const norm::GradientSums<X, N, clamp> sums{
        x.data<X>(),
        dy.data<X>(),
        clamp == Clamp::from_result ? saved.y.data<X>() : nullptr,
        clamp == Clamp::from_result ? grads.dresidual.data<X>() : nullptr,
        {saved.mean.data<float>(), clamp == Clamp::from_x ? saved.workspace.data<float>() : nullptr,
         saved.shift.data<float>()},
        channels};
    kernels::reduce_columns(
        x.device(), rows, channels / N, sums,
        norm::StoreGradients<N>{saved.scale.data<float>(), saved.variance.data<float>(), grads.dscale.data<float>(),
                                grads.dshift.data<float>(), gradient, static_cast<double>(rows), saved.epsilon});
    kernels::map2(x.device(), rows, channels / N, norm::InputGradient<X, N, clamp>{sums, grads.dx.data<X>(), gradient});
}

/// Calls f(B{}), where B is the type of `bias`: X or float.
template <class X, class F>
void dispatch_bias(const Tensor& bias, const F& f) {
    if (bias.dtype() == dtype_of<X>) return f(X{});
    f(float{});
}

void add_bias(const Tensor& y, const Tensor& bias) {
    kernels::dispatch_pack(y, {&y}, "conv2d", [&]<class X, int N>(X, std::integral_constant<int, N>) {
        dispatch_bias<X>(bias, [&]<class B>(B) {
            const std::int64_t channels = y.size(1);
            kernels::map2(y.device(), y.numel() / channels, channels / N,
                          kernels::AddBias<X, B, N>{y.data<X>(), bias.data<B>(), channels});
        });
    });
}

void sum_channels(const Tensor& dy, const Tensor& dbias) {
    kernels::dispatch_pack(dy, {&dy}, "conv2d", [&]<class X, int N>(X, std::integral_constant<int, N>) {
        dispatch_bias<X>(dbias, [&]<class B>(B) {
            const std::int64_t channels = dy.size(1);
            kernels::reduce_columns(dy.device(), dy.numel() / channels, channels / N,
                                    kernels::ReadRows<X, N>{dy.data<X>(), channels},
                                    kernels::StoreSums<B, N>{dbias.data<B>()});
        });
    });
}

}  // namespace

Tensor device_norm_forward(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& residual,
                           double epsilon, Activation activation, const Tensor& mean, const Tensor& variance,
                           const Tensor& y) {
    const Tensor factor = Tensor::empty({x.size(1)}, DType::float32, x.device());
    kernels::dispatch_pack(x, {&x}, "batch_norm", [&]<class X, int N>(X, std::integral_constant<int, N>) {
        const std::int64_t channels = x.size(1), rows = rows_of(x);
        kernels::reduce_columns(
            x.device(), rows, channels / N, norm::Statistics<X, N>{x.data<X>(), channels},
            norm::StoreStatistics<X, N>{x.data<X>(), scale.data<float>(), mean.data<float>(), variance.data<float>(),
                                        factor.data<float>(), static_cast<double>(rows), epsilon});
    });
    normalise(x, residual, mean, factor, shift, activation, y);
    return activation == Activation::relu && !residual.defined() ? factor : Tensor();
}

void device_norm_backward(const BatchNormSaved& saved, const Tensor& dy, const BatchNormGrads& grads) {
    const auto operands = {&saved.x,         &saved.mean, &saved.shift, &saved.y,
                           &saved.workspace, &dy,         &grads.dx,    &grads.dresidual};
    kernels::dispatch_pack(saved.x, operands, "batch_norm", [&]<class X, int N>(X, std::integral_constant<int, N>) {
        if (saved.activation == Activation::none) return backward<X, N, Clamp::none>(saved, dy, grads);
        if (saved.workspace.defined()) return backward<X, N, Clamp::from_x>(saved, dy, grads);
        backward<X, N, Clamp::from_result>(saved, dy, grads);
    });
}

void device_norm_apply(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& residual,
                       const Tensor& mean, const Tensor& variance, double epsilon, Activation activation,
                       const Tensor& y) {
    const Tensor factor = Tensor::empty({x.size(1)}, DType::float32, x.device());
    kernels::map(x.device(), x.size(1),
                 norm::Factor{scale.data<float>(), variance.data<float>(), factor.data<float>(), epsilon});
    normalise(x, residual, mean, factor, shift, activation, y);
}

void DeviceBackend::conv_forward(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry,
                                 const Tensor& y) {
    convolve(x, w, geometry, y);
    if (bias.defined()) add_bias(y, bias);
}

void DeviceBackend::conv_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry,
                                          const Tensor& dw, const Tensor& dbias) {
    convolve_backward_weights(x, dy, geometry, dw);
    if (dbias.defined()) sum_channels(dy, dbias);
}

Tensor DeviceBackend::pool_forward(PoolKind kind, const Tensor& x, const PoolGeometry& geometry, const Tensor& y,
                                   bool training) {
    return reference_backend().pool_forward(kind, x, geometry, y, training);
}

void DeviceBackend::pool_backward(PoolKind kind, const Tensor& dy, const Tensor& workspace,
                                  const PoolGeometry& geometry, const Tensor& dx) {
    reference_backend().pool_backward(kind, dy, workspace, geometry, dx);
}

Tensor DeviceBackend::batch_norm_forward(const Tensor& x, const Tensor& scale, const Tensor& shift,
                                         const Tensor& residual, double epsilon, Activation activation,
                                         const Tensor& mean, const Tensor& variance, const Tensor& y) {
    return device_norm_forward(x, scale, shift, residual, epsilon, activation, mean, variance, y);
}

void DeviceBackend::batch_norm_backward(const BatchNormSaved& saved, const Tensor& dy, const BatchNormGrads& grads) {
    device_norm_backward(saved, dy, grads);
}

void DeviceBackend::batch_norm_apply(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& residual,
                                     const Tensor& mean, const Tensor& variance, double epsilon, Activation activation,
                                     const Tensor& y) {
    device_norm_apply(x, scale, shift, residual, mean, variance, epsilon, activation, y);
}

}  // namespace radial
