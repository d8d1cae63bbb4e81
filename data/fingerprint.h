// A fingerprint that identifies a data set and can be stored with a run.
#pragma once

#include "radial/data/dataset.h"

#include <cstdint>
#include <string>

namespace radial::data {

/// A few numbers that identify a data set.
struct Fingerprint {
    std::int64_t samples = 0;  ///< number of samples
    std::string image;         ///< shape of an input: "1x28x28"; "files" if each image has its own size
    std::string content;       ///< digest of images and labels, 16 hexadecimal digits
};

/// The fingerprint of a data set, independent of its location. For images in memory it covers every byte and every
/// label. For files it covers, in order, each file's name below their common folder, the sizes of up to 100,000 files,
/// and the first 64 KiB of up to 512 files, spread evenly over the set; this takes about a second on a local disk. A
/// file that cannot be read has a value of its own. For other sets it covers up to 4096 samples, spread evenly.
Fingerprint fingerprint(const Dataset& set);

}  // namespace radial::data
