// Helpers shared by the layers: sizes along height and width, and input checks whose errors name the layer, not an op.
#pragma once

#include "radial/core/tensor/tensor.h"
#include "radial/core/util/error.h"

#include <cstdint>
#include <string_view>

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

/// Throws Error unless `x` is defined and of a floating type: "ReLU: input is undefined",
/// "ReLU: input is int64[3], expected float32 or float64".
inline void check_input(std::string_view layer, const Tensor& x) {
    RADIAL_CHECK(x.defined(), "{}: input is undefined", layer);
    RADIAL_CHECK(is_floating(x.dtype()), "{}: input is {}, expected float32 or float64", layer, x.str());
}

/// Throws as check_input() does, and Error unless `x` is [N, C, H, W]: "Conv2d: input has shape [3, 4], expected [N, C,
/// H, W]".
inline void check_image_input(std::string_view layer, const Tensor& x) {
    check_input(layer, x);
    RADIAL_CHECK(x.rank() == 4, "{}: input has shape {}, expected [N, C, H, W]", layer, x.shape().str());
}

}  // namespace radial
