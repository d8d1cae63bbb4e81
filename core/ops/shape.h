// Ops that rearrange elements.
//
// What holds for every op stands in core/ops.h.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <vector>

namespace radial {

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
/// The adjoint of pick: a matrix [N, columns] of zeros but for values[i] at (i, index[i]). values [N], index int64 [N].
Tensor place(const Tensor& values, const Tensor& index, std::int64_t columns);
/// The sum of the rows of x [N, ...] that have each label: [classes, ...]. labels int64 [N] in [0, classes). The
/// adjoint of gather_rows.
Tensor class_sums(const Tensor& x, const Tensor& labels, std::int64_t classes);

}  // namespace radial
