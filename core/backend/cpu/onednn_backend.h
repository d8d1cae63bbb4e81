// The CPU backends, which use oneDNN and our own kernels: one for float32, with channels-last activations and cached
// copies of packed weights, and one for bfloat16, which computes in float32 unless the processor multiplies bfloat16.
#pragma once

#include "radial/core/backend/backend.h"

#include <vector>

namespace radial {

/// Writes the mean and the biased variance of each channel of x [N, C, H, W], channels-last, float32 or bfloat16, to
/// float32 vectors [C].
void channel_statistics(const Tensor& x, const Tensor& mean, const Tensor& variance);

/// The coefficients, one per channel, of the gradient dx of the input of a batch norm that is followed by a ReLU. Where
/// (x - mean) * factor + shift is positive, dx = a * dy + (b * (x - mean) + c), where dy is the gradient of the ReLU's
/// result; elsewhere, dx = b * (x - mean) + c.
struct ReluNormGradient {
    std::vector<float> mean, factor, shift, a, b, c;
};
/// Computes the coefficients for x and dy that are both float32 or both bfloat16. Also writes dscale and dshift.
ReluNormGradient relu_norm_gradient(const BatchNormSaved& saved, const Tensor& dy, const Tensor& dscale,
                                    const Tensor& dshift);

/// Writes the sum over each channel of x [N, C, H, W], channels-last, to a vector [C]. Both are float32.
void channel_sums(const Tensor& x, const Tensor& sums);

/// Whether oneDNN uses AVX-512. Without AVX-512, oneDNN 2.6 adds a second tensor to a convolution's result incorrectly.
bool has_avx512();

/// Whether the processor multiplies bfloat16 (AVX512_BF16 or AMX) and oneDNN may use it.
bool has_bf16();

/// Returns x in float32, or an undefined tensor if x is undefined.
inline Tensor widened(const Tensor& x) { return x.defined() ? x.to(DType::float32) : x; }

/// Provides a float32 tensor to write to instead of `target`: `target` itself if it is float32, else a new one that
/// finish() copies to `target`.
class Rounded {
public:
    explicit Rounded(const Tensor& target) : target_(target), wide_(target) {
        if (target.defined() && target.dtype() != DType::float32)
            wide_ = Tensor::empty(target.shape(), DType::float32, target.device(), target.layout());
    }
    Rounded(const Rounded&) = delete;
    Rounded& operator=(const Rounded&) = delete;
    ~Rounded() = default;

    const Tensor& wide() const { return wide_; }
    /// Rounds the result to the type of `target`.
    void finish() const {
        if (target_.defined() && target_.dtype() != DType::float32) target_.copy_(wide_);
    }

private:
    Tensor target_, wide_;
};

/// Float32, with oneDNN and our own kernels. The functions for batch norms also accept bfloat16.
class OneDnnBackend : public Backend {
public:
    std::string describe() const override;
    Layout activation_layout() const override { return Layout::channels_last; }

    void gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b, double beta,
              const Tensor& c) override;
    /// Multiplies several pairs at the same time, each on one thread, unless they are few and large.
    void batched_gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b, double beta,
                      const Tensor& c) override;

    void conv_forward(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry,
                      const Tensor& y) override;
    bool conv_activated(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry,
                        const Tensor& residual, Activation activation, const Tensor& y) override;
    void conv_backward_data(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry, const Tensor& dx) override;
    void conv_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry, const Tensor& dw,
                               const Tensor& dbias) override;

    Tensor pool_forward(PoolKind kind, const Tensor& x, const PoolGeometry& geometry, const Tensor& y,
                        bool training) override;
    void pool_backward(PoolKind kind, const Tensor& dy, const Tensor& workspace, const PoolGeometry& geometry,
                       const Tensor& dx) override;

    Tensor batch_norm_forward(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& residual,
                              double epsilon, Activation activation, const Tensor& mean, const Tensor& variance,
                              const Tensor& y) override;
    bool norm_takes(Activation) const override { return true; }
    void batch_norm_backward(const BatchNormSaved& saved, const Tensor& dy, const BatchNormGrads& grads) override;
    void batch_norm_apply(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& residual,
                          const Tensor& mean, const Tensor& variance, double epsilon, Activation activation,
                          const Tensor& y) override;
};

/// Bfloat16. If the processor multiplies bfloat16 (has_bf16()), convolutions and matrix products use oneDNN's bfloat16
/// kernels, with float32 sums. Batch norms read and write bfloat16 and compute in float32. The other functions convert
/// their arguments to float32, call the float32 function, and round the results.
class Bf16Backend : public OneDnnBackend {
public:
    bool has_hardware_multiply() const override { return has_bf16(); }

    void gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b, double beta,
              const Tensor& c) override;
    void batched_gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b, double beta,
                      const Tensor& c) override;

    void conv_forward(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry,
                      const Tensor& y) override;
    bool conv_activated(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry,
                        const Tensor& residual, Activation activation, const Tensor& y) override;
    void conv_backward_data(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry, const Tensor& dx) override;
    void conv_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry, const Tensor& dw,
                               const Tensor& dbias) override;

    Tensor pool_forward(PoolKind kind, const Tensor& x, const PoolGeometry& geometry, const Tensor& y,
                        bool training) override;
    void pool_backward(PoolKind kind, const Tensor& dy, const Tensor& workspace, const PoolGeometry& geometry,
                       const Tensor& dx) override;
};

}  // namespace radial
