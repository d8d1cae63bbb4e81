// What a checkpoint says, beside its tensors, of the images that its network wants and of what it tells apart.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace radial::train {

struct InputNotes {
    std::vector<std::string> class_names;    ///< one a class; empty: unknown
    std::vector<std::string> class_folders;  ///< of the training images, where classes had some; else empty
    std::int64_t size = 0, resize = 0;       ///< side of the images, and that the shorter was resized to; 0: unknown
    std::vector<float> mean, deviation;      ///< of the pixels in [0, 1], one a channel or one for all; empty: unknown
};

/// As entries of a checkpoint's metadata, "class_names", "class_folders", "mean" and "deviation", JSON lists, and
/// "image_size" and "resize", numbers; left out where empty or 0.
std::map<std::string, std::string> to_metadata(const InputNotes& notes);
/// The inverse; entries that are not there stay empty. Throws Error for one that is no such list or
/// number.
InputNotes input_notes(const std::map<std::string, std::string>& metadata);

}  // namespace radial::train
