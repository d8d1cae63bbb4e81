// Cross-entropy of logits, and the plain softmax head.
#include "radial/losses/functional.h"
#include "radial/losses/heads/head.h"

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
