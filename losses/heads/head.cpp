// What the softmax heads share beside their engine: checks, and gradients of factors and rows.
#include "radial/losses/heads/head.h"

#include "radial/core/ops/mixed.h"
#include "radial/losses/functional.h"

namespace radial::ops {

void check_head_options(std::string_view op, const HeadOptions& options, std::int64_t classes, const Tensor& like) {
    RADIAL_CHECK(options.smoothing >= 0 && options.smoothing <= 1, "{}: smoothing is {}, expected within [0, 1]", op,
                 options.smoothing);
    check_head_vector(op, "class_weights", options.class_weights, classes, like);
}

void check_head_inputs(std::string_view op, const Tensor& feature, std::string_view name, const Tensor& classes) {
    check_floating(op, "feature", feature);
    check_weight(op, feature, name, classes);
    check_rank(op, "feature", feature, 2, "[N, D]");
    check_rank(op, name, classes, 2, "[C, D]");
    RADIAL_CHECK(feature.size(1) == classes.size(1), "{}: feature has dimension {}, {} expect{} {}", op,
                 feature.size(1), name, name.back() == 's' ? "" : "s", classes.size(1));
    RADIAL_CHECK(feature.size(0) > 0 && classes.size(0) > 0,
                 "{}: feature is {} and {} {}, expected at least one of each", op, feature.shape().str(), name,
                 classes.shape().str());
}

void check_head_vector(std::string_view op, std::string_view name, const Tensor& x, std::int64_t count,
                       const Tensor& like) {
    if (!x.defined()) return;
    RADIAL_CHECK(x.shape() == Shape{count} && x.dtype() == like.dtype(), "{}: {} is {}, expected {}[{}]", op, name,
                 x.str(), name_of(like.dtype()), count);
    check_device(op, like, name, x);
}

Tensor factor_gradient(const Tensor& sums, const Tensor& by) {
    const Tensor result = Tensor::empty_like(by);
    dispatch_floating(by.dtype(), "factor_gradient", [&](auto zero) {
        using T = decltype(zero);
        if (by.numel() == sums.numel()) {
            kernels::map(by.device(), by.numel(),
                         kernels::RatioOrZero<T>{sums.data<const T>(), by.data<const T>(), result.data<T>()});
        } else {
            const Tensor total = Tensor::empty_like(by);
            kernels::reduce(by.device(), sums.numel(), kernels::Element<T>{sums.data<const T>()}, 1.0, total.data<T>());
            kernels::map(by.device(), 1,
                         kernels::RatioOrZero<T>{total.data<const T>(), by.data<const T>(), result.data<T>()});
        }
    });
    return result;
}

}  // namespace radial::ops
