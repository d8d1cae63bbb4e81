// The IDX format of MNIST and similar data sets, plain or gzipped.
#pragma once

#include "radial/data/image_set.h"
#include "radial/data/registry.h"

namespace radial::data {

/// Reads an IDX file of unsigned bytes (magic 0x000008RR, RR dimensions), and decompresses it if it begins with gzip's
/// magic number. The result is uint8 with the file's extents. Throws FileError naming the file when it is missing,
/// truncated, longer than its header says, of another element type, or not an IDX file.
Tensor read_idx(const std::filesystem::path& path);

/// Reads the `train` or `t10k` images and labels from a folder with MNIST's four file names ("train-images-idx3-ubyte"
/// or "train-images.idx3-ubyte" and so on), with or without ".gz". The ten classes are named after the digits, or after
/// the clothes of Fashion-MNIST. The names of the clothes are used if the labels are exactly those of Fashion-MNIST, or
/// if they are not exactly those of MNIST and the folder's name contains "fashion". Throws FileError when a file is
/// missing or malformed, the counts differ, or a label is above 9.
ImageSet read_mnist(const std::filesystem::path& folder, bool train);

/// The entry of the registry for MNIST and any data set stored in four IDX files with the same names.
DatasetInfo mnist_info();

}  // namespace radial::data
