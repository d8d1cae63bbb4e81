// A height and a width, for kernels, strides and padding.
#pragma once

#include <cstdint>

namespace radial {

/// Height and width; one number means both, so that options read `.kernel = 5` or `.kernel = {3, 5}`.
struct Size2d {
    std::int64_t h, w;

    constexpr Size2d(std::int64_t both) : h(both), w(both) {}
    constexpr Size2d(std::int64_t height, std::int64_t width) : h(height), w(width) {}
    friend bool operator==(const Size2d&, const Size2d&) = default;
};

}  // namespace radial
