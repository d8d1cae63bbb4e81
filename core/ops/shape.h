// Ops that rearrange elements.
//
// core/ops.h describes what all ops have in common.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <limits>
#include <vector>

namespace radial {

/// The same elements, in logical row-major order, with another shape. A view where the layout allows it, a copy
/// otherwise.
Tensor reshape(const Tensor& x, const Shape& shape);
/// Reshapes [N, ...] to [N, product of the other extents].
Tensor flatten(const Tensor& x);
/// The elements [begin, end) along `dim`. A view for dimension 0, a copy otherwise.
Tensor slice(const Tensor& x, int dim, std::int64_t begin, std::int64_t end);
/// The elements begin, begin + step, ... below `end` along `dim`, for step >= 1. Any type. Throws Error unless
/// 0 <= begin <= end <= the extent.
Tensor slice(const Tensor& x, int dim, std::int64_t begin, std::int64_t end, std::int64_t step);
/// The elements begin, begin + step, ... below `end` of one dimension, as begin:end:step in Python: negative bounds
/// count from the back, and bounds beyond the extent are clamped to it. `{}` is the whole dimension.
struct Slice {
    static constexpr std::int64_t all = std::numeric_limits<std::int64_t>::max();  ///< an end beyond any extent

    std::int64_t begin = 0;  ///< the first element
    std::int64_t end = all;  ///< one past the last
    std::int64_t step = 1;   ///< at least 1
};
/// The elements of `x` in a box: `slice(x, {{}, {1, -1}, {.step = 2}})` is x[:, 1:-1, ::2] in NumPy. Dimensions beyond
/// slices.size() are whole. Any type. Throws Error for more slices than dimensions and for a step below 1.
Tensor slice(const Tensor& x, const std::vector<Slice>& slices);
///@{
/// The transpose [N, M] of a matrix [M, N]; or `x`, of any rank, with dimensions dim0 and dim1 exchanged by permute().
Tensor transpose(const Tensor& x);
Tensor transpose(const Tensor& x, int dim0, int dim1);
///@}
/// The dimensions of `x` in another order: dimension d of the result is dimension order[d] of `x`. Any type. A view
/// where the result is dense in one of the layouts, as from row-major [N, H, W, C] to channels_last [N, C, H, W], a
/// copy otherwise. Throws Error unless `order` has each dimension once; negative numbers count from the back.
Tensor permute(const Tensor& x, const std::vector<int>& order);
/// Removes dimension `dim`. Any type. Throws Error unless its extent is 1.
Tensor squeeze(const Tensor& x, int dim);
/// Inserts a dimension of extent 1 before dimension `dim`; -1 appends it. Any type. Throws Error for a `dim` outside
/// [-rank - 1, rank].
Tensor unsqueeze(const Tensor& x, int dim);
/// The elements of `x` in reverse order along each of `dims` (numpy.flip). Any type. Throws Error for a dimension that
/// is out of range or named twice.
Tensor flip(const Tensor& x, const std::vector<int>& dims);
/// Moves the elements by shifts[i] along dims[i]; those that are moved past one end reappear at the other (numpy.roll).
/// Any type; shifts may have any value. Throws Error unless there is one shift for each of `dims`.
Tensor roll(const Tensor& x, const std::vector<std::int64_t>& shifts, const std::vector<int>& dims);
/// `x` broadcast to `shape` by NumPy's rules: extents of 1 and missing outer dimensions are repeated. A copy, unless
/// `shape` is that of `x` or adds only dimensions of extent 1 to it. Any type. The gradient is the sum over the
/// repeated elements. Throws Error when `x` does not broadcast to `shape`.
Tensor broadcast_to(const Tensor& x, const Shape& shape);
/// `x` repeated counts[d] times along dimension d (numpy.tile): the extents are those of `x` times the counts. If there
/// are more counts than dimensions, dimensions are added in front; if there are fewer, the first dimensions stay as
/// they are. Any type. The gradient is the sum over the copies.
Tensor repeat(const Tensor& x, const std::vector<std::int64_t>& counts);

/// The values of the elements that pad() adds. The examples show [a b c] with two elements added on either side:
enum class PadMode : std::uint8_t {
    constant,   ///< PadOptions::value
    reflect,    ///< c b | a b c | b a: mirrored at the first and last element; needs padding below the extent
    replicate,  ///< a a | a b c | c c: the nearest element
    circular    ///< b c | a b c | a b: the tensor repeated
};
/// The number of elements that pad() adds along one dimension.
struct Padding {
    std::int64_t before = 0;  ///< in front of the first
    std::int64_t after = 0;   ///< behind the last
};
/// How pad() pads.
struct PadOptions {
    PadMode mode = PadMode::constant;  ///< the values of the added elements
    double value = 0;                  ///< for PadMode::constant
};
/// `x` with elements added at the ends of its dimensions, such as `pad(images, {{}, {}, {1, 1}, {2, 2}})`. `padding`
/// has one entry for each dimension. Any type. The gradient of an element is the sum of the gradients of its copies.
/// Throws Error for another number of entries, for negative padding, for padding that PadMode::reflect cannot fill, and
/// for padding an empty dimension with anything but a constant.
Tensor pad(const Tensor& x, const std::vector<Padding>& padding, const PadOptions& options = {});

/// The elements of each matrix of x [..., M, N] on and below the diagonal `diagonal` (those with column - row <=
/// diagonal), and 0 elsewhere. Any type.
Tensor tril(const Tensor& x, std::int64_t diagonal = 0);
/// The elements of each matrix of x [..., M, N] on and above the diagonal `diagonal`, and 0 elsewhere. Any type.
Tensor triu(const Tensor& x, std::int64_t diagonal = 0);
/// The elements of `x` whose index in `dim1` is `offset` larger than that in `dim0`. The two dimensions are removed,
/// and the diagonal becomes the last one (numpy.diagonal). Any type. Throws Error when the dimensions are equal.
Tensor diagonal(const Tensor& x, std::int64_t offset = 0, int dim0 = 0, int dim1 = 1);
/// The square matrix with the elements of x [N] on the diagonal `offset` and 0 elsewhere; or the diagonal of a matrix
/// (numpy.diag). Any type.
Tensor diag(const Tensor& x, std::int64_t offset = 0);

/// Concatenates tensors along `dim`. The other extents must be equal.
Tensor concat(const std::vector<Tensor>& parts, int dim);
/// Joins tensors of one shape along a new dimension `dim`, which is at most the rank of the parts; negative numbers
/// count from the back of the result.
Tensor stack(const std::vector<Tensor>& parts, int dim);
/// The consecutive slices of `x` along `dim` with extents `sizes`. Throws Error unless the sizes add up to the extent.
std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& sizes, int dim);
/// Divides `x` along `dim` into slices of extent ceil(extent / count), except that the last may be smaller. There may
/// be fewer than `count` of them (torch.chunk).
std::vector<Tensor> chunk(const Tensor& x, std::int64_t count, int dim);
/// The coordinates of the grid that the vectors (rank 1) span: result i has the shape [n_0, n_1, ...], and its element
/// at [k_0, k_1, ...] is vectors[i][k_i] (numpy.meshgrid with indexing="ij").
std::vector<Tensor> meshgrid(const std::vector<Tensor>& vectors);
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
