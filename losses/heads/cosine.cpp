// Softmax over cosines with a margin on the true class, for vectors or for given cosines.
#include "radial/losses/functional.h"
#include "radial/losses/heads/head.h"

namespace radial {
namespace {

using namespace ops;

constexpr double pi = 3.14159265358979323846;

struct CosineMaker {
    static constexpr bool per_class_is_factor = false;
    double scale, angle, cosine;
    int multiple;
    Saved blend, hardness;

    template <class T, class F>
    void with(const LinkTensors& tensors, const F& f) const {
        const Tensor b = blend.get(), h = hardness.get(), factor = tensors.scale_factor;
        const std::int64_t step = factor.defined() && factor.numel() != 1 ? 1 : 0;
        const auto give = [&](auto link) {
            link = {.scale = static_cast<T>(scale),
                    .angle = static_cast<T>(angle),
                    .cosine = static_cast<T>(cosine),
                    .multiple = multiple,
                    .scale_factor = data_or_null<T>(factor),
                    .scale_step = step,
                    .sample_angle = data_or_null<T>(tensors.sample_angle),
                    .blend = data_or_null<T>(b),
                    .hardness = data_or_null<T>(h)};
            f(link);
        };
        if (h.defined()) {
            give(kernels::CosineLink<T, true>{});
        } else {
            give(kernels::CosineLink<T, false>{});
        }
    }
};

void check_margin(std::string_view op, const CosineMargin& margin, std::int64_t batch, const Tensor& like) {
    RADIAL_CHECK(margin.scale > 0, "{}: scale is {}, expected above 0", op, margin.scale);
    RADIAL_CHECK(margin.angle >= 0 && margin.angle < pi, "{}: angle is {}, expected within [0, pi)", op, margin.angle);
    RADIAL_CHECK(margin.multiple >= 1, "{}: multiple is {}, expected at least 1", op, margin.multiple);
    const bool additive = margin.angle != 0 || margin.cosine != 0 || margin.sample_angle.defined();
    RADIAL_CHECK(margin.multiple == 1 || !additive, "{}: multiple is {}, which allows no angle or cosine beside it", op,
                 margin.multiple);
    const bool one = !margin.scale_factor.defined() || margin.scale_factor.numel() == 1;
    check_head_vector(op, "scale_factor", margin.scale_factor, one ? 1 : batch, like);
    check_head_vector(op, "sample_angle", margin.sample_angle, batch, like);
    check_head_vector(op, "blend", margin.blend, 1, like);
    check_head_vector(op, "hardness", margin.hardness, 1, like);
}

CosineMaker maker_of(std::string_view op, const CosineMargin& margin) {
    return {margin.scale,
            margin.angle,
            margin.cosine,
            margin.multiple,
            Saved(margin.blend.defined() ? margin.blend.clone() : Tensor(), op, "blend"),
            Saved(margin.hardness.defined() ? margin.hardness.clone() : Tensor(), op, "hardness")};
}

}  // namespace

Tensor cosine_softmax_loss(const Tensor& feature, const Tensor& weight, const Tensor& labels,
                           const CosineMargin& margin, const HeadOptions& options, Tensor* own) {
    constexpr std::string_view op = "cosine_softmax_loss";
    check_head_inputs(op, feature, "weight", weight);
    check_labels(op, labels, feature.size(0), weight.size(0));
    check_head_options(op, options, weight.size(0), weight);
    check_margin(op, margin, feature.size(0), weight);
    HeadState state;
    const Tensor loss =
        head_op<kernels::Cosine>("cosine_softmax_loss", {feature.to(weight.dtype()), weight, labels, options}, feature,
                                 {margin.scale_factor, {}, margin.sample_angle}, maker_of(op, margin), &state);
    if (own != nullptr) *own = state.own;
    return loss;
}

Tensor margin_cross_entropy(const Tensor& cosines, const Tensor& labels, const CosineMargin& margin,
                            const HeadOptions& options) {
    constexpr std::string_view op = "margin_cross_entropy";
    check_given(op, "cosines", cosines);
    check_labels(op, labels, cosines.size(0), cosines.size(1));
    check_head_options(op, options, cosines.size(1), cosines);
    check_margin(op, margin, cosines.size(0), cosines);
    return head_op<kernels::Product>("margin_cross_entropy", {{}, cosines, labels, options}, {},
                                     {margin.scale_factor, {}, margin.sample_angle}, maker_of(op, margin));
}

}  // namespace radial
