// What reductions over several dimensions share: which dimensions are reduced, and how they lie in memory.
#pragma once

#include "radial/core/ops/common.h"

#include <array>
#include <vector>

namespace radial::ops {

/// The dimensions that are reduced, and the shape of the result with these kept as 1 or removed.
struct ReductionPlan {
    std::array<bool, Shape::max_rank> reduced{};
    Shape kept_shape, dropped_shape;
    std::int64_t count = 1;  ///< number of elements reduced to each result
};
/// The plan for `dims` of x (all if empty). Throws Error when one is out of range.
ReductionPlan plan_for(std::string_view op, const Tensor& x, const std::vector<int>& dims);
/// A number in which bit d is set if dimension d is reduced.
std::uint32_t mask_of(const ReductionPlan& plan);

/// Adjacent dimensions that are all reduced or all kept, merged into one.
struct ReductionGroup {
    std::int64_t extent;
    bool reduced;
};
/// The groups of x in memory order. Extents of 1 are skipped.
std::vector<ReductionGroup> groups_of(const Tensor& x, const ReductionPlan& plan);
/// Whether the elements that remain after the reduction are in logical order in memory. For channels_last this fails if
/// channels and rows or columns both remain.
bool keeps_order(const Tensor& x, const ReductionPlan& plan);

/// The elements of a tensor, stored so that result r of a reduction is that of element (r / inner, r % inner) of
/// [outer, extent, inner] over `extent`.
struct Strips {
    Tensor source;  ///< the tensor itself, or a copy with another order of dimensions
    Blocks blocks;
    bool moved;  ///< whether `source` is a copy
};
/// The Strips of x; with blocks.inner == 1, which reductions that compute much can vectorise, if `contiguous` is set.
Strips strips_of(const Tensor& x, const ReductionPlan& plan, bool contiguous = false);
/// The gradient of a tensor of this shape from that of its Strips: dx as it is, or moved back.
Tensor from_strips(const Tensor& dx, const Shape& shape, const ReductionPlan& plan, bool moved);

}  // namespace radial::ops
