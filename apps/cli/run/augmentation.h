// Options of the augmentation of training images.
#pragma once

#include "radial/apps/cli/option_flags.h"
#include "radial/data/loader.h"

#include <cstdint>
#include <string>
#include <vector>

namespace radial::train {

/// Augmentation of training images. A program with other defaults sets them before it adds the options.
struct AugmentationOptions {
    std::int64_t crop_padding = 0;          ///< pixels of padding per side before a random crop; 0: off
    double random_area = 0;                 ///< smallest area of a random region, as a fraction of the image; 0: off
    double flip = 0;                        ///< probability of a horizontal flip
    std::vector<double> color_jitter = {};  ///< brightness, contrast, saturation, hue; empty: off
    std::int64_t cutout = 0;                ///< side of the square that is erased, in pixels; 0: off
    double erasing = 0;                     ///< probability that a rectangle is replaced by noise
    double mixup = 0, cutmix = 0;           ///< parameter alpha of the beta distribution; 0: off
    bool off = false;                       ///< turns off all of the above

    /// The options by name: see fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        constexpr Limits probability{0, 1}, pixels{0, 1024}, alpha{0, 1000};
        visit("random-area", self.random_area,
              "Random resized crop: smallest share of the image's area; 0 turns it off", probability);
        visit("crop-padding", self.crop_padding, "Random crop: pixels of zero padding on each side; 0 turns it off",
              pixels);
        visit("flip", self.flip, "Probability of a horizontal flip", probability);
        visit("color-jitter", self.color_jitter,
              "Largest change of brightness, contrast, saturation and hue, such as 0.4,0.4,0.4,0.1 (default: none)",
              not_negative);
        visit("cutout", self.cutout, "Cutout: side of the square in pixels; 0 turns it off", pixels);
        visit("erasing", self.erasing, "Random erasing: probability that a rectangle is replaced by noise",
              probability);
        visit("mixup", self.mixup, "Mixup alpha; 0 turns it off", alpha);
        visit("cutmix", self.cutmix, "CutMix alpha; 0 turns it off", alpha);
        visit("no-augment", self.off, "Turn off all augmentation");
    }
};

/// The transforms in their order: colour jitter before normalisation; crop, flip, cutout and erasing after it. Throws
/// Error when `color_jitter` is not empty and does not contain 4 numbers.
data::Transforms make_transforms(const AugmentationOptions& options);

/// Sets the random region, the transforms and the mixing of a loader. Throws as make_transforms() does.
void set_augmentation(const AugmentationOptions& options, data::LoaderOptions& loader);

/// Text for a log: "crop with padding 4, flip 0.5", or "none".
std::string describe(const AugmentationOptions& options);

}  // namespace radial::train
