// softmax and log_softmax along any dimension, and log_sum_exp over the last.
#include "radial/core/ops/kernels/softmax.h"
#include "radial/core/ops/common.h"
#include "radial/core/tensor/types.h"

#include <algorithm>

namespace radial {
namespace {

constexpr std::int64_t cost_of_exp = 8;  // in elementary operations

// The arguments of kernels::rows() for the kernels along the middle of [outer, extent, inner].
struct ColumnTasks {
    std::int64_t count, width;
};
ColumnTasks tasks_of(const ops::Blocks& blocks) {
    return {blocks.outer * kernels::Columns::tasks(blocks.inner), std::min(blocks.inner, kernels::Columns::most)};
}

template <bool Log>
void forward(std::string_view op, const Tensor& x, const Tensor& y, const ops::Blocks& blocks) {
    const auto [outer, extent, inner] = blocks;
    dispatch_activation(x.dtype(), op, [&, rows = outer, e = extent, n = inner](auto zero) {
        using T = decltype(zero);
        const T* const in = x.data<const T>();
        T* const out = y.data<T>();
        if (n == 1) {
            using Row = std::conditional_t<Log, kernels::LogSoftmax<T>, kernels::Softmax<T>>;
            return kernels::rows(x.device(), rows, e, Row{in, out, e}, cost_of_exp);
        }
        const Tensor tops = Tensor::empty({rows * n}, dtype_of<Compute<T>>, x.device());
        const Tensor totals = Tensor::empty({rows * n}, DType::float64, x.device());
        const ColumnTasks tasks = tasks_of(blocks);
        kernels::rows(x.device(), tasks.count, tasks.width,
                      kernels::SoftmaxAlong<T, Log>{in, out, tops.data<Compute<T>>(), totals.data<double>(), e, n},
                      e * cost_of_exp);
    });
}

template <bool Log>
void gradient(std::string_view op, const Tensor& y, const Tensor& dy, const Tensor& dx, const ops::Blocks& blocks) {
    const auto [outer, extent, inner] = blocks;
    dispatch_activation(dy.dtype(), op, [&, rows = outer, e = extent, n = inner](auto zero) {
        using T = decltype(zero);
        const T *const kept = y.data<const T>(), *const grad = dy.data<const T>();
        T* const out = dx.data<T>();
        if (n == 1) {
            using Row = std::conditional_t<Log, kernels::LogSoftmaxGradient<T>, kernels::SoftmaxGradient<T>>;
            return kernels::rows(dy.device(), rows, e, Row{kept, grad, out, e}, cost_of_exp);
        }
        const Tensor totals = Tensor::empty({rows * n}, DType::float64, dy.device());
        const ColumnTasks tasks = tasks_of(blocks);
        kernels::rows(dy.device(), tasks.count, tasks.width,
                      kernels::SoftmaxAlongGradient<T, Log>{kept, grad, out, totals.data<double>(), e, n},
                      e * cost_of_exp);
    });
}

template <bool Log>
Tensor softmax_along(std::string_view op, const Tensor& x, int dim) {
    ops::check_floating(op, "the input", x);
    const int axis = ops::checked_dim(op, x, dim);
    const Tensor y = Tensor::empty_like(x);
    if (x.numel() > 0) forward<Log>(op, x, y, ops::blocks_around(x, axis));
    return record(op, y, {x},
                  [saved = Saved(y, op, "result"), op, axis](Tensor dy, Needs) -> Grads {
                      const Tensor kept = saved.get();
                      dy = ops::like_layout(dy, kept);
                      const Tensor dx = ops::reuse_or_empty(dy);
                      if (dy.numel() > 0) gradient<Log>(op, kept, dy, dx, ops::blocks_around(kept, axis));
                      return {dx};
                  },
                  {{"dim", axis}});
}

}  // namespace

Tensor softmax(const Tensor& x, int dim) { return softmax_along<false>("softmax", x, dim); }
Tensor log_softmax(const Tensor& x, int dim) { return softmax_along<true>("log_softmax", x, dim); }
Tensor log_softmax(const Tensor& x) { return log_softmax(x, -1); }

Tensor log_sum_exp(const Tensor& x) {
    ops::check_floating("log_sum_exp", "the input", x);
    RADIAL_CHECK(x.rank() >= 1 && x.size(-1) > 0, "log_sum_exp: input is {}, expected [..., K] with K above 0",
                 x.shape().str());
    return log_sum_exp(x, {-1});
}

}  // namespace radial
