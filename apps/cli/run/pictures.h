// How the files of a data set become images of one size.
#pragma once

#include "radial/apps/train/run/input_notes.h"
#include "radial/data/loader.h"
#include "radial/models/registry.h"

#include <cstdint>
#include <string>
#include <vector>

namespace radial::train {

struct PictureOptions {
    std::int64_t image_size = 0;  ///< side of what the network sees; 0: as noted in the checkpoint, else the network's
    std::int64_t resize = 0;      ///< the shorter side in evaluation; 0: as noted, else 8/7 of image_size
    bool exact_decoding = false;  ///< never decode a training picture at a reduced size
    bool skip_corrupt = false;    ///< do without files that cannot be read
};

/// What of a picture evaluation sees. Throws Error when `resize` is below the image's size.
data::EvaluationView view_of(const PictureOptions& options, const ModelInfo& model, const InputNotes& notes = {});

/// Has a loader decode and skip so: while training another file takes a corrupt one's place, evaluation does without.
void set_pictures(const PictureOptions& options, bool train, data::LoaderOptions& loader);

/// What there is to say of the files that a loader skipped: how many, and a line each. Empty when there were none.
std::vector<std::string> problem_lines(const data::Loader& loader);

}  // namespace radial::train
