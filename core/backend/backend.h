// Tier 1: the vendor primitives that a device offers. Ops check shapes and keep the tape; a backend only computes.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <string>

namespace radial {

/// Geometry of a 2-D convolution over [N, C, H, W] with weights [K, C/groups, R, S].
struct ConvGeometry {
    std::int64_t stride_h = 1, stride_w = 1;
    std::int64_t pad_h = 0, pad_w = 0;
    std::int64_t dilation_h = 1, dilation_w = 1;
    std::int64_t groups = 1;
    friend bool operator==(const ConvGeometry&, const ConvGeometry&) = default;
};

/// Geometry of a 2-D pooling window. Padding counts as -inf for max and is left out of an average.
struct PoolGeometry {
    std::int64_t window_h = 2, window_w = 2;
    std::int64_t stride_h = 2, stride_w = 2;
    std::int64_t pad_h = 0, pad_w = 0;
    friend bool operator==(const PoolGeometry&, const PoolGeometry&) = default;
};

/// What may follow in the same pass as another op.
enum class Activation : std::uint8_t {
    none,
    relu,  ///< max(v, 0)
    silu,  ///< v * sigmoid(v)
};

enum class PoolKind : std::uint8_t { max, average };

/// What batch_norm_forward leaves for batch_norm_backward.
struct BatchNormSaved {
    Tensor x, scale, shift, mean, variance;  ///< as the forward call had or wrote them
    Tensor y;                                ///< its result; undefined unless clamped by a ReLU and without a workspace
    Tensor workspace;                        ///< what the forward call returned
    double epsilon = 0;
    Activation activation = Activation::none;
};
/// Where batch_norm_backward writes.
struct BatchNormGrads {
    Tensor dx, dscale, dshift;
    /// The gradient behind the activation (for a ReLU dy where y > 0 and 0 elsewhere), which is the residual's. Defined
    /// exactly where there was a residual and an activation; may be dy itself, written element by element.
    Tensor dresidual;
};

/// What one device does with one floating type. All tensors are on that device, already of the right shapes;
/// rank-4 activations are in activation_layout(), rank-4 weights in weight_layout(), all else is row-major.
/// Tensors have the backend's type, except that in bfloat16 all vectors of a batch norm are float32, and a bias, its
/// gradient and c of a gemm may be.
/// Outputs are allocated by the caller and overwritten entirely unless said otherwise.
class Backend {
public:
    Backend() = default;
    Backend(const Backend&) = delete;
    Backend& operator=(const Backend&) = delete;
    virtual ~Backend() = default;

    /// One line for a program's head: "CPU: oneDNN 2.6.3 (AVX-512), 2 threads".
    virtual std::string describe() const = 0;
    virtual Layout activation_layout() const = 0;
    /// How weights [K, C/groups, R, S] and their gradients lie in memory: channels_last means KRSC.
    virtual Layout weight_layout() const { return Layout::row_major; }

    /// c = alpha * op(a) op(b) + beta * c, with op a transpose where flagged; c [M, N].
    virtual void gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b, double beta,
                      const Tensor& c) = 0;

    /// y = x (*) w + bias; bias [K] may be undefined.
    virtual void conv_forward(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry,
                              const Tensor& y) = 0;
    /// y = activation(x (*) w + bias + residual) in one pass; bias and residual may be undefined. False, with y not
    /// written, where the backend has no such pass.
    virtual bool conv_activated(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry,
                                const Tensor& residual, Activation activation, const Tensor& y);
    virtual void conv_backward_data(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry,
                                    const Tensor& dx) = 0;
    /// dbias may be undefined.
    virtual void conv_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry,
                                       const Tensor& dw, const Tensor& dbias) = 0;

    /// Returns what pool_backward wants besides the gradient (the winners of a max), undefined for an average.
    virtual Tensor pool_forward(PoolKind kind, const Tensor& x, const PoolGeometry& geometry, const Tensor& y,
                                bool training) = 0;
    virtual void pool_backward(PoolKind kind, const Tensor& dy, const Tensor& workspace, const PoolGeometry& geometry,
                               const Tensor& dx) = 0;

    /// y = x normalised by the batch's statistics over N, H, W, which it writes to mean and variance (biased) [C];
    /// then `residual`, of y's shape and layout, is added where it is defined, and `activation` applied to the sum.
    /// Returns what batch_norm_backward wants besides BatchNormSaved's other tensors; undefined where that is nothing,
    /// and then a clamped y is kept for it. The vectors [C] share a type, which need not be x's.
    virtual Tensor batch_norm_forward(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& residual,
                                      double epsilon, Activation activation, const Tensor& mean, const Tensor& variance,
                                      const Tensor& y) = 0;
    /// Whether the batch norm's methods take this activation, without a residual; a ReLU and none they always do.
    virtual bool norm_takes(Activation activation) const { return activation != Activation::silu; }
    virtual void batch_norm_backward(const BatchNormSaved& saved, const Tensor& dy, const BatchNormGrads& grads) = 0;
    /// Normalises by the given statistics (evaluation), adds and activates likewise.
    virtual void batch_norm_apply(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& residual,
                                  const Tensor& mean, const Tensor& variance, double epsilon, Activation activation,
                                  const Tensor& y) = 0;
};

/// The backend of a device for a floating type: the vendor's for float32 and bfloat16 (on the CPU bfloat16 is converted
/// to float32 and back: for tests, not for speed), the plain loops of ref/ for float64.
/// Throws Error for a device that this build lacks ("no CUDA device: ...") and for an integer type.
Backend& backend_for(Device device, DType dtype);

/// Makes float32 on the CPU use the plain loops of ref/ while it lives: how the fast path is checked.
class UseReferenceBackend {
public:
    UseReferenceBackend();
    ~UseReferenceBackend();
    UseReferenceBackend(const UseReferenceBackend&) = delete;
    UseReferenceBackend& operator=(const UseReferenceBackend&) = delete;
};

/// Threads that CPU ops use. 0 restores the default: every core the process may run on.
void set_num_threads(int threads);
int num_threads();

/// What a program should print first: device, library versions and instruction set, threads. One line each.
std::string describe_device(Device device);

}  // namespace radial
