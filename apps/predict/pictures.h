// Pictures on their way from files to a network.
#pragma once

#include "radial/core/tensor/tensor.h"
#include "radial/data/image_folder.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace radial::predict {

/// How a picture becomes a network's input.
struct Preprocessing {
    std::int64_t channels = 3;
    std::int64_t resize = 256;           ///< its shorter side is made so long
    std::int64_t size = 224;             ///< and so large a square cut out of its middle
    std::vector<float> mean, deviation;  ///< of the pixels in [0, 1], one a channel or one for all
};

/// The files named by `paths`: those themselves, and what data::find_images() finds in the folders among them. Throws
/// FileError for a folder without images.
data::FoundImages picture_files(const std::vector<std::filesystem::path>& paths);

/// Some pictures, ready for the network.
struct PictureBatch {
    std::vector<std::filesystem::path> files;  ///< of which there is a row in `images`
    std::vector<std::string> problems;         ///< one for each file that could not be read
    Tensor images;                             ///< float32 [files, channels, size, size] on the CPU, undefined for none
};
/// Reads the files. Throws FileError for one that cannot be read, unless `skip_bad`.
PictureBatch read_pictures(std::span<const std::filesystem::path> files, const Preprocessing& preprocessing,
                           bool skip_bad);

}  // namespace radial::predict
