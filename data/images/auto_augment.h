// Augmentation by operations drawn at random: TrivialAugment, which also draws their strength, and RandAugment, whose
// strength is fixed.
#pragma once

#include "radial/data/images/transforms.h"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace radial::data {

/// An operation on the pixels of an image. The magnitudes are those of torchvision's AutoAugment.
enum class AutoOperation : std::uint8_t {
    identity,      ///< no change
    shear_x,       ///< by the magnitude in pixels per row, around the top left corner
    shear_y,       ///< by the magnitude in pixels per column, around the top left corner
    translate_x,   ///< by whole pixels to the right
    translate_y,   ///< by whole pixels down
    rotate,        ///< by degrees counter-clockwise, around the centre
    brightness,    ///< blends with black; here and in the next three, the image has the weight 1 + magnitude
    color,         ///< blends with the grey image
    contrast,      ///< blends with the mean grey
    sharpness,     ///< blends with the blurred image
    posterize,     ///< keeps as many bits of each value as the magnitude
    solarize,      ///< inverts values (of 0 to 255) of at least the magnitude
    autocontrast,  ///< stretches each channel to [0, 255]
    equalize,      ///< equalises the histogram of each channel
};
/// The names of the operations.
constexpr auto words_of(AutoOperation /*value*/) {
    return std::to_array<std::string_view>({"identity", "shear-x", "shear-y", "translate-x", "translate-y", "rotate",
                                            "brightness", "color", "contrast", "sharpness", "posterize", "solarize",
                                            "autocontrast", "equalize"});
}

/// Applies an operation with the results of torchvision 0.29 for uint8 tensors: values are first rounded to multiples
/// of 1/255, geometric operations use the nearest pixel, and pixels outside the image are 0. `image` has values in [0,
/// 1].
void apply(AutoOperation operation, double magnitude, Image& image);

/// The 31 magnitudes of an operation in trivial_augment(), from weak to strong. Those of the operations from shear_x to
/// sharpness are negated half of the time; those of identity, autocontrast and equalize are 0.
std::vector<double> trivial_augment_magnitudes(AutoOperation operation);
/// Like trivial_augment_magnitudes(), for rand_augment() and an image of this height and width in pixels.
std::vector<double> rand_augment_magnitudes(AutoOperation operation, std::int64_t height, std::int64_t width);

/// TrivialAugment, Wide (Mueller & Hutter, "TrivialAugment: Tuning-free Yet State-of-the-Art Data Augmentation", ICCV
/// 2021): one of the 14 operations with one of 31 magnitudes, both drawn uniformly, as in torchvision's
/// TrivialAugmentWide. Use it in Transforms::pixels.
Transform trivial_augment();

/// Options of rand_augment().
struct RandAugmentOptions {
    std::int64_t operations = 2;  ///< N: number of operations per image, at least 1
    std::int64_t magnitude = 9;   ///< M: strength of all of them, from 0 to 30
};
/// RandAugment (Cubuk et al., "RandAugment: Practical Automated Data Augmentation with a Reduced Search Space", 2020):
/// N of the 14 operations, drawn with replacement, with magnitude M, as in torchvision's RandAugment. Use it in
/// Transforms::pixels. Throws Error for options out of their range.
Transform rand_augment(const RandAugmentOptions& options = {});

}  // namespace radial::data
