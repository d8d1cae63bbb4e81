// What happens to training images.
#pragma once

#include "radial/data/loader.h"

#include <cstdint>
#include <string>
#include <vector>

namespace radial::train {

/// The transforms of training images; a program with other defaults sets them first.
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

/// The transforms in the order jitter of colours, then, after normalisation, crop, flip, cutout, erasing.
/// Throws Error for a jitter that is not 4 numbers.
data::Transforms make_transforms(const AugmentationOptions& options);

/// Has a loader do all of it: its random region, transforms and mixing.
void set_augmentation(const AugmentationOptions& options, data::LoaderOptions& loader);

/// "crop with padding 4, flip 0.5", or "none".
std::string describe(const AugmentationOptions& options);

}  // namespace radial::train
