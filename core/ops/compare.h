// Distances, cosines and lengths of rows.
//
// What holds for every op stands in core/ops.h.
#pragma once

#include "radial/core/tensor/tensor.h"

namespace radial {

/// |x_i - w_j|^2 for all rows of x [N, D] and w [C, D]: [N, C], never below 0. x and w may be one tensor.
Tensor squared_distances(const Tensor& x, const Tensor& w);
/// <x_i, w_j> / (|x_i| |w_j|) for all rows of x [N, D] and w [C, D]: [N, C]. 0 for a zero row, which gets no gradient.
Tensor cosines(const Tensor& x, const Tensor& w);
/// Euclidean length of each row of x [N, D]: [N]. The gradient of a zero row is 0.
Tensor row_norms(const Tensor& x);
/// The rows of x [N, D] divided by their lengths; a zero row stays so and gets no gradient.
Tensor unit_rows(const Tensor& x);
/// |x_i - w_j| for all rows of x [N, D] and w [M, D]: [N, M]. From differences, so that near points keep their digits:
/// for batches, where squared_distances() is for many classes. Where two points coincide the gradient is 0.
Tensor distances(const Tensor& x, const Tensor& w);

}  // namespace radial
