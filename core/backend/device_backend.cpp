// Biases on devices, and which kernels of our own compute the rest.
#include "radial/core/backend/device_backend.h"

#include "radial/core/backend/device_norm.h"
#include "radial/core/backend/kernels/conv_bias.h"
#include "radial/core/backend/reference/reference_backend.h"
#include "radial/core/kernels/launch.h"

namespace radial {
namespace {

/// f(B{}) with B the type of a bias: float, or X itself.
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
