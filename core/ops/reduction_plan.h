// Helpers of reductions over several dimensions: which dimensions are reduced, and how they lie in memory.
#pragma once

#include "radial/core/ops/common.h"

#include <array>
#include <vector>

namespace radial::ops {

/// The dimensions that are reduced, and the shapes of the result if they are kept with extent 1 (kept_shape) or removed
/// (dropped_shape).
struct ReductionPlan {
    std::array<bool, Shape::max_rank> reduced{};
    Shape kept_shape, dropped_shape;
    std::int64_t count = 1;  ///< number of elements reduced to each result
};
/// The plan for `dims` of x (all if empty). Throws Error when a dimension is out of range.
ReductionPlan plan_for(std::string_view op, const Tensor& x, const std::vector<int>& dims);
/// A number in which bit d is set if dimension d is reduced.
std::uint32_t mask_of(const ReductionPlan& plan);

/// Adjacent dimensions that are all reduced or all kept, merged into one.
struct ReductionGroup {
    std::int64_t extent;
    bool reduced;
};
/// The groups of x in memory order. Dimensions of extent 1 are skipped.
std::vector<ReductionGroup> groups_of(const Tensor& x, const ReductionPlan& plan);
/// Whether the elements that remain after the reduction are in logical order in memory. In channels_last layout, they
/// are not if more than one channel and more than one pixel remain.
bool keeps_order(const Tensor& x, const ReductionPlan& plan);

/// The elements of a tensor, stored as [outer, extent, inner] such that result r of the reduction is that of the
/// elements (r / inner, e, r % inner) over all e.
struct Strips {
    Tensor source;  ///< the tensor itself, or a copy with another order of dimensions
    Blocks blocks;
    bool moved;  ///< whether `source` is a copy
};
/// Returns the Strips of x. If `contiguous` is set, blocks.inner is 1, so that reductions with costly functions can be
/// vectorised.
Strips strips_of(const Tensor& x, const ReductionPlan& plan, bool contiguous = false);
/// Converts dx, the gradient of the Strips of a tensor, to the gradient of the tensor, which has the shape `shape`.
/// Returns dx itself, or if `moved` is set, a copy in the original order of dimensions.
Tensor from_strips(const Tensor& dx, const Shape& shape, const ReductionPlan& plan, bool moved);

}  // namespace radial::ops
