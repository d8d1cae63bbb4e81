// CIFAR-10 and CIFAR-100 (Krizhevsky 2009) in their publishers' binary format.
#pragma once

#include "radial/data/image_set.h"

namespace radial::data {

/// Reads CIFAR-10's five training files or its test file. `source` is the folder that holds data_batch_1.bin ...,
/// one that holds cifar-10-batches-bin/ or cifar-10-binary.tar.gz, or that archive itself, which need not be unpacked.
/// Images are uint8 [N, 3, 32, 32]; a file may hold any number of them. Class names are those of batches.meta.txt.
/// Throws FileError naming the file when one is missing, is not a whole number of records, holds none, or has a label
/// above 9; and when the archive is damaged or names are not ten.
ImageSet read_cifar10(const std::filesystem::path& source, bool train);

/// As read_cifar10(), for CIFAR-100's train.bin or test.bin: in the folder, in cifar-100-binary/ or
/// cifar-100-binary.tar.gz within it, or in that archive. Labels are the 100 fine ones, names from
/// fine_label_names.txt.
ImageSet read_cifar100(const std::filesystem::path& source, bool train);

}  // namespace radial::data
