// Where an element lies in memory, given its logical index.
#pragma once

#include "radial/core/kernels/host_device.h"
#include "radial/core/tensor.h"

#include <cstdint>

namespace radial::kernels {

/// From an element's logical row-major index to its place in memory, so that random numbers belong to elements whatever
/// the layout.
struct MemoryIndex {
    bool channels_last = false;
    std::int64_t channels = 1, area = 1;

    explicit MemoryIndex(const Tensor& x) : channels_last(x.layout() == Layout::channels_last) {
        if (channels_last) {
            channels = x.shape()[1];
            area = x.shape()[2] * x.shape()[3];
        }
    }
    RADIAL_HD std::int64_t operator()(std::int64_t i) const {
        if (!channels_last) return i;
        const std::int64_t pixel = i % area, channel = i / area % channels, image = i / area / channels;
        return (image * area + pixel) * channels + channel;
    }
};

}  // namespace radial::kernels
