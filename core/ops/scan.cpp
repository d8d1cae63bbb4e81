// Cumulative sums, products and maxima.
#include "radial/core/ops/kernels/scan.h"
#include "radial/core/ops/common.h"
#include "radial/core/tensor/types.h"

namespace radial {
namespace {

// Writes the cumulative sums or products of x along `axis` to y, which has the layout of x; from the end if `reverse`
// is set.
template <class Join>
void scan(std::string_view op, const Tensor& x, const Tensor& y, int axis, bool reverse) {
    if (x.numel() == 0) return;
    const auto [outer, extent, inner] = ops::blocks_around(x, axis);
    dispatch_activation(x.dtype(), op, [&, rows = outer, e = extent, n = inner](auto zero) {
        using T = decltype(zero);
        const T* const in = x.data<const T>();
        T* const out = y.data<T>();
        if (n == 1) {
            using Row = kernels::ScanRow<T, Join>;
            const bool serial = x.device().kind == Device::Kind::cpu;
            const Tensor scratch = Tensor::empty(Shape{serial ? 0 : rows * Row::chunks(e)}, DType::float64, x.device());
            return kernels::rows(x.device(), rows, e, Row{in, out, scratch.data<double>(), e, reverse, {}});
        }
        using Columns = kernels::ScanColumns<T, Join>;
        const Tensor totals = Tensor::empty(Shape{rows * n}, DType::float64, x.device());
        kernels::rows(x.device(), rows * Columns::tasks(n), std::min(n, Columns::width),
                      Columns{in, out, totals.data<double>(), e, n, reverse, {}}, e);
    });
}

}  // namespace

Tensor cumsum(const Tensor& x, int dim) {
    ops::check_floating("cumsum", "the input", x);
    const int axis = ops::checked_dim("cumsum", x, dim);
    const Tensor y = Tensor::empty_like(x);
    scan<kernels::RunningSum>("cumsum", x, y, axis, false);
    return record("cumsum", y, {x},
                  [axis](const Tensor& dy, Needs) -> Grads {
                      const Tensor dx = Tensor::empty_like(dy);
                      scan<kernels::RunningSum>("cumsum", dy, dx, axis, true);
                      return {dx};
                  },
                  {{"dim", axis}});
}

Tensor cumprod(const Tensor& x, int dim) {
    ops::check_floating("cumprod", "the input", x);
    const int axis = ops::checked_dim("cumprod", x, dim);
    const Tensor y = Tensor::empty_like(x);
    scan<kernels::RunningProduct>("cumprod", x, y, axis, false);
    const Saved input(x, "cumprod", "input"), result(y, "cumprod", "result");
    return record("cumprod", y, {x},
                  [input, result, axis](const Tensor& dy, Needs) -> Grads {
                      const Tensor from = input.get(), products = result.get(), grad = ops::like_layout(dy, from);
                      const Tensor dx = Tensor::empty_like(from);
                      if (dx.numel() == 0) return {dx};
                      const auto [outer, extent, inner] = ops::blocks_around(from, axis);
                      dispatch_activation(dy.dtype(), "cumprod", [&, rows = outer, e = extent, n = inner](auto zero) {
                          using T = decltype(zero);
                          kernels::map2(
                              dy.device(), rows, n,
                              kernels::CumulativeProductGradient<T>{from.data<const T>(), products.data<const T>(),
                                                                    grad.data<const T>(), dx.data<T>(), e, n});
                      });
                      return {dx};
                  },
                  {{"dim", axis}});
}

Tensor cummax(const Tensor& x, int dim) {
    ops::check_floating("cummax", "the input", x);
    const int axis = ops::checked_dim("cummax", x, dim);
    const Tensor y = Tensor::empty_like(x);
    const Tensor places = Tensor::empty(x.shape(), DType::int64, x.device(), x.layout());
    const ops::Blocks blocks = x.numel() == 0 ? ops::Blocks{0, 0, 0} : ops::blocks_around(x, axis);
    dispatch_activation(x.dtype(), "cummax", [&](auto zero) {
        using T = decltype(zero);
        kernels::map2(x.device(), blocks.outer, blocks.inner,
                      kernels::CumulativeMax<T>{x.data<const T>(), y.data<T>(), places.data<std::int64_t>(),
                                                blocks.extent, blocks.inner});
    });
    return record("cummax", y, {x},
                  [places, blocks](const Tensor& dy, Needs) -> Grads {
                      const Tensor grad = ops::like_layout(dy, places);
                      const Tensor dx = Tensor::zeros_like(grad);
                      dispatch_activation(dy.dtype(), "cummax", [&](auto zero) {
                          using T = decltype(zero);
                          kernels::map2(
                              dy.device(), blocks.outer, blocks.inner,
                              kernels::CumulativeMaxGradient<T>{grad.data<const T>(), places.data<const std::int64_t>(),
                                                                dx.data<T>(), blocks.extent, blocks.inner});
                      });
                      return {dx};
                  },
                  {{"dim", axis}});
}

}  // namespace radial
