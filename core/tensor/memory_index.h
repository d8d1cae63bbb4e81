// Where an element lies in memory, given its logical index.
#pragma once

#include "radial/core/kernels/host_device.h"
#include "radial/core/tensor/tensor.h"

#include <cstdint>

namespace radial::kernels {

/// From an element's logical row-major index to its place in memory, so that random numbers belong to elements whatever
/// the layout.
struct MemoryIndex {
    std::int64_t channels = 0, area = 0;  ///< of a channels_last tensor; 0 for a row-major one

    explicit MemoryIndex(const Tensor& x) {
        if (x.layout() == Layout::channels_last) {
            channels = x.shape()[1];
            area = x.shape()[2] * x.shape()[3];
        }
    }
    RADIAL_HD std::int64_t operator()(std::int64_t i) const {
        if (channels == 0) return i;
        const std::int64_t pixel = i % area, channel = i / area % channels, image = i / area / channels;
        return (image * area + pixel) * channels + channel;
    }
};

}  // namespace radial::kernels
