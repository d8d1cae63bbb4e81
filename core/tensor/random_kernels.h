// Kernels that fill tensors with random numbers, and the mapping from logical indices to memory offsets.
#pragma once

#include "radial/core/kernels/host_device.h"
#include "radial/core/kernels/philox.h"
#include "radial/core/kernels/values.h"
#include "radial/core/tensor/tensor.h"

#include <cmath>
#include <cstdint>
#include <numbers>

namespace radial::kernels {

/// Maps the logical row-major index of an element to its memory offset, so that each element gets the same random
/// number in every layout.
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

/// low + (high - low) * u, limited to `most`.
template <class T>
struct Uniform {
    T* out;
    double low, high, most;
    std::uint64_t seed, first;
    MemoryIndex at;
    RADIAL_HD void operator()(std::int64_t i) const {
        const double unit = static_cast<double>(to_unit(random_bits(seed, first + static_cast<std::uint64_t>(i))));
        const T value = static_cast<T>(low + (high - low) * unit), largest = static_cast<T>(most);
        out[at(i)] = largest < value ? largest : value;
    }
};

/// Box-Muller: elements 2k and 2k + 1 share numbers 2k and 2k + 1.
template <class T>
struct Normal {
    T* out;
    std::int64_t count;
    double mean, std;
    std::uint64_t seed, first;
    MemoryIndex at;
    RADIAL_HD void operator()(std::int64_t pair) const {
        const std::uint64_t index = first + 2 * static_cast<std::uint64_t>(pair);
        const double positive = 1.0 - static_cast<double>(to_unit(random_bits(seed, index)));  // (0, 1]: log is finite
        const double angle = 2 * std::numbers::pi * static_cast<double>(to_unit(random_bits(seed, index + 1)));
        const double radius = std * std::sqrt(-2 * std::log(positive));
        out[at(2 * pair)] = static_cast<T>(mean + radius * std::cos(angle));
        if (2 * pair + 1 < count) out[at(2 * pair + 1)] = static_cast<T>(mean + radius * std::sin(angle));
    }
};

}  // namespace radial::kernels
