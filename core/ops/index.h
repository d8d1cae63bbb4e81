// Ops that read and write elements at positions in an index tensor.
//
// Index tensors are int64, on the device of the other tensors. An index outside the dimension throws Error when the
// index tensor is on the CPU. On a device, the next synchronize() reports it; an op that reads at such an index returns
// some other element, and an op that writes there writes nothing. Sums do not depend on the number of threads: values
// for one position are added in the order of the index.
//
// core/ops.h describes what all ops have in common.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>

namespace radial {

/// y[i][j][k] = x[i][index[i][j][k]][k] for dim 1, and so on for the others (torch.gather). The result has the shape of
/// `index`, which has the rank of `x` and is no larger than `x` in the dimensions other than `dim`. Any type.
Tensor gather(const Tensor& x, int dim, const Tensor& index);
/// A copy y of `x` with y[i][index[i][j][k]][k] += source[i][j][k] for dim 1, and so on (torch.scatter_add): the
/// adjoint of gather(). `source` has the shape of `index`. Sums of bfloat16 are computed in float32 and rounded once.
Tensor scatter_add(const Tensor& x, int dim, const Tensor& index, const Tensor& source);
/// A copy y of `x` with y[i][index[i][j][k]][k] = source[i][j][k] for dim 1, and so on (torch.scatter). Any type. Where
/// an index is repeated, the last value along `dim` stays, and only that value receives a gradient.
Tensor scatter(const Tensor& x, int dim, const Tensor& index, const Tensor& source);
/// The slices index[0], index[1], ... of `x` along `dim`, for an index [M] (torch.index_select). Any type. This is
/// gather_rows() for any dimension.
Tensor index_select(const Tensor& x, int dim, const Tensor& index);
/// `value` where the mask is not 0, and `x` elsewhere. The mask has the dtype of `x` and broadcasts to its shape. NaN
/// counts as not 0. The gradient is 0 where the mask is not 0.
Tensor masked_fill(const Tensor& x, const Tensor& mask, double value);
/// 1 at labels[...] and 0 elsewhere: [..., classes]. labels is int64, of any shape, with values in [0, classes).
Tensor one_hot(const Tensor& labels, std::int64_t classes, DType dtype = DType::float32);

}  // namespace radial
