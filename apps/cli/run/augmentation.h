// Options of the images that a run reads: the size of the input, decoding, unreadable files, and augmentation.
#pragma once

#include "radial/apps/train/run/input_notes.h"
#include "radial/data/loader.h"
#include "radial/models/registry.h"

#include <cstdint>
#include <string>
#include <vector>

namespace radial::train {

/// How image files are converted to inputs of one size.
struct PictureOptions {
    /// Side of the network's square input in pixels. 0: that of the checkpoint (InputNotes::size), or else the
    /// network's (ModelInfo::image).
    std::int64_t image_size = 0;
    /// Length of the shorter side before the center crop of evaluation, in pixels. 0: that of the checkpoint if the
    /// image size is taken from there too, or else 8/7 of the image size.
    std::int64_t resize = 0;
    bool exact_decoding = false;  ///< decode training JPEGs at full size even if the crop is at most half as large
    bool skip_corrupt = false;    ///< skip files that cannot be read instead of throwing
};

/// The resize and the center crop of evaluation. Throws Error when `resize` is below the image size.
data::EvaluationView view_of(const PictureOptions& options, const ModelInfo& model, const InputNotes& notes = {});

/// Sets how a loader decodes files and treats those that cannot be read: with `skip_corrupt`, training replaces such a
/// file with the next one, and evaluation leaves it out.
void set_pictures(const PictureOptions& options, bool train, data::LoaderOptions& loader);

/// A report on the files that a loader skipped: a line with their number, then a line per file. Empty when there are
/// none.
std::vector<std::string> problem_lines(const data::Loader& loader);

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
};

/// The transforms in their order: colour jitter before normalisation; crop, flip, cutout and erasing after it. Throws
/// Error when `color_jitter` is not empty and does not contain 4 numbers.
data::Transforms make_transforms(const AugmentationOptions& options);

/// Sets the random region, the transforms and the mixing of a loader. Throws as make_transforms() does.
void set_augmentation(const AugmentationOptions& options, data::LoaderOptions& loader);

/// Text for a log: "crop with padding 4, flip 0.5", or "none".
std::string describe(const AugmentationOptions& options);

}  // namespace radial::train
