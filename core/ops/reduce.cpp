// Sums, means, maxima and counts over dimensions.
#include "radial/core/ops/kernels/reduce.h"
#include "radial/core/ops/common.h"
#include "radial/core/tensor/types.h"

#include <vector>

namespace radial {
namespace {

// The dimensions that are summed, and the shape of the result with these kept as 1 or removed.
struct Plan {
    std::array<bool, Shape::max_rank> reduced{};
    Shape kept_shape, dropped_shape;
    std::int64_t count = 1;  // number of elements summed into each result
};

Plan plan_for(std::string_view op, const Tensor& x, const std::vector<int>& dims) {
    Plan plan;
    for (const int dim : dims) plan.reduced[static_cast<std::size_t>(ops::checked_dim(op, x, dim))] = true;
    if (dims.empty()) plan.reduced.fill(true);
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

// Adjacent dimensions that are all summed or all kept, merged into one.
struct Group {
    std::int64_t extent;
    bool reduced;
};

// The groups of x in memory order. Extents of 1 are skipped.
std::vector<Group> groups_of(const Tensor& x, const Plan& plan) {
    const bool channels_last = x.layout() == Layout::channels_last;
    const std::array<int, 4> order = {0, 2, 3, 1};
    std::vector<Group> groups;
    for (int position = 0; position < x.rank(); ++position) {
        const int d = channels_last ? order[static_cast<std::size_t>(position)] : position;
        if (x.shape()[d] == 1) continue;
        const bool reduced = plan.reduced[static_cast<std::size_t>(d)];
        if (groups.empty() || groups.back().reduced != reduced) groups.push_back({1, reduced});
        groups.back().extent *= x.shape()[d];
    }
    return groups;
}

// Whether the elements that remain after the sum are in logical order in memory. For channels_last this fails if
// channels and rows or columns both remain.
bool keeps_order(const Tensor& x, const Plan& plan) {
    const Shape& kept = plan.kept_shape;
    return x.layout() == Layout::row_major || kept[1] == 1 || kept[2] * kept[3] == 1;
}

// out[o, i] = factor * sum over e of source[o, e, i], for any floating-point types of source and result.
template <class To, class From>
void fold(const Tensor& source, const ops::Blocks& blocks, double factor, const Tensor& result) {
    const auto [outer, extent, inner] = blocks;
    const Device device = source.device();
    const From* const in = source.data<From>();
    To* const out = result.data<To>();
    constexpr std::int64_t few = 128;  // up to this many rows, partial sums are not worthwhile
    if (outer == 1 && inner == 1) {
        kernels::reduce(device, extent, kernels::Read<From>{in}, factor, out);
    } else if (inner == 1) {
        kernels::rows(device, outer, extent, kernels::SumRow<To, From>{in, out, extent, factor});
    } else if (outer != 1) {
        kernels::map2(device, outer, inner, kernels::SumMiddle<To, From>{in, out, extent, inner, factor});
    } else if (extent <= few) {
        kernels::map(device, inner, kernels::SumMiddle<To, From>{in, out, extent, inner, factor});
    } else {
        kernels::reduce_columns(device, extent, inner, kernels::ReadMatrix<From>{in, inner},
                                kernels::StoreScaledSum<To>{out, factor});
    }
}

// Writes factor * the sums of x to `total`, in row-major order. Needs one pass per summed group, beginning with the
// last group. Sums between passes are float64.
template <class T>
void sum_into(const Tensor& x, const Plan& plan, double factor, const Tensor& total) {
    Tensor source = keeps_order(x, plan) ? x : x.to(Layout::row_major);
    std::vector<Group> groups = groups_of(source, plan);
    auto left = std::count_if(groups.begin(), groups.end(), [](const Group& g) { return g.reduced; });
    if (left == 0) return fold<T, T>(source, {1, 1, x.numel()}, factor, total);
    for (bool first = true; left > 0; --left, first = false) {
        ops::Blocks blocks{1, 1, 1};
        for (; !groups.back().reduced; groups.pop_back()) blocks.inner *= groups.back().extent;
        blocks.extent = groups.back().extent;
        groups.pop_back();
        for (const Group& group : groups) blocks.outer *= group.extent;
        const std::int64_t inner = blocks.inner;
        if (left > 1) {
            const Tensor partial = Tensor::empty({blocks.outer * inner}, DType::float64, x.device());
            first ? fold<double, T>(source, blocks, 1.0, partial) : fold<double, double>(source, blocks, 1.0, partial);
            source = partial;
            groups.push_back({inner, false});
        } else {
            first ? fold<T, T>(source, blocks, factor, total) : fold<T, double>(source, blocks, factor, total);
        }
    }
}

// A number in which bit d is set if dimension d is summed.
std::uint32_t mask_of(const Plan& plan) {
    std::uint32_t mask = 0;
    for (std::size_t d = 0; d < plan.reduced.size(); ++d) mask |= (plan.reduced[d] ? 1U : 0U) << d;
    return mask;
}

Tensor reduce(std::string_view op, const Tensor& x, const std::vector<int>& dims, bool keep_dims, bool average) {
    ops::check_floating(op, "the input", x);
    const Plan plan = plan_for(op, x, dims);
    const Tensor total = Tensor::empty(keep_dims ? plan.kept_shape : plan.dropped_shape, x.dtype(), x.device());
    const double factor = average ? 1.0 / static_cast<double>(plan.count) : 1.0;
    dispatch_activation(x.dtype(), op, [&](auto zero) { sum_into<decltype(zero)>(x, plan, factor, total); });
    return record(op, total, {x},
                  [shape = x.shape(), kept = plan.kept_shape, factor](const Tensor& dy, Needs) -> Grads {
                      const Tensor scaled = factor == 1.0 ? dy : mul(dy, factor);
                      return {ops::broadcast_to(scaled.to(Layout::row_major).view(kept), shape)};
                  },
                  {{"dims", mask_of(plan)}, {"keep_dims", keep_dims}});
}

}  // namespace

Tensor sum(const Tensor& x, const std::vector<int>& dims, bool keep_dims) {
    return reduce("sum", x, dims, keep_dims, false);
}
Tensor mean(const Tensor& x, const std::vector<int>& dims, bool keep_dims) {
    return reduce("mean", x, dims, keep_dims, true);
}

Tensor max(const Tensor& x, int dim) {
    ops::check_floating("max", "the input", x);
    const int axis = ops::checked_dim("max", x, dim);
    const Tensor plain = x.to(Layout::row_major);
    const auto [outer, extent, inner] = ops::blocks_around(plain, axis);
    RADIAL_CHECK(extent > 0, "max: dimension {} of {} is empty", dim, x.shape().str());
    std::vector<std::int64_t> rest;
    for (int d = 0; d < x.rank(); ++d) {
        if (d != axis) rest.push_back(x.shape()[d]);
    }
    const Tensor y = Tensor::empty(Shape(rest), x.dtype(), x.device());
    const Tensor winners = Tensor::empty(Shape(rest), DType::int64, x.device());  // offset in the memory of x
    dispatch_activation(x.dtype(), "max", [&, e = extent, n = inner](auto zero) {
        using T = decltype(zero);
        kernels::rows(x.device(), y.numel(), e,
                      kernels::MaxAlong<T>{plain.data<T>(), y.data<T>(), winners.data<std::int64_t>(), e, n});
    });
    return record("max", y, {x},
                  [winners, shape = x.shape()](const Tensor& dy, Needs) -> Grads {
                      const Tensor grad = dy.to(Layout::row_major);
                      const Tensor dx = Tensor::zeros(shape, dy.dtype(), dy.device());
                      dispatch_activation(dy.dtype(), "max", [&](auto zero) {
                          using T = decltype(zero);
                          kernels::map(
                              dy.device(), grad.numel(),
                              kernels::ScatterToPlaces<T>{grad.data<T>(), winners.data<std::int64_t>(), dx.data<T>()});
                      });
                      return {dx};
                  },
                  {{"dim", axis}});
}

Tensor median(const Tensor& x) {
    ops::check_floating("median", "the input", x);
    ops::check_rank("median", "input", x, 1, "[N]");
    RADIAL_CHECK(x.numel() > 0, "median: input {} is empty", x.shape().str());
    const Tensor result = Tensor::empty({1}, x.dtype(), x.device());
    dispatch_floating(x.dtype(), "median", [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(x.device(), x.numel(), x.numel(),
                      kernels::MedianRow<T>{x.data<const T>(), result.data<T>(), x.numel()});
    });
    return result;
}

Tensor argmax(const Tensor& x) {
    ops::check_floating("argmax", "the input", x);
    ops::check_rank("argmax", "input", x, 2, "[N, C]");
    RADIAL_CHECK(x.size(1) > 0, "argmax: input {} has no columns", x.shape().str());
    const Tensor result = Tensor::empty({x.size(0)}, DType::int64, x.device());
    dispatch_activation(x.dtype(), "argmax", [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(x.device(), x.size(0), x.size(1),
                      kernels::ArgMaxRow<T>{x.data<T>(), result.data<std::int64_t>(), x.size(1)});
    });
    return result;
}

Tensor label_ranks(const Tensor& x, const Tensor& labels) {
    ops::check_floating("label_ranks", "the input", x);
    ops::check_rank("label_ranks", "input", x, 2, "[N, C]");
    RADIAL_CHECK(x.size(1) > 0, "label_ranks: input {} has no columns", x.shape().str());
    ops::check_labels("label_ranks", labels, x.size(0), x.size(1));
    ops::check_device("label_ranks", x, "labels", labels);
    const Tensor result = Tensor::empty({x.size(0)}, DType::int64, x.device());
    dispatch_activation(x.dtype(), "label_ranks", [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(
            x.device(), x.size(0), x.size(1),
            kernels::LabelRankRow<T>{x.data<T>(), labels.data<std::int64_t>(), result.data<std::int64_t>(), x.size(1)});
    });
    return result;
}

Tensor count_equal(const Tensor& a, const Tensor& b) {
    RADIAL_CHECK(a.defined() && b.defined() && a.dtype() == DType::int64 && b.dtype() == DType::int64 &&
                     a.shape() == b.shape() && a.device() == b.device(),
                 "count_equal: got {} and {}, expected two int64 tensors of one shape on one device", a.str(), b.str());
    const Tensor count = Tensor::empty({}, DType::float64, a.device());
    kernels::reduce(a.device(), a.numel(), kernels::Agree{a.data<const std::int64_t>(), b.data<const std::int64_t>()},
                    1.0, count.data<double>());
    return count;
}

}  // namespace radial
