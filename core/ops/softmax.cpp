// The logarithms of softmax and of sums of exponentials, along the last dimension.
#include "radial/core/ops/kernels/log_sum_exp.h"

#include "radial/core/ops/common.h"
#include "radial/core/tensor/types.h"

#include <vector>

namespace radial {
namespace {

constexpr std::int64_t cost_of_exp = 8;  // in plain operations

}  // namespace

Tensor log_softmax(const Tensor& x) {
    ops::check_given("log_softmax", "logits", x);
    const std::int64_t batch = x.size(0), classes = x.size(1);
    const Tensor y = Tensor::empty_like(x);
    dispatch_floating(x.dtype(), "log_softmax", [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(x.device(), batch, classes, kernels::LogSoftmax<T>{x.data<const T>(), y.data<T>(), classes},
                      cost_of_exp);
    });
    return record("log_softmax", y, {x}, [saved = Saved(y, "log_softmax", "result")](Tensor dy, Needs) -> Grads {
        const Tensor kept = saved.get(), dx = ops::reuse_or_empty(dy);
        const std::int64_t columns = kept.size(1);
        dispatch_floating(dy.dtype(), "log_softmax", [&](auto zero) {
            using T = decltype(zero);
            kernels::rows(
                dy.device(), kept.size(0), columns,
                kernels::LogSoftmaxGradient<T>{kept.data<const T>(), dy.data<const T>(), dx.data<T>(), columns},
                cost_of_exp);
        });
        return {dx};
    });
}

Tensor log_sum_exp(const Tensor& x) {
    ops::check_floating("log_sum_exp", "the input", x);
    RADIAL_CHECK(x.rank() >= 1 && x.size(-1) > 0, "log_sum_exp: input is {}, expected [..., K] with K above 0",
                 x.shape().str());
    const Tensor in = x.to(Layout::row_major);
    const std::int64_t columns = x.size(-1), rows = x.numel() / columns;
    std::vector<std::int64_t> rest;
    for (int d = 0; d + 1 < x.rank(); ++d) rest.push_back(x.size(d));
    const Tensor y = Tensor::empty(Shape(std::span<const std::int64_t>(rest)), x.dtype(), x.device());
    const Tensor tops = Tensor::empty_like(y), logs = Tensor::empty_like(y);  // backward cannot do with their sum
    dispatch_floating(x.dtype(), "log_sum_exp", [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(
            x.device(), rows, columns,
            kernels::LogSumExpRow<T>{in.data<const T>(), y.data<T>(), tops.data<T>(), logs.data<T>(), columns},
            cost_of_exp);
    });
    return record(
        "log_sum_exp", y, {x},
        [saved = Saved(in, "log_sum_exp", "input"), tops, logs, rows, columns](const Tensor& dy, Needs) -> Grads {
            const Tensor kept = saved.get(), grad = dy.to(Layout::row_major);
            const Tensor dx = Tensor::empty_like(kept);
            dispatch_floating(dy.dtype(), "log_sum_exp", [&](auto zero) {
                using T = decltype(zero);
                kernels::map2(
                    dy.device(), rows, columns,
                    kernels::LogSumExpGradient<T>{kept.data<const T>(), tops.data<const T>(), logs.data<const T>(),
                                                  grad.data<const T>(), dx.data<T>(), columns});
            });
            return {dx};
        });
}

}  // namespace radial
