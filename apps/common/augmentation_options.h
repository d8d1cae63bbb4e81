// What happens to training images, as flags.
#pragma once

#include "radial/apps/common/cli_forward.h"
#include "radial/data/loader.h"

#include <cstdint>
#include <string>
#include <vector>

namespace radial::apps {

/// The transforms of training images; a program with other defaults sets them before adding flags.
struct AugmentationOptions {
    std::int64_t crop_padding = 0;  ///< 0: images are not moved
    double random_area = 0;         ///< least part of the area of a random region; 0: the image as evaluation sees it
    double flip = 0;                ///< probability
    std::vector<double> color_jitter = {};  ///< brightness, contrast, saturation, hue; empty: colours stay
    std::int64_t cutout = 0;                ///< pixels a side; 0: no hole
    double erasing = 0;                     ///< probability
    double mixup = 0, cutmix = 0;           ///< alphas; 0: images are not mixed
    bool off = false;                       ///< none of them
};

/// Adds --random-area, --crop-padding, --flip, --color-jitter, --cutout, --erasing, --mixup, --cutmix and --no-augment,
/// which wins over the others.
void add_augmentation_options(CLI::App& app, AugmentationOptions& options);

/// The transforms in the order jitter of colours, then, after normalisation, crop, flip, cutout, erasing.
/// Throws Error for a jitter that is not 4 numbers.
data::Transforms make_transforms(const AugmentationOptions& options);

/// Has a loader do all of it: its random region, transforms and mixing.
void set_augmentation(const AugmentationOptions& options, data::LoaderOptions& loader);

/// "crop with padding 4, flip 0.5", or "none".
std::string describe(const AugmentationOptions& options);

}  // namespace radial::apps
