// Reductions other than sums: extremes and their positions, moments, products, norms, counts.
#include "radial/core/ops/kernels/reduce_along.h"
#include "radial/core/ops/reduction_plan.h"

#include <limits>
#include <optional>
#include <vector>

namespace radial {
namespace {

template <int Sign>
Tensor extreme_along(std::string_view op, const Tensor& x, int dim) {
    ops::check_floating(op, "the input", x);
    const int axis = ops::checked_dim(op, x, dim);
    const Tensor plain = x.to(Layout::row_major);
    const auto [outer, extent, inner] = ops::blocks_around(plain, axis);
    RADIAL_CHECK(extent > 0, "{}: dimension {} of {} is empty", op, dim, x.shape().str());
    std::vector<std::int64_t> rest;
    for (int d = 0; d < x.rank(); ++d) {
        if (d != axis) rest.push_back(x.shape()[d]);
    }
    const Tensor y = Tensor::empty(Shape(rest), x.dtype(), x.device());
    const Tensor winners = Tensor::empty(Shape(rest), DType::int64, x.device());  // offsets in the memory of `plain`
    dispatch_activation(x.dtype(), op, [&, e = extent, n = inner](auto zero) {
        using T = decltype(zero);
        kernels::rows(x.device(), y.numel(), e,
                      kernels::ExtremeAlong<T, Sign>{plain.data<T>(), y.data<T>(), winners.data<std::int64_t>(), e, n});
    });
    return record(op, y, {x},
                  [winners, shape = x.shape(), op](const Tensor& dy, Needs) -> Grads {
                      const Tensor grad = dy.to(Layout::row_major);
                      const Tensor dx = Tensor::zeros(shape, dy.dtype(), dy.device());
                      dispatch_activation(dy.dtype(), op, [&](auto zero) {
                          using T = decltype(zero);
                          kernels::map(
                              dy.device(), grad.numel(),
                              kernels::ScatterToPlaces<T>{grad.data<T>(), winners.data<std::int64_t>(), dx.data<T>()});
                      });
                      return {dx};
                  },
                  {{"dim", axis}});
}

// Writes the values of reduction `r` to `y`.
template <class To, class R>
void reduce_strips(std::string_view op, const ops::Strips& strips, const Tensor& y, const R& r) {
    dispatch_activation(strips.source.dtype(), op, [&](auto zero) {
        using T = decltype(zero);
        using Out = std::conditional_t<std::is_void_v<To>, T, To>;
        const auto [outer, extent, inner] = strips.blocks;
        kernels::rows(y.device(), y.numel(), extent,
                      kernels::ReduceAlong<T, Out, R>{strips.source.data<const T>(), y.data<Out>(), extent, inner, r});
    });
}

template <class R>
Tensor reduce_differentiably(std::string_view op, const Tensor& x, const ops::ReductionPlan& plan, bool keep_dims,
                             const R& r, const std::optional<OpAttribute>& number = {}) {
    const ops::Strips strips = ops::strips_of(x, plan, std::is_same_v<R, kernels::LogSumExp>);
    const Tensor y = Tensor::empty(keep_dims ? plan.kept_shape : plan.dropped_shape, x.dtype(), x.device());
    reduce_strips<void>(op, strips, y, r);
    const Saved input(strips.source, op, "input"), result(y, op, "result");
    const auto gradient = [input, result, plan, r, op, blocks = strips.blocks, moved = strips.moved, shape = x.shape()](
                              const Tensor& dy, Needs) -> Grads {
        const Tensor kept = input.get(), value = result.get(), grad = dy.to(Layout::row_major);
        const Tensor dx = Tensor::empty_like(kept);
        dispatch_activation(dy.dtype(), op, [&](auto zero) {
            using T = decltype(zero);
            const auto [outer, extent, inner] = blocks;
            kernels::rows(dy.device(), value.numel(), extent,
                          kernels::ReduceAlongGradient<T, R>{kept.data<const T>(), value.data<const T>(),
                                                             grad.data<const T>(), dx.data<T>(), extent, inner, r});
        });
        return {ops::from_strips(dx, shape, plan, moved)};
    };
    const OpAttribute over{"dims", ops::mask_of(plan)}, kept{"keep_dims", keep_dims};
    return number ? record(op, y, {x}, gradient, {over, kept, *number}) : record(op, y, {x}, gradient, {over, kept});
}

template <class R>
Tensor reduce(std::string_view op, const Tensor& x, const std::vector<int>& dims, bool keep_dims, const R& r,
              const std::optional<OpAttribute>& number = {}) {
    ops::check_floating(op, "the input", x);
    return reduce_differentiably(op, x, ops::plan_for(op, x, dims), keep_dims, r, number);
}

template <int Sign>
Tensor extreme(std::string_view op, const Tensor& x, const std::vector<int>& dims, bool keep_dims) {
    ops::check_floating(op, "the input", x);
    const ops::ReductionPlan plan = ops::plan_for(op, x, dims);
    RADIAL_CHECK(plan.count > 0, "{}: input {} has no elements along the dimensions", op, x.shape().str());
    return reduce_differentiably(op, x, plan, keep_dims, kernels::Extreme<Sign>{});
}

// A reduction without a gradient to numbers of type To, or of the type of x if To is void.
template <class To, class R>
Tensor count(std::string_view op, const Tensor& x, const std::vector<int>& dims, bool keep_dims, const R& r) {
    ops::check_floating(op, "the input", x);
    const ops::ReductionPlan plan = ops::plan_for(op, x, dims);
    const DType dtype = std::is_void_v<To> ? x.dtype() : DType::int64;
    const Tensor y = Tensor::empty(keep_dims ? plan.kept_shape : plan.dropped_shape, dtype, x.device());
    reduce_strips<To>(op, ops::strips_of(x, plan), y, r);
    return y;
}

template <int Sign>
Tensor place_of_extreme(std::string_view op, const Tensor& x, int dim, bool keep_dims) {
    ops::check_floating(op, "the input", x);
    const int axis = ops::checked_dim(op, x, dim);
    RADIAL_CHECK(x.shape()[axis] > 0, "{}: dimension {} of {} is empty", op, dim, x.shape().str());
    return count<std::int64_t>(op, x, {axis}, keep_dims, kernels::ArgExtreme<Sign>{});
}

}  // namespace

Tensor max(const Tensor& x, int dim) { return extreme_along<1>("max", x, dim); }
Tensor min(const Tensor& x, int dim) { return extreme_along<-1>("min", x, dim); }
Tensor amax(const Tensor& x, const std::vector<int>& dims, bool keep_dims) {
    return extreme<1>("amax", x, dims, keep_dims);
}
Tensor amin(const Tensor& x, const std::vector<int>& dims, bool keep_dims) {
    return extreme<-1>("amin", x, dims, keep_dims);
}
Tensor argmax(const Tensor& x, int dim, bool keep_dims) { return place_of_extreme<1>("argmax", x, dim, keep_dims); }
Tensor argmin(const Tensor& x, int dim, bool keep_dims) { return place_of_extreme<-1>("argmin", x, dim, keep_dims); }

Tensor var(const Tensor& x, const std::vector<int>& dims, int correction, bool keep_dims) {
    RADIAL_CHECK(correction >= 0, "var: correction is {}, expected at least 0", correction);
    return reduce("var", x, dims, keep_dims, kernels::Variance<false>{correction},
                  OpAttribute{"correction", correction});
}
Tensor std(const Tensor& x, const std::vector<int>& dims, int correction, bool keep_dims) {
    RADIAL_CHECK(correction >= 0, "std: correction is {}, expected at least 0", correction);
    return reduce("std", x, dims, keep_dims, kernels::Variance<true>{correction},
                  OpAttribute{"correction", correction});
}

Tensor prod(const Tensor& x, const std::vector<int>& dims, bool keep_dims) {
    return reduce("prod", x, dims, keep_dims, kernels::Product{});
}

Tensor norm(const Tensor& x, double p, const std::vector<int>& dims, bool keep_dims) {
    const double infinity = std::numeric_limits<double>::infinity();
    RADIAL_CHECK(p == 1 || p == 2 || p == infinity, "norm: p is {}, expected 1, 2 or infinity", p);
    const OpAttribute order{"p", p};
    if (p == 1) return reduce("norm", x, dims, keep_dims, kernels::Norm1{}, order);
    if (p == 2) return reduce("norm", x, dims, keep_dims, kernels::Norm2{}, order);
    return reduce("norm", x, dims, keep_dims, kernels::NormMax{}, order);
}

Tensor log_sum_exp(const Tensor& x, const std::vector<int>& dims, bool keep_dims) {
    return reduce("log_sum_exp", x, dims, keep_dims, kernels::LogSumExp{});
}

Tensor all(const Tensor& x, const std::vector<int>& dims, bool keep_dims) {
    return count<void>("all", x, dims, keep_dims, kernels::AllNonzero{});
}
Tensor any(const Tensor& x, const std::vector<int>& dims, bool keep_dims) {
    return count<void>("any", x, dims, keep_dims, kernels::AnyNonzero{});
}
Tensor count_nonzero(const Tensor& x, const std::vector<int>& dims, bool keep_dims) {
    return count<std::int64_t>("count_nonzero", x, dims, keep_dims, kernels::CountNonzero{});
}

}  // namespace radial
