// Matrix products, and distances, cosines and lengths of rows.
//
// core/ops.h describes what all ops have in common.
#pragma once

#include "radial/core/tensor/tensor.h"

namespace radial {

/// The product op(a) op(b) of two matrices, where op transposes its argument if the flag of that argument is set.
Tensor matmul(const Tensor& a, const Tensor& b, bool transpose_a = false, bool transpose_b = false);
/// The products op(a) op(b) of two batches of matrices: a [..., M, K], b [..., K, N], with the last two extents swapped
/// where a flag transposes them; the result is [..., M, N]. The other extents are broadcast as in NumPy, so b may be a
/// single matrix. Throws Error when extents, dtypes or devices do not fit.
Tensor bmm(const Tensor& a, const Tensor& b, bool transpose_a = false, bool transpose_b = false);
/// x weight^T + bias: x [..., D], weight [K, D], bias [K] or undefined; the result is [..., K].
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

/// |x_i - w_j|^2 for all rows of x [N, D] and w [C, D]: [N, C], never negative. x and w may be the same tensor.
Tensor squared_distances(const Tensor& x, const Tensor& w);
/// x_i . w_j / (|x_i| |w_j|) for all rows of x [N, D] and w [C, D]: [N, C]. The cosines of a zero row are 0, and it
/// gets no gradient.
Tensor cosines(const Tensor& x, const Tensor& w);
/// Euclidean length of each row of x [N, D]: [N]. The gradient of a zero row is 0.
Tensor row_norms(const Tensor& x);
/// The rows of x [N, D] divided by their lengths. A zero row is left unchanged and gets no gradient.
Tensor unit_rows(const Tensor& x);
/// |x_i - w_j| for all rows of x [N, D] and w [M, D]: [N, M]. Computed from the differences, so distances of close
/// points are accurate. Meant for pairs in a batch; use squared_distances() for many classes. Where two points coincide
/// the gradient is 0.
Tensor distances(const Tensor& x, const Tensor& w);

}  // namespace radial
