// Helpers of the heads, and the heads over inner products and over given logits.
#include "radial/core/ops/common.h"
#include "radial/losses/functional.h"
#include "radial/losses/heads/head.h"

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

namespace radial {
namespace {

using namespace ops;

struct LinearMaker {
    static constexpr bool per_class_is_factor = false;

    template <class T, class F>
    void with(const LinkTensors& tensors, const F& f) const {
        if (tensors.per_class.defined()) {
            f(kernels::LinearLink<T, true>{tensors.per_class.data<const T>()});
        } else {
            f(kernels::LinearLink<T, false>{nullptr});
        }
    }
};

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& labels, const HeadOptions& options) {
    check_given("cross_entropy", "logits", logits);
    check_labels("cross_entropy", labels, logits.size(0), logits.size(1));
    const Tensor z = logits.dtype() == DType::bfloat16 ? cast(logits, DType::float32) : logits;
    check_head_options("cross_entropy", options, logits.size(1), z);
    return head_op<kernels::Product>("cross_entropy", {{}, z, labels, options}, {}, {}, LinearMaker{});
}

Tensor softmax_loss(const Tensor& feature, const Tensor& weight, const Tensor& bias, const Tensor& labels,
                    const HeadOptions& options) {
    check_head_inputs("softmax_loss", feature, "weight", weight);
    check_labels("softmax_loss", labels, feature.size(0), weight.size(0));
    check_head_options("softmax_loss", options, weight.size(0), weight);
    check_head_vector("softmax_loss", "bias", bias, weight.size(0), weight);
    return head_op<kernels::Product>("softmax_loss", {feature.to(weight.dtype()), weight, labels, options}, feature,
                                     {{}, bias, {}}, LinearMaker{});
}

}  // namespace radial
