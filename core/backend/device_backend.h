// The backend of a CUDA device, real or emulated, for float32 and bfloat16.
#pragma once

#include "radial/core/backend/backend.h"
#include "radial/core/memory/device_runtime.h"

namespace radial {

/// Implementations of the functions of Backend with the same names, for float32 or bfloat16 x in channels_last, and
/// float32 vectors. They run on any device and do not wait.
///
/// With a ReLU and no residual, backward recomputes the ReLU's mask from x, so y need not be saved, and forward returns
/// the factor of each channel, scale / sqrt(variance + epsilon). With a ReLU and a residual, backward reads y once.
Tensor device_norm_forward(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& residual,
                           double epsilon, Activation activation, const Tensor& mean, const Tensor& variance,
                           const Tensor& y);
void device_norm_backward(const BatchNormSaved& saved, const Tensor& dy, const BatchNormGrads& grads);
void device_norm_apply(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& residual,
                       const Tensor& mean, const Tensor& variance, double epsilon, Activation activation,
                       const Tensor& y);

/// The operations that CUDA devices compute with our own kernels: biases, pooling and batch normalisation. Matrix
/// products and convolutions are left to a library.
class DeviceBackend : public Backend {
public:
    Layout activation_layout() const final { return Layout::channels_last; }
    Layout weight_layout() const final { return Layout::channels_last; }

    void conv_forward(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry,
                      const Tensor& y) final;
    void conv_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry, const Tensor& dw,
                               const Tensor& dbias) final;

    Tensor pool_forward(PoolKind kind, const Tensor& x, const PoolGeometry& geometry, const Tensor& y,
                        bool training) final;
    void pool_backward(PoolKind kind, const Tensor& dy, const Tensor& workspace, const PoolGeometry& geometry,
                       const Tensor& dx) final;

    /// See device_norm_forward().
    Tensor batch_norm_forward(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& residual,
                              double epsilon, Activation activation, const Tensor& mean, const Tensor& variance,
                              const Tensor& y) final;
    void batch_norm_backward(const BatchNormSaved& saved, const Tensor& dy, const BatchNormGrads& grads) final;
    void batch_norm_apply(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& residual,
                          const Tensor& mean, const Tensor& variance, double epsilon, Activation activation,
                          const Tensor& y) final;

protected:
    /// y = x (*) w.
    virtual void convolve(const Tensor& x, const Tensor& w, const ConvGeometry& geometry, const Tensor& y) = 0;
    virtual void convolve_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry,
                                           const Tensor& dw) = 0;
};

/// The backend of `device`, which must be a CUDA device, real or emulated, that can be used; backend_for() checks this.
/// Throws Error in a build that has neither.
Backend& device_backend(Device device, DType dtype);

}  // namespace radial
