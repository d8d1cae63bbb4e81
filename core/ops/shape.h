// Ops that rearrange elements.
//
// core/ops.h describes what all ops have in common.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <vector>

namespace radial {

/// The same elements, in logical row-major order, with another shape. A view where the layout allows it, a copy
/// otherwise.
Tensor reshape(const Tensor& x, const Shape& shape);
/// Reshapes [N, ...] to [N, product of the other extents].
Tensor flatten(const Tensor& x);
/// The elements [begin, end) along `dim`. A view for dimension 0, a copy otherwise.
Tensor slice(const Tensor& x, int dim, std::int64_t begin, std::int64_t end);
///@{
/// The transpose [N, M] of a matrix [M, N]; or `x`, of any rank, with two dimensions exchanged, as permute() does it.
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
