// Every differentiable op: the catalogue. Free functions from tensors to tensors, recorded on the tape.
//
// Shapes are logical; x is [N, C, H, W] where an op speaks of channels. Every op accepts float32 and float64 in
// either layout, takes all its tensors in one dtype on one device, and throws Error, naming itself and the shapes,
// when they do not fit. Results have the inputs' dtype and device. Elementwise ops, activations, reductions and shape
// ops accept bfloat16 too; they compute in float32 (sums in float64) and round the result.
#pragma once

#include "radial/core/autograd.h"
#include "radial/core/backend.h"
#include "radial/core/random.h"
#include "radial/core/tensor.h"

#include <cstdint>
#include <vector>

namespace radial {

// ---- elementwise; two tensors broadcast as in NumPy (trailing dimensions aligned, 1 stretches) ----

Tensor add(const Tensor& a, const Tensor& b);
Tensor sub(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, const Tensor& b);
Tensor div(const Tensor& a, const Tensor& b);
Tensor add(const Tensor& a, double b);
Tensor mul(const Tensor& a, double b);
inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator+(const Tensor& a, double b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, double b) { return add(a, -b); }
inline Tensor operator*(const Tensor& a, double b) { return mul(a, b); }
inline Tensor operator*(double a, const Tensor& b) { return mul(b, a); }
inline Tensor operator-(const Tensor& a) { return mul(a, -1.0); }

Tensor exp(const Tensor& x);
/// Natural logarithm.
Tensor log(const Tensor& x);
Tensor sqrt(const Tensor& x);
Tensor square(const Tensor& x);
/// x as `dtype` (float32, float64 or bfloat16), rounded to nearest, ties to even; x itself where it is so already. The
/// gradient comes back as x's dtype. Throws Error for an integer x or `dtype`.
Tensor cast(const Tensor& x, DType dtype);

// ---- activations ----

/// max(x, 0). Works in place when `x` is a temporary that nothing else reads.
Tensor relu(Tensor x);
/// x where x > 0, slope * x elsewhere. slope: [C] (one a channel, dimension 1) or [1], in x's dtype, or float32 beside
/// a bfloat16 x. Works in place when `x` is a float32 or float64 temporary on the CPU that nothing else reads and every
/// slope is positive, so that backward can tell x from the result.
Tensor prelu(Tensor x, const Tensor& slope);
/// x * sigmoid(x).
Tensor silu(const Tensor& x);
Tensor sigmoid(const Tensor& x);
Tensor tanh(const Tensor& x);
/// Zeroes each element with probability p and divides the rest by 1 - p. p in [0, 1).
Tensor dropout(const Tensor& x, double p, Generator& generator);

// ---- reductions ----

/// Sum over `dims` (all when empty; negative counts from the back); kept as extent 1 when `keep_dims`.
Tensor sum(const Tensor& x, const std::vector<int>& dims = {}, bool keep_dims = false);
/// Mean over `dims`, as sum().
Tensor mean(const Tensor& x, const std::vector<int>& dims = {}, bool keep_dims = false);
/// Largest element along `dim`; the gradient goes to the first of equals. Removes the dimension.
Tensor max(const Tensor& x, int dim);
/// Index (int64) of the first largest element along the last dimension of [N, C]: [N]. Not differentiable.
Tensor argmax(const Tensor& x);

// ---- shape ----

/// Same elements in row-major order as `shape`. A view where the layout allows.
Tensor reshape(const Tensor& x, const Shape& shape);
/// [N, ...] to [N, product of the rest].
Tensor flatten(const Tensor& x);
/// Elements [begin, end) along `dim`. A view along dimension 0 of a tensor, a copy otherwise.
Tensor slice(const Tensor& x, int dim, std::int64_t begin, std::int64_t end);
/// Swaps the dimensions of a matrix [M, N].
Tensor transpose(const Tensor& x);
/// Joins tensors along `dim`; the other extents agree.
Tensor concat(const std::vector<Tensor>& parts, int dim);
/// Rows `index` (int64 [M]) of x [N, ...]: [M, ...]. Gradients of repeated rows add up.
Tensor gather_rows(const Tensor& x, const Tensor& index);
/// x[i, index[i]] of x [N, C], index int64 [N]: [N].
Tensor pick(const Tensor& x, const Tensor& index);

// ---- products ----

/// op(a) op(b) of two matrices, each transposed where flagged.
Tensor matmul(const Tensor& a, const Tensor& b, bool transpose_a = false, bool transpose_b = false);
/// x [N, D] weight^T [D, K] + bias [K] (may be undefined): [N, K].
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});
/// Cross-correlation of x [N, C, H, W] with weight [K, C/groups, R, S], plus bias [K] (may be undefined).
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const ConvGeometry& geometry = {});

// ---- pooling over H and W; output extents round down ----

Tensor max_pool2d(const Tensor& x, const PoolGeometry& geometry = {});
/// The mean over the part of each window that lies inside the image.
Tensor avg_pool2d(const Tensor& x, const PoolGeometry& geometry = {});
/// The mean over all of H and W: [N, C].
Tensor global_avg_pool(const Tensor& x);

// ---- normalisation ----

struct BatchNormOptions {
    double momentum = 0.1;  ///< weight of the new batch in the running statistics
    double epsilon = 1e-5;  ///< added to the variance
    bool training = true;   ///< batch statistics (and running ones updated) or the running ones
    bool relu = false;      ///< clamp at 0 in the same pass, after the residual
};
/// Batch normalisation over N, H, W (Ioffe & Szegedy 2015). scale, shift, running_mean, running_variance: [C];
/// the running statistics are updated in place when training, the variance unbiased, as PyTorch does.
/// A `residual` of x's shape is added to the result before `relu` clamps it: how a residual block ends, in one op.
/// Also takes x [N, C]. Throws Error when training on a single value a channel.
Tensor batch_norm(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& running_mean,
                  const Tensor& running_variance, const BatchNormOptions& options = {}, const Tensor& residual = {});

// ---- softmax and fused loss heads ----
//
// Labels are int64 [N] with values in [0, C). On the CPU another value is an Error at once; on a CUDA device that
// sample's loss is NaN, its gradient 0, and the Error comes from the next synchronize(). The heads take bfloat16
// features beside float32 weights, and then compute and return float32.

/// log(softmax(x)) over the last dimension of [N, C].
Tensor log_softmax(const Tensor& x);
/// Mean of -log softmax(logits)[label] over the batch. `smoothing` spreads that much of the target evenly over all
/// classes (Szegedy 2016). Throws Error when a label is out of range. Scalar.
Tensor cross_entropy(const Tensor& logits, const Tensor& labels, double smoothing = 0.0);

/// Softmax cross-entropy of x W^T + b in one op: feature [N, D], weight [C, D], bias [C] or undefined. Scalar.
Tensor softmax_loss(const Tensor& feature, const Tensor& weight, const Tensor& bias, const Tensor& labels);

/// What rbf_softmax_loss measured besides its value: scalars on the feature's device, without history.
struct RbfStatistics {
    Tensor mean_kernel;    ///< mean over the batch of K(x_i, W_{y_i}), in [0, 1]
    Tensor mean_distance;  ///< mean over the batch of |x_i - W_{y_i}|^2
};
/// RBF-Softmax (Zhang et al. 2020, Eq. 4): mean cross-entropy of the logits s * exp(-|x - W_j|^2 / gamma).
/// feature [N, D], prototypes [C, D]. Keeps one [N, C] buffer; no [N, C, D] tensor. Gradients as Eq. 5 and 6 with the
/// factor -1/gamma that the paper leaves out. `statistics` may be null. Scalar.
Tensor rbf_softmax_loss(const Tensor& feature, const Tensor& prototypes, const Tensor& labels, double scale,
                        double gamma, RbfStatistics* statistics = nullptr);
/// The logits s * exp(-|x - W_j|^2 / gamma): [N, C]. Differentiable.
Tensor rbf_logits(const Tensor& feature, const Tensor& prototypes, double scale, double gamma);

}  // namespace radial
