// Helpers shared by the layers: 2-D sizes, and checks of options and inputs whose messages name the layer, not an op.
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

/// Throws Error unless x [N, C, ...] has `channels` channels: "Conv2d: input has 3 channels, weight expects 16".
inline void check_channels(std::string_view layer, const Tensor& x, std::int64_t channels) {
    RADIAL_CHECK(x.size(1) == channels, "{}: input has {} channels, weight expects {}", layer, x.size(1), channels);
}

/// Throws Error unless the option `name` is at least 1: "PReLU: channels is 0, expected at least 1".
inline void check_positive(std::string_view layer, std::string_view name, std::int64_t value) {
    RADIAL_CHECK(value >= 1, "{}: {} is {}, expected at least 1", layer, name, value);
}

/// Throws Error unless the option `name` is above 0: "LayerNorm: epsilon is 0, expected above 0".
inline void check_above_zero(std::string_view layer, std::string_view name, double value) {
    RADIAL_CHECK(value > 0, "{}: {} is {}, expected above 0", layer, name, value);
}

/// Throws Error unless the probability `name` of dropping something is in [0, 1): "Dropout: p is 1, expected at least 0
/// and below 1".
inline void check_drop_probability(std::string_view layer, std::string_view name, double value) {
    RADIAL_CHECK(value >= 0 && value < 1, "{}: {} is {}, expected at least 0 and below 1", layer, name, value);
}

/// Throws Error unless the option `name` is at least `least` in both directions: "Conv2d: kernel is 3 x 0, expected at
/// least 1 x 1".
inline void check_size(std::string_view layer, std::string_view name, Size2d size, std::int64_t least = 1) {
    RADIAL_CHECK(size.h >= least && size.w >= least, "{}: {} is {} x {}, expected at least {} x {}", layer, name,
                 size.h, size.w, least, least);
}

/// Throws Error unless all three numbers are at least 1 and `groups` divides both numbers of channels: "Conv2d: groups
/// 4 does not divide in_channels 6 and out_channels 4".
inline void check_groups(std::string_view layer, std::int64_t in_channels, std::int64_t out_channels,
                         std::int64_t groups) {
    RADIAL_CHECK(in_channels >= 1 && out_channels >= 1 && groups >= 1,
                 "{}: in_channels {}, out_channels {} and groups {} must each be at least 1", layer, in_channels,
                 out_channels, groups);
    RADIAL_CHECK(in_channels % groups == 0 && out_channels % groups == 0,
                 "{}: groups {} does not divide in_channels {} and out_channels {}", layer, groups, in_channels,
                 out_channels);
}

/// Throws as check_groups() does, and Error unless kernel, stride and dilation are at least 1 x 1 and the padding is at
/// least 0 x 0. `Options` must have the members of Conv2dOptions.
template <class Options>
void check_convolution(std::string_view layer, const Options& options) {
    check_groups(layer, options.in_channels, options.out_channels, options.groups);
    check_size(layer, "kernel", options.kernel);
    check_size(layer, "stride", options.stride);
    check_size(layer, "dilation", options.dilation);
    check_size(layer, "padding", options.padding, 0);
}

}  // namespace radial
