// All backend primitives as plain loops: used for float64, and as the reference that faster backends are tested
// against.
#pragma once

#include "radial/core/backend/backend.h"

namespace radial {

/// Computes on tensors of any floating-point type, on any device. Sums are accumulated in double for all types, one
/// output element at a time, so that results do not depend on the number of threads. Each tensor of a convolution may
/// be in either layout; the activations of a batch norm must share one layout; pooling requires channels_last.
class ReferenceBackend : public Backend {
public:
    std::string describe() const override;
    /// Returns channels_last, so that float64 gradient checks also test the layout code of the ops.
    Layout activation_layout() const override { return Layout::channels_last; }

    void gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b, double beta,
              const Tensor& c) override;

    void conv_forward(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry,
                      const Tensor& y) override;
    void conv_backward_data(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry, const Tensor& dx) override;
    void conv_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry, const Tensor& dw,
                               const Tensor& dbias) override;

    /// Activations are channels-last. Max pooling in training returns the index of the maximal tap, r * window_w + s,
    /// for each element of y, in y's shape and layout; as uint8 if the window has at most 256 taps, else as int32.
    Tensor pool_forward(PoolKind kind, const Tensor& x, const PoolGeometry& geometry, const Tensor& y,
                        bool training) override;
    void pool_backward(PoolKind kind, const Tensor& dy, const Tensor& workspace, const PoolGeometry& geometry,
                       const Tensor& dx) override;

    /// Returns an undefined tensor: backward computes the ReLU's mask from y.
    Tensor batch_norm_forward(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& residual,
                              double epsilon, Activation activation, const Tensor& mean, const Tensor& variance,
                              const Tensor& y) override;
    void batch_norm_backward(const BatchNormSaved& saved, const Tensor& dy, const BatchNormGrads& grads) override;
    void batch_norm_apply(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& residual,
                          const Tensor& mean, const Tensor& variance, double epsilon, Activation activation,
                          const Tensor& y) override;
};

/// The only instance, which has no state.
Backend& reference_backend();

}  // namespace radial
