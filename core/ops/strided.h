// Copies between tensors with arbitrary strides, for permute(), flip(), slice() with a step, and broadcast_to().
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <vector>

namespace radial::ops {

/// A dimension of a box of elements: its extent, and the distances between adjacent elements along it in the source and
/// in the target, in elements. A distance in the source may be 0 or negative.
struct Stride {
    std::int64_t extent, from, to;
};

/// The distance of consecutive elements along each logical dimension of a dense tensor.
std::vector<std::int64_t> memory_strides(const Shape& shape, Layout layout);
/// Copies a box of elements. Its first element is at offset `from` in the memory of `source` and at offset `to` in that
/// of `target`. No two elements of the box may share a place in the target. The tensors have the same dtype and device.
void copy_strided(const Tensor& source, std::int64_t from, const Tensor& target, std::int64_t to,
                  std::vector<Stride> dims);
/// The tensor of `shape` whose element at index i is at offset from + sum of i[d] * steps[d] in the memory order of
/// `x`: a view if that is a dense tensor in one of the layouts, else a copy in `layout`.
Tensor strided(const Tensor& x, std::int64_t from, const Shape& shape, const std::vector<std::int64_t>& steps,
               Layout layout = Layout::row_major);

}  // namespace radial::ops
