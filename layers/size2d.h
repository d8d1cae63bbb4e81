// A height and a width, for kernels, strides and padding.
#pragma once

#include <cstdint>

namespace radial {

/// Height and width. One number sets both, so options can be written `.kernel = 5` or `.kernel = {3, 5}`.
struct Size2d {
    std::int64_t h, w;  ///< height and width

    /// The same height and width.
    constexpr Size2d(std::int64_t both) : h(both), w(both) {}
    /// A height and a width.
    constexpr Size2d(std::int64_t height, std::int64_t width) : h(height), w(width) {}
    friend bool operator==(const Size2d&, const Size2d&) = default;
};

}  // namespace radial
