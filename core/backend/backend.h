// The primitives of a device, and settings that trade speed for full float32 precision or for reproducible runs. Ops
// check shapes and record the tape; a backend only computes.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <string>

namespace radial {

/// Geometry of a 2-D convolution of x [N, C, H, W] with weights [K, C/groups, R, S].
struct ConvGeometry {
    std::int64_t stride_h = 1, stride_w = 1;      ///< step of the window, in pixels
    std::int64_t pad_h = 0, pad_w = 0;            ///< zeros added on each side, in pixels
    std::int64_t dilation_h = 1, dilation_w = 1;  ///< distance between kernel elements, in pixels
    std::int64_t groups = 1;                      ///< groups of channels that are convolved separately
    friend bool operator==(const ConvGeometry&, const ConvGeometry&) = default;
};

/// Geometry of 2-D pooling. Padding counts as -inf for max pooling and is excluded from an average.
struct PoolGeometry {
    std::int64_t window_h = 2, window_w = 2;  ///< extent of the window, in pixels
    std::int64_t stride_h = 2, stride_w = 2;  ///< step of the window, in pixels
    std::int64_t pad_h = 0, pad_w = 0;        ///< padding on each side, in pixels
    friend bool operator==(const PoolGeometry&, const PoolGeometry&) = default;
};

/// Activation function that another op applies to its result in the same pass.
enum class Activation : std::uint8_t {
    none,        ///< identity
    relu,        ///< max(v, 0)
    silu,        ///< v * sigmoid(v)
    gelu,        ///< v * Phi(v), with the distribution function Phi of N(0, 1)
    relu6,       ///< min(max(v, 0), 6)
    hard_swish,  ///< v * min(max(v + 3, 0), 6) / 6
};

/// The value that pooling computes from each window.
enum class PoolKind : std::uint8_t {
    max,     ///< the maximum
    average  ///< the mean over the part inside the image
};

/// The tensors and options of the forward pass that batch_norm_backward() needs.
struct BatchNormSaved {
    Tensor x, scale, shift, mean, variance;  ///< passed to, or written by, batch_norm_forward()
    Tensor y;            ///< the result; undefined unless a ReLU was applied and there is no workspace
    Tensor workspace;    ///< what batch_norm_forward() returned
    double epsilon = 0;  ///< added to the variance
    Activation activation = Activation::none;  ///< applied to the result
};
/// The tensors that batch_norm_backward() writes.
struct BatchNormGrads {
    Tensor dx, dscale, dshift;  ///< gradients of x, scale and shift
    /// The gradient of the activation's input, which is also that of the residual (for a ReLU: dy where y > 0, 0
    /// elsewhere). Defined exactly when there was a residual and an activation. May be dy itself, which is then
    /// overwritten element by element.
    Tensor dresidual;
};

/// The primitives of one device for one floating-point type. All tensors are on that device and have the right shapes;
/// rank-4 activations are in activation_layout(), rank-4 weights in weight_layout(), all others are row-major. Tensors
/// have the backend's type, with these exceptions for bfloat16: the vectors of a batch norm are float32, and a bias,
/// its gradient and the c of gemm() may be float32. The caller allocates the outputs, which are overwritten entirely
/// unless stated otherwise.
class Backend {
public:
    Backend() = default;
    Backend(const Backend&) = delete;
    Backend& operator=(const Backend&) = delete;
    virtual ~Backend() = default;

    /// One line that describes the backend: "oneDNN 2.6.3 (AVX-512), own kernels for AVX-512".
    virtual std::string describe() const = 0;
    /// Whether the device multiplies numbers of this type in hardware. If not, the backend converts them to float32 and
    /// back, which is slower than computing in float32.
    virtual bool has_hardware_multiply() const { return true; }
    /// The layout that rank-4 activations must have.
    virtual Layout activation_layout() const = 0;
    /// The layout of weights [K, C/groups, R, S] and of their gradients. channels_last means KRSC.
    virtual Layout weight_layout() const { return Layout::row_major; }

    /// c = alpha * op(a) op(b) + beta * c, where op transposes its argument if the flag is set. c is [M, N].
    virtual void gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b, double beta,
                      const Tensor& c) = 0;

    /// y = x (*) w + bias, where (*) is cross-correlation. bias [K] may be undefined.
    virtual void conv_forward(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry,
                              const Tensor& y) = 0;
    /// y = activation(x (*) w + bias + residual) in one pass. bias and residual may be undefined. Returns false when
    /// the backend has no such pass or the pass may have lost a NaN; the contents of y are then unspecified.
    virtual bool conv_activated(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry,
                                const Tensor& residual, Activation activation, const Tensor& y);
    /// dx = the gradient of conv_forward() with respect to x.
    virtual void conv_backward_data(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry,
                                    const Tensor& dx) = 0;
    /// dw and dbias = the gradients of conv_forward() with respect to w and bias. dbias may be undefined.
    virtual void conv_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry,
                                       const Tensor& dw, const Tensor& dbias) = 0;

    /// Pools x into y. For max pooling with `training`, returns the positions of the maxima, which pool_backward()
    /// needs; otherwise, returns an undefined tensor.
    virtual Tensor pool_forward(PoolKind kind, const Tensor& x, const PoolGeometry& geometry, const Tensor& y,
                                bool training) = 0;
    /// dx = the gradient of pool_forward() with respect to x. `workspace` is what pool_forward() returned.
    virtual void pool_backward(PoolKind kind, const Tensor& dy, const Tensor& workspace, const PoolGeometry& geometry,
                               const Tensor& dx) = 0;

    /// y = x normalised by the batch's statistics over N, H, W, scaled by `scale` and shifted by `shift`; then
    /// `residual`, of y's shape and layout, is added if defined, and `activation` is applied to the sum. Writes the
    /// statistics to mean and variance (biased), both [C]. Returns what batch_norm_backward() needs besides the other
    /// tensors of BatchNormSaved; if undefined, the caller keeps y for backward when a ReLU was applied. The vectors
    /// [C] share one type, which may differ from that of x.
    virtual Tensor batch_norm_forward(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& residual,
                                      double epsilon, Activation activation, const Tensor& mean, const Tensor& variance,
                                      const Tensor& y) = 0;
    /// Whether the batch norm functions support this activation without a residual. Activation::none and
    /// Activation::relu are always supported.
    virtual bool norm_takes(Activation activation) const {
        return activation == Activation::none || activation == Activation::relu;
    }
    /// Computes the gradients of batch_norm_forward() from dy, the gradient of its result.
    virtual void batch_norm_backward(const BatchNormSaved& saved, const Tensor& dy, const BatchNormGrads& grads) = 0;
    /// Like batch_norm_forward(), but normalises by the given statistics (evaluation).
    virtual void batch_norm_apply(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& residual,
                                  const Tensor& mean, const Tensor& variance, double epsilon, Activation activation,
                                  const Tensor& y) = 0;

    /// gemm() for each pair of matrices of a [B, ., .] and b [B, ., .]; c is [B, M, N]. All have the backend's type.
    /// The default calls gemm() B times.
    virtual void batched_gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b,
                              double beta, const Tensor& c);
};

/// The backend of a device for a floating-point type: the vendor's libraries for float32 and bfloat16, and the plain
/// loops of reference/ for float64. Throws Error for a device that this build does not support ("no CUDA device: ...")
/// and for an integer type.
Backend& backend_for(Device device, DType dtype);

/// While the object exists, backend_for() returns the plain loops of reference/ on this thread, for every device and
/// type. This is how the fast backends are tested. Objects can be nested.
class UseReferenceBackend {
public:
    UseReferenceBackend();
    ~UseReferenceBackend();
    UseReferenceBackend(const UseReferenceBackend&) = delete;
    UseReferenceBackend& operator=(const UseReferenceBackend&) = delete;
};

/// The number of cores on which the threads of this process may run. A container or taskset can restrict it.
int available_cores();
/// Sets the number of threads that CPU ops use. 0 restores the default: every core that the process may run on.
void set_num_threads(int threads);
/// The number of threads that CPU ops use.
int num_threads();

/// Returns one line that describes the device for a program's log: device, library versions, instruction set and number
/// of threads.
std::string describe_device(Device device);

///@{
/// Whether float32 convolutions and matrix products on CUDA may round their inputs to TF32 (10 bits of mantissa instead
/// of 23), the format that tensor cores compute in. Off by default. No effect on the CPU or on other types.
bool allow_tf32();
void set_allow_tf32(bool on);
///@}

///@{
/// Whether the first convolution of each shape on CUDA times several algorithms and keeps the fastest. On by default.
/// When off, cuDNN's own first choice is used, so two runs use the same algorithms and add in the same order.
bool conv_search();
void set_conv_search(bool on);
///@}

}  // namespace radial
