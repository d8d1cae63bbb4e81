// A labelled set of images held in memory, as every benchmark program reads it.
#pragma once

#include "radial/core/tensor.h"

#include <filesystem>
#include <string>
#include <vector>

namespace radial::data {

/// Images as bytes and their labels.
struct Dataset {
    Tensor images;                         ///< uint8 [N, C, H, W]
    Tensor labels;                         ///< int64 [N]
    std::vector<std::string> class_names;  ///< one a class

    std::int64_t size() const { return images.size(0); }
    std::int64_t classes() const { return static_cast<std::int64_t>(class_names.size()); }
    /// The first `count` samples, sharing storage. Throws Error when there are fewer.
    Dataset first(std::int64_t count) const;
};

}  // namespace radial::data
