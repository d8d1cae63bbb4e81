// Softmax over squared distances with a margin on the true class, for vectors or for given distances.
#include "radial/losses/functional.h"
#include "radial/losses/heads/head.h"

namespace radial {
namespace {

using namespace ops;

struct DistanceMaker {
    static constexpr bool per_class_is_factor = false;
    double gamma, margin, product_slope;

    template <class T, class F>
    void with(const LinkTensors& tensors, const F& f) const {
        f(kernels::DistanceLink<T>{static_cast<T>(gamma), static_cast<T>(margin), data_or_null<T>(tensors.per_class),
                                   static_cast<T>(product_slope)});
    }
};

void check_logits(std::string_view op, const DistanceLogits& kernel, std::int64_t classes, const Tensor& like) {
    RADIAL_CHECK(kernel.gamma > 0, "{}: gamma is {}, expected above 0", op, kernel.gamma);
    RADIAL_CHECK(kernel.margin >= 0, "{}: margin is {}, expected at least 0", op, kernel.margin);
    check_head_vector(op, "bias", kernel.bias, classes, like);
}

}  // namespace

Tensor distance_softmax_loss(const Tensor& feature, const Tensor& prototypes, const Tensor& labels,
                             const DistanceLogits& kernel, const HeadOptions& options) {
    constexpr std::string_view op = "distance_softmax_loss";
    check_head_inputs(op, feature, "prototypes", prototypes);
    check_labels(op, labels, feature.size(0), prototypes.size(0));
    check_head_options(op, options, prototypes.size(0), prototypes);
    check_logits(op, kernel, prototypes.size(0), prototypes);
    const DistanceMaker maker{kernel.gamma, kernel.margin, kernels::SquaredDistance::slope(0.0, 0.0)};
    return head_op<kernels::SquaredDistance>("distance_softmax_loss",
                                             {feature.to(prototypes.dtype()), prototypes, labels, options}, feature,
                                             {{}, kernel.bias, {}}, maker);
}

Tensor distance_cross_entropy(const Tensor& distances, const Tensor& labels, const DistanceLogits& kernel,
                              const HeadOptions& options) {
    constexpr std::string_view op = "distance_cross_entropy";
    check_given(op, "distances", distances);
    check_labels(op, labels, distances.size(0), distances.size(1));
    check_head_options(op, options, distances.size(1), distances);
    check_logits(op, kernel, distances.size(1), distances);
    const DistanceMaker maker{kernel.gamma, kernel.margin, 1.0};
    return head_op<kernels::Product>("distance_cross_entropy", {{}, distances, labels, options}, {},
                                     {{}, kernel.bias, {}}, maker);
}

}  // namespace radial
