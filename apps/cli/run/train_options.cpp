// Notes on the options of a training run.
#include "radial/apps/cli/run/train_options.h"

namespace radial::train {

std::vector<std::string> options_without_effect(const TrainOptions& options) {
    std::vector<std::string> notes = optimizer_options_without_effect(options);
    if (options.backbone_lr != 1 && options.freeze == "backbone")
        notes.emplace_back("--backbone-lr has no effect with --freeze backbone");
    const AugmentationOptions& images = options.augmentation;
    if (!images.off && images.crop_border == data::Border::reflect && images.crop_padding == 0)
        notes.emplace_back("--crop-border has no effect without --crop-padding");
    if (images.repeats > 1 && images.off)
        notes.emplace_back("--repeated-augment has no effect with --no-augment");
    else if (images.repeats > 1 && !varies_images(images))
        notes.emplace_back("--repeated-augment repeats each image unchanged without a random augmentation");
    return notes;
}

}  // namespace radial::train
