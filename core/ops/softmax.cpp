// log_softmax, cross-entropy, and the plain softmax head.
#include "radial/core/kernels/log_sum_exp.h"

#include "radial/core/ops/head.h"

namespace radial {
namespace {

using namespace ops;

constexpr std::int64_t row_cost = 8;  // an exp, in plain operations

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

Tensor log_softmax(const Tensor& x) {
    check_given("log_softmax", "logits", x);
    const std::int64_t batch = x.size(0), classes = x.size(1);
    const Tensor y = Tensor::empty_like(x);
    dispatch_floating(x.dtype(), "log_softmax", [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(x.device(), batch, classes, kernels::LogSoftmax<T>{x.data<const T>(), y.data<T>(), classes},
                      row_cost);
    });
    return record("log_softmax", y, {x}, [saved = Saved(y, "log_softmax", "result")](Tensor dy, Needs) -> Grads {
        const Tensor kept = saved.get(), dx = ops::reuse_or_empty(dy);
        const std::int64_t columns = kept.size(1);
        dispatch_floating(dy.dtype(), "log_softmax", [&](auto zero) {
            using T = decltype(zero);
            kernels::rows(
                dy.device(), kept.size(0), columns,
                kernels::LogSoftmaxGradient<T>{kept.data<const T>(), dy.data<const T>(), dx.data<T>(), columns},
                row_cost);
        });
        return {dx};
    });
}

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
