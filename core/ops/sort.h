// Sorting along a dimension, and the k largest or smallest elements.
//
// core/ops.h describes what all ops have in common. Elements are ordered as in PyTorch: NaN counts as larger than every
// number, 0 and -0 are equal, and equal elements keep their order, so the result is the same on every device.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>

namespace radial {

/// Elements in sorted order, and their positions before sorting.
struct Sorted {
    Tensor values;   ///< the elements; differentiable
    Tensor indices;  ///< int64, the positions of the elements along the sorted dimension; row-major
};

/// The elements of x in ascending order along `dim` (negative numbers count from the back), or in descending order if
/// `descending` is set. Equal elements keep their order (the sort is stable). NaNs come last, or first in descending
/// order. The gradient of a value goes to the element of x from which it was copied. Throws Error if x has no such
/// dimension.
Sorted sort(const Tensor& x, int dim = -1, bool descending = false);
/// The indices of sort().
Tensor argsort(const Tensor& x, int dim = -1, bool descending = false);
/// The first `k` elements along `dim` of sort() in descending order, or in ascending order if `largest` is not set,
/// computed without sorting the others where that is faster. Throws Error unless 0 <= k <= extent of `dim`.
Sorted topk(const Tensor& x, std::int64_t k, int dim = -1, bool largest = true);

}  // namespace radial
