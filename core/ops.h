// All general differentiable ops: free functions that compute tensors from tensors and are recorded on the tape.
//
// Shapes are logical; x is [N, C, H, W] for ops that refer to channels. Every op accepts float32 and float64 in either
// layout, requires all its tensors to have one dtype and device, and throws Error, naming the op and the shapes, when
// they do not fit. Results have the dtype and device of the inputs. Elementwise ops, activations, reductions and shape
// ops also accept bfloat16; they compute in float32 (sums in float64) and round the result.
//
// The fused ops of losses are in losses/functional.h.
#pragma once

#include "radial/core/autograd/autograd.h"
#include "radial/core/backend/backend.h"
#include "radial/core/tensor/random.h"
#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <vector>

namespace radial {

// Elementwise arithmetic and elementary functions. Two tensors are broadcast as in NumPy: trailing dimensions are
// aligned, and an extent of 1 is repeated.

///@{
/// Sum, difference, product and quotient.
Tensor add(const Tensor& a, const Tensor& b);
Tensor sub(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, const Tensor& b);
Tensor div(const Tensor& a, const Tensor& b);
Tensor add(const Tensor& a, double b);
Tensor mul(const Tensor& a, double b);
///@}
///@{
/// Each element divided by a number, or a number divided by each element.
Tensor div(const Tensor& a, double b);
Tensor div(double a, const Tensor& b);
///@}
///@{
/// The ops above as operators, and negation.
inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator+(const Tensor& a, double b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, double b) { return add(a, -b); }
inline Tensor operator*(const Tensor& a, double b) { return mul(a, b); }
inline Tensor operator*(double a, const Tensor& b) { return mul(b, a); }
inline Tensor operator-(const Tensor& a) { return mul(a, -1.0); }
inline Tensor operator+(double a, const Tensor& b) { return add(b, a); }
inline Tensor operator-(double a, const Tensor& b) { return add(mul(b, -1.0), a); }
inline Tensor operator/(const Tensor& a, double b) { return div(a, b); }
inline Tensor operator/(double a, const Tensor& b) { return div(a, b); }
///@}
///@{
/// a += b means a = a + b, recorded on the tape: the handle `a` refers to new elements, and other handles keep the old
/// ones. B is a Tensor or a number.
template <class B>
Tensor& operator+=(Tensor& a, const B& b) {
    return a = a + b;
}
template <class B>
Tensor& operator-=(Tensor& a, const B& b) {
    return a = a - b;
}
template <class B>
Tensor& operator*=(Tensor& a, const B& b) {
    return a = a * b;
}
template <class B>
Tensor& operator/=(Tensor& a, const B& b) {
    return a = a / b;
}
///@}

/// Limits each element to [low, high]; either bound may be infinite. NaN stays NaN. The gradient is dy inside the
/// interval, and 0 outside and at the bounds. Throws Error unless low <= high.
Tensor clamp(const Tensor& x, double low, double high);
/// Exponential function.
Tensor exp(const Tensor& x);
/// Natural logarithm.
Tensor log(const Tensor& x);
/// Square root.
Tensor sqrt(const Tensor& x);
/// x * x.
Tensor square(const Tensor& x);
/// Converts x to `dtype` (float32, float64 or bfloat16), rounding to nearest, ties to even. Returns x itself when it
/// already has that type. The gradient is converted back to x's dtype. Throws Error for an integer x or `dtype`.
Tensor cast(const Tensor& x, DType dtype);
/// The cumulative distribution function of the standard normal distribution: (1 + erf(x / sqrt 2)) / 2.
Tensor normal_cdf(const Tensor& x);
/// log(1 + exp(x)), without overflow.
Tensor softplus(const Tensor& x);

// Activation functions and dropout.

/// max(x, 0). Computed in place when `x` is a temporary that nothing else reads.
Tensor relu(Tensor x);
/// x where x > 0, slope * x elsewhere. slope is [C] (one per channel, dimension 1) or [1], in x's dtype, or float32
/// with a bfloat16 x. Computed in place when `x` is a float32 or float64 temporary on the CPU that nothing else reads
/// and all slopes are above 1e-3, so that backward can recover x from the result.
Tensor prelu(Tensor x, const Tensor& slope);
/// x * sigmoid(x).
Tensor silu(const Tensor& x);
/// 1 / (1 + exp(-x)).
Tensor sigmoid(const Tensor& x);
/// Hyperbolic tangent.
Tensor tanh(const Tensor& x);
/// Zeroes each element with probability p, in [0, 1), and divides the others by 1 - p. Draws numel() numbers from
/// `generator`.
Tensor dropout(const Tensor& x, double p, Generator& generator);

// Matrix products, and distances, cosines and lengths of rows.

/// op(a) op(b) of two matrices, where op transposes its argument if the flag is set.
Tensor matmul(const Tensor& a, const Tensor& b, bool transpose_a = false, bool transpose_b = false);
/// x weight^T + bias: x [N, D], weight [K, D], bias [K] or undefined; the result is [N, K].
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

/// |x_i - w_j|^2 for all rows of x [N, D] and w [C, D]: [N, C], never negative. x and w may be the same tensor.
Tensor squared_distances(const Tensor& x, const Tensor& w);
/// x_i . w_j / (|x_i| |w_j|) for all rows of x [N, D] and w [C, D]: [N, C]. 0 for a zero row, which gets no gradient.
Tensor cosines(const Tensor& x, const Tensor& w);
/// Euclidean length of each row of x [N, D]: [N]. The gradient of a zero row is 0.
Tensor row_norms(const Tensor& x);
/// The rows of x [N, D] divided by their lengths. A zero row is left unchanged and gets no gradient.
Tensor unit_rows(const Tensor& x);
/// |x_i - w_j| for all rows of x [N, D] and w [M, D]: [N, M]. Computed from the differences, so distances of close
/// points are accurate. Meant for pairs in a batch; use squared_distances() for many classes. Where two points coincide
/// the gradient is 0.
Tensor distances(const Tensor& x, const Tensor& w);

// 2-D convolution, pooling over height and width, whose output extents are rounded down, and scaling of channels.

/// Cross-correlation of x [N, C, H, W] with weight [K, C/groups, R, S], plus bias [K] (may be undefined): [N, K, H',
/// W'].
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const ConvGeometry& geometry = {});
/// activation(conv2d(...) + residual), for evaluation; in one pass where the device supports it. `residual` has the
/// shape of the result or is undefined. Throws Error when a gradient would be needed.
Tensor conv2d_activated(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvGeometry& geometry,
                        Activation activation, const Tensor& residual = {});

/// Multiplies each channel of each image of x [N, C, H, W] by a factor: scale is [N, C], or [N, 1] for one factor per
/// image. Computed in place when `x` is a temporary that nothing else reads and `scale` needs no gradient.
Tensor scale_channels(Tensor x, const Tensor& scale);

/// The maximum of each window of x [N, C, H, W]. Padding never wins.
Tensor max_pool2d(const Tensor& x, const PoolGeometry& geometry = {});
/// The mean over the part of each window of x [N, C, H, W] that lies inside the image.
Tensor avg_pool2d(const Tensor& x, const PoolGeometry& geometry = {});
/// The mean of x [N, C, H, W] over H and W: [N, C].
Tensor global_avg_pool(const Tensor& x);

// Batch normalisation.

/// Options of batch_norm().
struct BatchNormOptions {
    double momentum = 0.1;  ///< weight of the new batch in the running statistics
    double epsilon = 1e-5;  ///< added to the variance
    bool training = true;   ///< use the batch's statistics and update the running ones, or use the running ones
    Activation activation = Activation::none;  ///< applied in the same pass, after the residual
};
/// Batch normalisation of x [N, C, H, W] or [N, C] over all dimensions but C (Ioffe & Szegedy 2015). scale, shift,
/// running_mean and running_variance are [C]. In training the running statistics are updated in place, with the
/// unbiased variance, as in PyTorch. A `residual` of x's shape is added to the result before the activation, which
/// computes the end of a residual block in one op. Throws Error when training on a single value per channel.
Tensor batch_norm(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& running_mean,
                  const Tensor& running_variance, const BatchNormOptions& options = {}, const Tensor& residual = {});

// Sums, means, maxima, counts, and logarithms of sums of exponentials.

/// The sum over `dims` (all if empty; negative numbers count from the back). The dimensions are removed, or kept with
/// extent 1 if `keep_dims` is set.
Tensor sum(const Tensor& x, const std::vector<int>& dims = {}, bool keep_dims = false);
/// The mean over `dims`, with the arguments of sum().
Tensor mean(const Tensor& x, const std::vector<int>& dims = {}, bool keep_dims = false);
/// The largest elements along `dim`, which is removed. The gradient goes to the first of equal elements.
Tensor max(const Tensor& x, int dim);
/// The median of x [N], N > 0; for an even number of elements the smaller of the two in the middle. NaN when any
/// element is NaN. The result is [1]. Not differentiable.
Tensor median(const Tensor& x);
/// The index (int64) of the first largest element in each row of x [N, C]: [N]. Not differentiable.
Tensor argmax(const Tensor& x);
/// The number of positions where `a` and `b` are equal, as a float64 scalar on their device. Throws Error unless both
/// are int64 of one shape on one device. Not differentiable.
Tensor count_equal(const Tensor& a, const Tensor& b);

/// log(softmax(x)) over the last dimension of x [N, C].
Tensor log_softmax(const Tensor& x);
/// log(sum(exp(x))) over the last dimension, which is removed. The maximum is subtracted first, so exp does not
/// overflow. -inf where all elements are -inf; elements that are -inf get no gradient. float32 or float64.
Tensor log_sum_exp(const Tensor& x);

// Ops that rearrange elements.

/// The same elements, in logical row-major order, with another shape. A view where the layout allows it, a copy
/// otherwise.
Tensor reshape(const Tensor& x, const Shape& shape);
/// Reshapes [N, ...] to [N, product of the other extents].
Tensor flatten(const Tensor& x);
/// The elements [begin, end) along `dim`. A view for dimension 0, a copy otherwise.
Tensor slice(const Tensor& x, int dim, std::int64_t begin, std::int64_t end);
/// The transpose [N, M] of a matrix [M, N].
Tensor transpose(const Tensor& x);
/// Concatenates tensors along `dim`. The other extents must be equal.
Tensor concat(const std::vector<Tensor>& parts, int dim);
/// The rows index[0], index[1], ... of x [N, ...]: [M, ...]. index is int64 [M]. Gradients of repeated rows are added.
Tensor gather_rows(const Tensor& x, const Tensor& index);
/// The elements x[i, index[i]] of x [N, C]: [N]. index is int64 [N].
Tensor pick(const Tensor& x, const Tensor& index);
/// The adjoint of pick(): a matrix [N, columns] with values[i] at (i, index[i]) and zeros elsewhere. values is [N],
/// index int64 [N].
Tensor place(const Tensor& values, const Tensor& index, std::int64_t columns);
/// The sums of the rows of x [N, ...] with each label: [classes, ...]. labels is int64 [N] with values in [0, classes).
/// The adjoint of gather_rows().
Tensor class_sums(const Tensor& x, const Tensor& labels, std::int64_t classes);

}  // namespace radial
