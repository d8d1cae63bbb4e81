// The features of images, in memory and in files.
#pragma once

#include "radial/apps/predict/pictures.h"
#include "radial/core/tensor/tensor.h"

#include <filesystem>
#include <string>
#include <vector>

namespace radial::predict {

/// The features of some images, and the network that computed them.
struct Embeddings {
    std::vector<std::filesystem::path> files;  ///< the images
    Tensor features;                           ///< float32 [files, D] on the CPU
    std::string model;                         ///< name of the network
    std::string weights;                       ///< digest of its weights, 16 hexadecimal digits
};

/// Computes the features of the images in InputOptions::images. Moves the network to its device and puts it in
/// evaluation mode. Prints which files are not images or cannot be read. Throws Error when no images are given,
/// NumericError when a feature is not finite, and as picture_files() and for_each_batch() do.
Embeddings embed(const InputOptions& options, StartedNetwork& network);

/// Writes embeddings in the format given by the extension of `path`: .safetensors ("feature" [N, D] and the metadata
/// "files", "model" and "weights"), .csv (a row per image: the file and its feature), or .npy (the features; the files,
/// one a line, in a second file whose name ends in .txt). Throws FileError, and Error for another ending.
void write_embeddings(const std::filesystem::path& path, const Embeddings& embeddings);
/// Throws Error unless write_embeddings() supports the ending of `path`.
void check_embeddings_path(const std::filesystem::path& path);

/// Reads a .safetensors file that write_embeddings() has written. Throws FileError for any other file.
Embeddings read_embeddings(const std::filesystem::path& path);

}  // namespace radial::predict
