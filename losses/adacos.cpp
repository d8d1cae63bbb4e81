// AdaCos: the scale and how it adapts, and its entry in the registry.
#include "radial/losses/adacos.h"

#include "radial/core/distributed/over_ranks.h"
#include "radial/losses/functional.h"

#include <cmath>

namespace radial {

AdaCos::AdaCos(const AdaCosOptions& options)
    : CosineHead("AdaCos", options.classes, options.dim, 1.0, options.softmax), dynamic_(options.dynamic) {
    RADIAL_CHECK(options.classes >= 3, "AdaCos: {} classes, expected at least 3, for a scale above 0", options.classes);
    s_ = register_buffer("s", Tensor::full({1}, std::sqrt(2.0) * std::log(static_cast<double>(options.classes - 1))),
                         BufferKind::statistic);
}

Tensor AdaCos::margin_loss(const Tensor& feature, const Tensor& labels) {
    if (training() && dynamic_) adapt(rows_of_all_ranks(feature), rows_of_all_ranks(labels));
    // A copy: the next forward() moves the buffer, perhaps before this one's backward().
    return cosine_softmax_loss(feature, weight(), labels, {.scale = 1, .scale_factor = s_.clone()}, head(weight()));
}

void AdaCos::adapt(const Tensor& feature, const Tensor& labels) {
    const NoGrad no_grad;
    constexpr double cos_quarter_pi = 0.70710678118654752;
    const Tensor all = all_cosines(feature), own = pick(all, labels);
    const Tensor others = sum(exp(all * s_), {1}) - exp(own * s_);
    // The smallest angle is the largest cosine, and min(pi / 4, angle) a cosine of at least cos(pi / 4).
    const Tensor middle = -median(-own);
    s_.copy_(reshape(log(mean(others)), {1}) / clamp(reshape(middle, {1}), cos_quarter_pi, 1));
}

LossInfo AdaCos::info() {
    return {
        .name = "adacos",
        .formula = "mean over i of -log softmax_j(s * cos(x_i, W_j))[y_i], s from the batch's cosines",
        .source = "Zhang, Zhao, Qiao, Wang, Li: AdaCos, CVPR 2019, Eq. 12 to 15",
        .defaults = with_settings({{"dynamic", 1}}),
        .make =
            [](std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
                return std::make_unique<AdaCos>(AdaCosOptions{
                    .classes = classes, .dim = dim, .dynamic = settings.at("dynamic") != 0, .softmax = read(settings)});
            },
    };
}

}  // namespace radial
