// Readers of CIFAR-10 and CIFAR-100 (Krizhevsky 2009) in the publishers' binary format.
#pragma once

#include "radial/data/image_set.h"
#include "radial/data/registry.h"

namespace radial::data {

/// Reads the five training files or the test file of CIFAR-10. `source` is a folder that contains data_batch_1.bin and
/// so on, a folder that contains cifar-10-batches-bin/ or cifar-10-binary.tar.gz, or that archive itself; an archive
/// need not be unpacked. Images are uint8 [N, 3, 32, 32]; a file may contain any positive number of images. Class names
/// are read from batches.meta.txt. Throws FileError naming the file when a file is missing, is not a whole number of
/// records, is empty, or has a label above 9. Also throws when the archive is damaged or there are not ten class names.
ImageSet read_cifar10(const std::filesystem::path& source, bool train);

/// Like read_cifar10(), for CIFAR-100: train.bin or test.bin in the folder itself, in cifar-100-binary/ or
/// cifar-100-binary.tar.gz within it, or in that archive. Labels are the 100 fine labels, with names from
/// fine_label_names.txt.
ImageSet read_cifar100(const std::filesystem::path& source, bool train);

/// The entry of the registry for CIFAR-10.
DatasetInfo cifar10_info();
/// The entry of the registry for CIFAR-100.
DatasetInfo cifar100_info();

}  // namespace radial::data
