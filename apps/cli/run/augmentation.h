// Options of the images that a run reads: the size of the input, decoding, unreadable files, and augmentation.
#pragma once

#include "radial/apps/cli/option_flags.h"
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

    /// The options by name, those for training or those for evaluation: see fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit, bool train) {
        constexpr Limits side{0, 100000};
        visit("image-size", self.image_size,
              train ? "Side of the square input image; 0 uses the network's own"
                    : "Side of the square input image; 0 uses the size in training",
              side);
        visit("resize", self.resize,
              "Evaluation: length of the shorter side before the center crop; 0 uses 8/7 of --image-size", side);
        if (train) {
            visit("exact-decoding", self.exact_decoding,
                  "Decode training JPEGs at full size, even if the crop is reduced by half or more");
        }
        visit("skip-corrupt", self.skip_corrupt,
              train ? "Replace unreadable training files by the next one, skip unreadable test files, and count both"
                    : "Skip files that cannot be read, and count them");
    }
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
    std::int64_t crop_padding = 0;                  ///< pixels of padding per side before a random crop; 0: off
    data::Border crop_border = data::Border::zero;  ///< content of that padding
    double random_area = 0;                 ///< smallest area of a random region, as a fraction of the image; 0: off
    double flip = 0;                        ///< probability of a horizontal flip
    bool alternating_flip = false;          ///< flip in every other epoch instead (LoaderOptions::alternating_flip)
    bool trivial_augment = false;           ///< one random operation of random strength
    std::vector<double> rand_augment = {};  ///< number of random operations, and their strength; empty: off
    std::vector<double> color_jitter = {};  ///< brightness, contrast, saturation, hue; empty: off
    std::int64_t cutout = 0;                ///< side of the square that is erased, in pixels; 0: off
    double erasing = 0;                     ///< probability that a rectangle is replaced by noise
    double mixup = 0, cutmix = 0;           ///< parameter alpha of the beta distribution; 0: off
    std::int64_t repeats = 1;               ///< uses of an image in a batch (LoaderOptions::repeats)
    bool off = false;                       ///< turns off all of the above

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        constexpr Limits probability{0, 1}, pixels{0, 1024}, alpha{0, 1000};
        visit("random-area", self.random_area,
              "Random resized crop: smallest share of the image's area; 0 turns it off", probability);
        visit("crop-padding", self.crop_padding, "Random crop: pixels of padding on each side; 0 turns it off", pixels);
        visit("crop-border", self.crop_border, "Content of the padding: zero, or reflect (the image at its edge)");
        visit("flip", self.flip, "Probability of a horizontal flip", probability);
        visit("alternating-flip", self.alternating_flip,
              "Instead of --flip: flip half of the images in even epochs and the others in odd epochs");
        visit("trivial-augment", self.trivial_augment,
              "TrivialAugment: one of 14 operations on each image, with random strength");
        visit("rand-augment", self.rand_augment,
              "RandAugment: number of operations on each image and their strength from 0 to 30, such as 2,9 (default: "
              "none)",
              not_negative);
        visit("color-jitter", self.color_jitter,
              "Largest change of brightness, contrast, saturation and hue, such as 0.4,0.4,0.4,0.1 (default: none)",
              not_negative);
        visit("cutout", self.cutout, "Cutout: side of the square in pixels; 0 turns it off", pixels);
        visit("erasing", self.erasing, "Random erasing: probability that a rectangle is replaced by noise",
              probability);
        visit("mixup", self.mixup, "Mixup alpha; 0 turns it off", alpha);
        visit("cutmix", self.cutmix, "CutMix alpha; 0 turns it off", alpha);
        visit("repeated-augment", self.repeats,
              "Repeated augmentation: use an image this many times in a row, each time augmented anew; an epoch has as "
              "many fewer images",
              Limits{1, 1000});
        visit("no-augment", self.off, "Turn off all augmentation");
    }
};

/// The transforms in their order: TrivialAugment, RandAugment and colour jitter before normalisation; crop, flip,
/// cutout and erasing after it. Throws Error when `rand_augment` is not empty and does not contain two whole numbers,
/// and when `color_jitter` is not empty and does not contain 4 numbers.
data::Transforms make_transforms(const AugmentationOptions& options);

/// Throws Error when the inputs of a data set, of shape `input`, are images that are too small for a reflected border.
void check_augmentation(const AugmentationOptions& options, const Shape& input);

/// Sets the transforms, the alternating flip, the random region, the mixing and the repeats of a loader. Throws as
/// make_transforms() does.
void set_augmentation(const AugmentationOptions& options, data::LoaderOptions& loader);

/// Whether the options change an image differently each time it is used.
bool varies_images(const AugmentationOptions& options);

/// Text for a log: "crop with padding 4, flip 0.5", or "none".
std::string describe(const AugmentationOptions& options);

}  // namespace radial::train
