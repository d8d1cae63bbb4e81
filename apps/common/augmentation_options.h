// What happens to training images, as flags.
#pragma once

#include "radial/data/transforms.h"

#include <CLI/CLI.hpp>

#include <cstdint>

namespace radial::apps {

/// The transforms of training images; a program with other defaults sets them before adding flags.
struct AugmentationOptions {
    std::int64_t crop_padding = 0;  ///< 0: images are not moved
    double flip = 0;                ///< probability
    std::int64_t cutout = 0;        ///< pixels a side; 0: no hole
    double erasing = 0;             ///< probability
    bool off = false;               ///< none of them
};

/// Adds --crop-padding, --flip, --cutout, --erasing and --no-augment, which wins over the others.
void add_augmentation_options(CLI::App& app, AugmentationOptions& options);

/// The transforms in the order crop, flip, cutout, erasing, all after normalisation.
data::Transforms make_transforms(const AugmentationOptions& options);

/// "crop with padding 4, flip 0.5", or "none".
std::string describe(const AugmentationOptions& options);

}  // namespace radial::apps
