// The part of a checkpoint's metadata that describes the input images and the classes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace radial::train {

/// The input images and the classes of a checkpoint.
struct InputNotes {
    std::vector<std::string> class_names;    ///< one per class; empty: unknown
    std::vector<std::string> class_folders;  ///< folder of each class in the training set; empty: none
    std::int64_t size = 0, resize = 0;       ///< in pixels: side of the input, shorter side before the crop; 0: unknown
    double val_split = 0;                    ///< share of each class that was held out of the training set; 0: none
    std::uint64_t split_seed = 0;            ///< seed of that split (data::split())
    std::vector<float> mean, std;            ///< of pixels in [0, 1], one per channel or one for all; empty: unknown
};

/// The entries of a checkpoint's metadata: "class_names", "class_folders", "mean" and "std", which are JSON arrays,
/// "image_size" and "resize", which are integers, and "val_split" and "split_seed". Entries that are empty or 0 are
/// left out, but "split_seed" is written whenever "val_split" is.
std::map<std::string, std::string> to_metadata(const InputNotes& notes);
/// The inverse of to_metadata(): members without an entry stay empty or 0. Throws Error for an entry that is not an
/// array of the right type or not a number in its range.
InputNotes input_notes(const std::map<std::string, std::string>& metadata);

}  // namespace radial::train
