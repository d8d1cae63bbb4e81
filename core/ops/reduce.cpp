// Sums, means and maxima along dimensions.
#include "radial/core/ops/common.h"

#include <cmath>
#include <limits>

namespace radial {
namespace {

// Which dimensions are summed, and the result's shape with them kept as 1 and with them dropped.
struct Plan {
    std::array<bool, Shape::max_rank> reduced{};
    Shape kept_shape, dropped_shape;
    std::int64_t count = 1;  // elements summed into each result
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

// Offsets in x (row-major) of every combination of the dimensions that are, or are not, reduced.
std::vector<std::int64_t> offsets(const Shape& shape, const std::array<bool, Shape::max_rank>& reduced, bool wanted) {
    std::vector<std::int64_t> result{0};
    const auto strides = shape.strides();
    for (int d = 0; d < shape.rank(); ++d) {
        const auto index = static_cast<std::size_t>(d);
        if (reduced[index] != wanted) continue;
        std::vector<std::int64_t> longer;
        longer.reserve(result.size() * static_cast<std::size_t>(shape[d]));
        for (const std::int64_t base : result) {
            for (std::int64_t i = 0; i < shape[d]; ++i) longer.push_back(base + i * strides[index]);
        }
        result = std::move(longer);
    }
    return result;
}

// Sums into [kept...] in row-major order.
template <class T>
void sum_into(const Tensor& x, const Plan& plan, T* out) {
    const T* const in = x.data<T>();
    const std::int64_t results = plan.kept_shape.numel();
    if (results == 1) {
        *out = static_cast<T>(kernels::reduce(x.numel(), [=](std::int64_t i) { return in[i]; }));
        return;
    }
    const Tensor plain = x.to(Layout::row_major);
    const T* const v = plain.data<T>();
    const auto kept = offsets(x.shape(), plan.reduced, false), gone = offsets(x.shape(), plan.reduced, true);
    const std::int64_t *const from = kept.data(), *const step = gone.data();
    const auto count = static_cast<std::int64_t>(gone.size());
    kernels::rows(results, count, [=](std::int64_t r) {
        double total = 0;
        for (std::int64_t i = 0; i < count; ++i) total += static_cast<double>(v[from[r] + step[i]]);
        out[r] = static_cast<T>(total);
    });
}

Tensor reduce(std::string_view op, const Tensor& x, const std::vector<int>& dims, bool keep_dims, bool average) {
    ops::check_floating(op, "the input", x);
    const Plan plan = plan_for(op, x, dims);
    const Tensor total = Tensor::empty(keep_dims ? plan.kept_shape : plan.dropped_shape, x.dtype(), x.device());
    const double factor = average ? 1.0 / static_cast<double>(plan.count) : 1.0;
    dispatch_floating(x.dtype(), op, [&](auto zero) {
        using T = decltype(zero);
        T* const out = total.data<T>();
        sum_into<T>(x, plan, out);
        const T scale = static_cast<T>(factor);
        if (average) kernels::map(total.numel(), [=](std::int64_t i) { out[i] *= scale; });
    });
    return record(op, total, {x},
                  [shape = x.shape(), kept = plan.kept_shape, factor](const Tensor& dy, Needs) -> Grads {
                      const Tensor scaled = factor == 1.0 ? dy : mul(dy, factor);
                      return {ops::broadcast_to(scaled.to(Layout::row_major).view(kept), shape)};
                  });
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
    const Tensor winners = Tensor::empty(Shape(rest), DType::int64, x.device());  // position in x's memory
    dispatch_floating(x.dtype(), "max", [&, e = extent, n = inner](auto zero) {
        using T = decltype(zero);
        const T* const in = plain.data<T>();
        T* const out = y.data<T>();
        auto* const won = winners.data<std::int64_t>();
        kernels::rows(y.numel(), e, [=](std::int64_t r) {
            const std::int64_t start = r / n * e * n + r % n;
            std::int64_t best = start;
            for (std::int64_t i = 1; i < e; ++i) {
                const T v = in[start + i * n];
                if (v > in[best] || std::isnan(v)) best = start + i * n;
                if (std::isnan(in[best])) break;
            }
            out[r] = in[best];
            won[r] = best;
        });
    });
    return record("max", y, {x}, [winners, shape = x.shape()](const Tensor& dy, Needs) -> Grads {
        const Tensor grad = dy.to(Layout::row_major);
        const Tensor dx = Tensor::zeros(shape, dy.dtype(), dy.device());
        dispatch_floating(dy.dtype(), "max", [&](auto zero) {
            using T = decltype(zero);
            const T* const g = grad.data<T>();
            T* const out = dx.data<T>();
            const auto* const won = winners.data<std::int64_t>();
            kernels::map(grad.numel(), [=](std::int64_t i) { out[won[i]] = g[i]; });
        });
        return {dx};
    });
}

Tensor argmax(const Tensor& x) {
    ops::check_floating("argmax", "the input", x);
    ops::check_rank("argmax", "input", x, 2, "[N, C]");
    RADIAL_CHECK(x.size(1) > 0, "argmax: input {} has no columns", x.shape().str());
    const Tensor result = Tensor::empty({x.size(0)}, DType::int64, x.device());
    const std::int64_t columns = x.size(1);
    dispatch_floating(x.dtype(), "argmax", [&](auto zero) {
        using T = decltype(zero);
        const T* const in = x.data<T>();
        auto* const out = result.data<std::int64_t>();
        kernels::rows(x.size(0), columns, [=](std::int64_t r) {
            const T* const row = in + r * columns;
            out[r] = std::max_element(row, row + columns) - row;
        });
    });
    return result;
}

}  // namespace radial
