// Options for data sets of image files: the size of the input, decoding, and unreadable files.
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
                    : "Side of the square input image; 0 uses the size of training",
              side);
        visit("resize", self.resize,
              "Evaluation: length of the shorter side before the center crop; 0 uses 8/7 of --image-size", side);
        if (train) {
            visit("exact-decoding", self.exact_decoding,
                  "Decode training JPEGs at full size, even where the crop is reduced by half or more");
        }
        visit("skip-corrupt", self.skip_corrupt,
              train ? "Replace training files that cannot be read by the next one, skip such test files, and count both"
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

}  // namespace radial::train
