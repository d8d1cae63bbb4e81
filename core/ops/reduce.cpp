// Sums and means over dimensions, the median, argmax over columns, ranks of labels, and counts of equal elements.
#include "radial/core/ops/kernels/reduce.h"
#include "radial/core/ops/common.h"
#include "radial/core/ops/reduction_plan.h"
#include "radial/core/tensor/types.h"

#include <vector>

namespace radial {
namespace {

using ops::groups_of, ops::keeps_order, ops::mask_of, ops::plan_for;
using Plan = ops::ReductionPlan;
using Group = ops::ReductionGroup;

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
