// The IDX format of MNIST and its kin, plain or gzipped.
#pragma once

#include "radial/data/image_set.h"

namespace radial::data {

/// Reads an IDX file of unsigned bytes (magic 0x000008RR, RR dimensions), gunzipping when it starts with gzip's magic:
/// uint8, one extent per dimension. Throws FileError naming the file when it is missing, truncated, longer than its
/// header says, of another element type, or not IDX at all.
Tensor read_idx(const std::filesystem::path& path);

/// Reads `train` or `t10k` images and labels from a folder with MNIST's four file names, with or without ".gz".
/// Ten classes, called after the digits, or after the clothes where the labels are Fashion-MNIST's or, being neither
/// its nor MNIST's own, the folder's name has "fashion" in it. Throws FileError when a file is missing or malformed,
/// the counts differ, or a label is above 9.
ImageSet read_mnist(const std::filesystem::path& folder, bool train);

}  // namespace radial::data
