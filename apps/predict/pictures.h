// The input of radial-predict's commands: the weights, the pictures and how they are prepared, and the network.
#pragma once

#include "radial/apps/cli/cli_forward.h"
#include "radial/apps/train/precision.h"
#include "radial/apps/train/run/weights.h"
#include "radial/core/tensor/tensor.h"
#include "radial/data/image_folder.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace radial::predict {

/// The options that all commands have.
struct InputOptions {
    std::filesystem::path weights;              ///< checkpoint of Radial, or weights of torchvision or timm
    std::string model, format;                  ///< see train::open_weights()
    std::vector<std::filesystem::path> images;  ///< files and folders
    std::int64_t batch = 32;                    ///< images per batch
    std::int64_t resize = 0, size = 0;          ///< 0: as preprocessing_for() chooses
    std::vector<float> mean, std;               ///< empty: as preprocessing_for() chooses
    bool skip_bad = false;                      ///< leave out pictures that cannot be read
    int threads = 0;                            ///< compute threads; 0: all cores
    std::string device = "cpu";                 ///< "cpu", "cuda" or "cuda:N"
    train::Precision precision = train::Precision::float32;  ///< precision of the network
};
/// Adds the flags of these options. `what` is the help text of the positional argument: "JPEG and PNG files, or folders
/// of them".
void add_input_flags(CLI::App& app, InputOptions& options, const std::string& what);

/// How an image becomes the input of a network.
struct Preprocessing {
    std::int64_t channels = 3;
    std::int64_t resize = 256;     ///< length to which the shorter side is resized
    std::int64_t size = 224;       ///< side of the square that is then cut out of the middle
    std::vector<float> mean, std;  ///< of the pixels in [0, 1], one per channel or one for all
};

/// The preprocessing given by the command line, the weight file and the network, in this order of precedence. Throws
/// Error for numbers that do not fit each other.
Preprocessing preprocessing_for(const InputOptions& options, const train::OpenedWeights& weights);

/// The files in `paths`, and those that data::find_images() finds in the folders in `paths`. Throws FileError for a
/// folder without images.
data::FoundImages picture_files(const std::vector<std::filesystem::path>& paths);

/// Some images, ready for the network.
struct PictureBatch {
    std::vector<std::filesystem::path> files;  ///< the files that were read, one per row of `images`
    std::vector<std::string> problems;         ///< one message per file that could not be read
    Tensor images;                             ///< float32 [files, channels, size, size] on the CPU; undefined if empty
};

/// Reads `files` in batches and calls `use` with each batch that is not empty. Prints the problems of files that cannot
/// be read on standard error, and returns their number. Throws FileError for such a file unless
/// InputOptions::skip_bad is set, and Error when no file can be read.
std::size_t for_each_batch(std::span<const std::filesystem::path> files, const InputOptions& options,
                           const Preprocessing& preprocessing, const std::function<void(const PictureBatch&)>& use);

/// A device and the weights of a network.
struct StartedNetwork {
    Device device;                 ///< for the network
    train::OpenedWeights weights;  ///< on the CPU
};
/// Starts the device, opens the weights, and prints a description of both. Throws Error when no weights are given.
StartedNetwork start_network(const InputOptions& options);

}  // namespace radial::predict
