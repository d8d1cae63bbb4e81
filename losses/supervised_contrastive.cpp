// SupervisedContrastive: the op, and its entry in the registry.
#include "radial/losses/supervised_contrastive.h"

#include "radial/losses/functional.h"

namespace radial {

SupervisedContrastive::SupervisedContrastive(const SupervisedContrastiveOptions& options)
    : PairLoss("SupervisedContrastive", options.classes, options.dim, true, options.momentum),
      temperature_(options.temperature) {
    RADIAL_CHECK(options.temperature > 0, "SupervisedContrastive: temperature is {}, expected above 0",
                 options.temperature);
}

Tensor SupervisedContrastive::batch_loss(const Tensor& x, const PairLabels& labels) {
    return supervised_contrastive_loss(cosines(x, x), labels, temperature_);
}

LossInfo SupervisedContrastive::info() {
    const SupervisedContrastiveOptions defaults;
    return {
        .name = "supervised-contrastive",
        .formula =
            "mean over a and its positives p of -log softmax over the other samples j of cos(a, j) / temperature, "
            "at p",
        .source = "Khosla et al.: Supervised Contrastive Learning, NeurIPS 2020, Eq. 2",
        .defaults = {{"temperature", defaults.temperature}, {"momentum", defaults.momentum}},
        .make =
            [](std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
                return std::make_unique<SupervisedContrastive>(
                    SupervisedContrastiveOptions{.classes = classes,
                                                 .dim = dim,
                                                 .temperature = settings.at("temperature"),
                                                 .momentum = settings.at("momentum")});
            },
    };
}

}  // namespace radial
