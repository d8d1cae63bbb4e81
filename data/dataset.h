// A labelled set of images, held in memory or in files, as every benchmark program reads it.
#pragma once

#include "radial/core/tensor/tensor.h"
#include "radial/data/view.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace radial::data {

/// Images as bytes and their labels. A set that is too large to be kept decoded names its files in the place of
/// `images`; whoever needs one decodes it then.
struct Dataset {
    Tensor images;                         ///< uint8 [N, C, H, W]; undefined when they are in `files`
    Tensor labels;                         ///< int64 [N]
    std::vector<std::string> class_names;  ///< one a class
    /// JPEG and PNG files, one a sample, of any sizes; null when the images are in memory.
    std::shared_ptr<const std::vector<std::filesystem::path>> files = nullptr;
    std::vector<std::string> class_folders = {};  ///< one a class, where each has a folder of files; else empty
    bool names_are_guessed = false;       ///< by where the set lies: the data do not say what their classes are called
    std::vector<std::string> notes = {};  ///< what its reader has left out and a user should know
    EvaluationView view = {};             ///< what is seen of a file: its `crop` is also the size of training images

    std::int64_t size() const;
    std::int64_t channels() const { return files ? 3 : images.size(1); }
    std::int64_t classes() const { return static_cast<std::int64_t>(class_names.size()); }
    /// The first `count` samples, sharing storage. Throws Error when there are fewer.
    Dataset first(std::int64_t count) const;
    /// One image for showing, as evaluation sees it: uint8 [C, H, W]. Throws Error when there is no such sample, and
    /// FileError naming a file that cannot be read.
    Tensor picture(std::int64_t sample) const;
};

}  // namespace radial::data
