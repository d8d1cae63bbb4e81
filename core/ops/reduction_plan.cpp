// Plans of reductions over several dimensions.
#include "radial/core/ops/reduction_plan.h"

#include "radial/core/ops/common.h"

namespace radial::ops {
namespace {

// The steps in memory of the dimensions of a tensor with this shape and layout.
std::array<std::int64_t, Shape::max_rank> steps_of(const Shape& shape, Layout layout) {
    std::array<std::int64_t, Shape::max_rank> steps{};
    const std::array<int, 4> channels_last = {0, 2, 3, 1};
    std::int64_t step = 1;
    for (int position = shape.rank() - 1; position >= 0; --position) {
        const int d = layout == Layout::channels_last ? channels_last[static_cast<std::size_t>(position)] : position;
        steps[static_cast<std::size_t>(d)] = step;
        step *= shape[d];
    }
    return steps;
}

// A copy of the elements of `from` with these extents and steps, the last dimension innermost.
Tensor copy_of(const Tensor& from, const std::vector<std::int64_t>& extents, const std::vector<std::int64_t>& steps,
               const Shape& shape) {
    const Tensor to = Tensor::empty(shape, from.dtype(), from.device());
    if (shape.numel() == 0) return to;
    kernels::Stretch at{};
    at.inner = extents.empty() ? 1 : extents.back();
    at.inner_step = extents.empty() ? 0 : steps.back();
    at.rank = extents.empty() ? 0 : static_cast<std::int64_t>(extents.size()) - 1;
    for (std::size_t d = 0; d + 1 < extents.size(); ++d) {
        at.extent[d] = extents[d];
        at.step[d] = steps[d];
    }
    dispatch_activation(from.dtype(), "reduction", [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(from.device(), shape.numel() / at.inner, at.inner,
                      kernels::CopyStretched<T>{from.data<const T>(), to.data<T>(), at});
    });
    return to;
}

// The dimensions that are kept, then those that are reduced.
std::vector<int> kept_first(const Shape& shape, const ReductionPlan& plan) {
    std::vector<int> order;
    for (const bool reduced : {false, true})
        for (int d = 0; d < shape.rank(); ++d)
            if (plan.reduced[static_cast<std::size_t>(d)] == reduced) order.push_back(d);
    return order;
}

}  // namespace

ReductionPlan plan_for(std::string_view op, const Tensor& x, const std::vector<int>& dims) {
    ReductionPlan plan;
    for (const int dim : dims) plan.reduced[static_cast<std::size_t>(checked_dim(op, x, dim))] = true;
    if (dims.empty()) std::fill_n(plan.reduced.begin(), x.rank(), true);
    std::vector<std::int64_t> kept, dropped;
    for (int d = 0; d < x.rank(); ++d) {
        const bool reduced = plan.reduced[static_cast<std::size_t>(d)];
        kept.push_back(reduced ? 1 : x.shape()[d]);
        if (reduced) plan.count *= x.shape()[d];
        if (!reduced) dropped.push_back(x.shape()[d]);
    }
    plan.kept_shape = Shape(kept);
    plan.dropped_shape = Shape(dropped);
    return plan;
}

std::uint32_t mask_of(const ReductionPlan& plan) {
    std::uint32_t mask = 0;
    for (std::size_t d = 0; d < plan.reduced.size(); ++d) mask |= (plan.reduced[d] ? 1U : 0U) << d;
    return mask;
}

std::vector<ReductionGroup> groups_of(const Tensor& x, const ReductionPlan& plan) {
    const bool channels_last = x.layout() == Layout::channels_last;
    const std::array<int, 4> order = {0, 2, 3, 1};
    std::vector<ReductionGroup> groups;
    for (int position = 0; position < x.rank(); ++position) {
        const int d = channels_last ? order[static_cast<std::size_t>(position)] : position;
        if (x.shape()[d] == 1) continue;
        const bool reduced = plan.reduced[static_cast<std::size_t>(d)];
        if (groups.empty() || groups.back().reduced != reduced) groups.push_back({1, reduced});
        groups.back().extent *= x.shape()[d];
    }
    return groups;
}

bool keeps_order(const Tensor& x, const ReductionPlan& plan) {
    const Shape& kept = plan.kept_shape;
    return x.layout() == Layout::row_major || kept[1] == 1 || kept[2] * kept[3] == 1;
}

Strips strips_of(const Tensor& x, const ReductionPlan& plan, bool contiguous) {
    if (keeps_order(x, plan)) {
        const std::vector<ReductionGroup> groups = groups_of(x, plan);
        Blocks blocks{1, 1, 1};
        int reduced = 0;
        for (const ReductionGroup& group : groups) {
            if (group.reduced) {
                blocks.extent = group.extent;
                ++reduced;
            } else {
                (reduced == 0 ? blocks.outer : blocks.inner) *= group.extent;
            }
        }
        if (reduced <= 1 && (blocks.inner == 1 || !contiguous)) return {x, blocks, false};
    }
    const auto steps_in_memory = steps_of(x.shape(), x.layout());
    std::vector<std::int64_t> extents, steps;
    for (const int d : kept_first(x.shape(), plan)) {
        extents.push_back(x.shape()[d]);
        steps.push_back(steps_in_memory[static_cast<std::size_t>(d)]);
    }
    const std::int64_t results = plan.kept_shape.numel();
    return {copy_of(x, extents, steps, {results, plan.count}), {results, plan.count, 1}, true};
}

Tensor from_strips(const Tensor& dx, const Shape& shape, const ReductionPlan& plan, bool moved) {
    if (!moved) return dx;
    const std::vector<int> order = kept_first(shape, plan);
    std::vector<std::int64_t> extents, steps(order.size());
    std::int64_t step = 1;
    for (std::size_t position = order.size(); position-- > 0;) {
        steps[static_cast<std::size_t>(order[position])] = step;
        step *= shape[order[position]];
    }
    for (int d = 0; d < shape.rank(); ++d) extents.push_back(shape[d]);
    return copy_of(dx, extents, steps, shape);
}

}  // namespace radial::ops
