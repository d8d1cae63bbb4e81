// What tells one data set from another: a few numbers that can be kept with a run.
#pragma once

#include "radial/data/dataset.h"

#include <cstdint>
#include <string>

namespace radial::data {

struct Fingerprint {
    std::int64_t samples = 0;
    std::string
        image;  ///< "1x28x28" (channels, rows, columns), or the shape of other inputs; "files" where sizes differ
    std::string content;  ///< digest of images and labels, 16 hexadecimal digits
};

/// The fingerprint of a set, wherever it lies. Of images in memory it takes every byte, and every label. Of files it
/// takes, in their order, each one's name below the folder that holds them all, the sizes of up to 100,000 of them and
/// the first 64 KiB of up to 512, spread evenly over the set: a second or so where the disk is local. A file that
/// cannot be read counts as one of its own kind. Of other sets it takes up to 4096 samples, spread evenly.
Fingerprint fingerprint(const Dataset& set);

}  // namespace radial::data
