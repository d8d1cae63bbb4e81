// Windows of images as columns, and their sums back into images: checks and launches.
#include "radial/core/ops/unfold.h"

#include "radial/core/ops/common.h"
#include "radial/core/ops/kernels/unfold.h"

namespace radial {
namespace {

void check_geometry(std::string_view op, const UnfoldGeometry& g) {
    RADIAL_CHECK(
        g.window_h > 0 && g.window_w > 0 && g.stride_h > 0 && g.stride_w > 0 && g.dilation_h > 0 && g.dilation_w > 0,
        "{}: window is {} x {}, stride ({}, {}) and dilation ({}, {}), expected at least 1", op, g.window_h, g.window_w,
        g.stride_h, g.stride_w, g.dilation_h, g.dilation_w);
    RADIAL_CHECK(g.pad_h >= 0 && g.pad_w >= 0, "{}: padding is ({}, {}), expected at least 0", op, g.pad_h, g.pad_w);
}

std::int64_t positions(std::int64_t extent, std::int64_t window, std::int64_t stride, std::int64_t pad,
                       std::int64_t dilation) {
    const std::int64_t span = extent + 2 * pad - dilation * (window - 1) - 1;
    return span < 0 ? 0 : span / stride + 1;
}

/// The windows of images of a shape in a layout. Throws Error if none fits.
kernels::Unfolding unfolding(std::string_view op, const Shape& image, Layout layout, const UnfoldGeometry& g) {
    const std::int64_t height = image[2], width = image[3];
    const std::int64_t down = positions(height, g.window_h, g.stride_h, g.pad_h, g.dilation_h);
    const std::int64_t across = positions(width, g.window_w, g.stride_w, g.pad_w, g.dilation_w);
    RADIAL_CHECK(height > 0 && width > 0 && down > 0 && across > 0,
                 "{}: window {} x {} does not fit images {} with padding ({}, {})", op, g.window_h, g.window_w,
                 image.str(), g.pad_h, g.pad_w);
    return {.images = kernels::dense_images(image[1], height, width, layout == Layout::channels_last),
            .window_h = g.window_h,
            .window_w = g.window_w,
            .down = down,
            .across = across,
            .stride_h = g.stride_h,
            .stride_w = g.stride_w,
            .pad_h = g.pad_h,
            .pad_w = g.pad_w,
            .dilation_h = g.dilation_h,
            .dilation_w = g.dilation_w};
}

/// Writes the windows of x to the columns y.
void to_columns(const Tensor& x, const Tensor& y, const UnfoldGeometry& g) {
    const kernels::Unfolding u = unfolding("unfold", x.shape(), x.layout(), g);
    dispatch_activation(x.dtype(), "unfold", [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(x.device(), y.numel() / u.across, u.across,
                      kernels::Unfold<T>{x.data<const T>(), y.data<T>(), u});
    });
}

/// Writes the sums of the columns y to the images x.
void to_images(const Tensor& y, const Tensor& x, const UnfoldGeometry& g) {
    const kernels::Unfolding u = unfolding("fold", x.shape(), x.layout(), g);
    dispatch_activation(x.dtype(), "fold", [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(x.device(), x.numel() / u.images.width, u.images.width,
                      kernels::Fold<T>{y.data<const T>(), x.data<T>(), u}, g.window_h * g.window_w);
    });
}

}  // namespace

Tensor unfold(const Tensor& x, const UnfoldGeometry& geometry) {
    ops::check_floating("unfold", "the input", x);
    ops::check_rank("unfold", "input", x, 4, "[N, C, H, W]");
    check_geometry("unfold", geometry);
    const kernels::Unfolding u = unfolding("unfold", x.shape(), x.layout(), geometry);
    const Shape shape{x.size(0), x.size(1) * u.window_h * u.window_w, u.down * u.across};
    const Tensor y = Tensor::empty(shape, x.dtype(), x.device());
    to_columns(x, y, geometry);
    return record("unfold", y, {x},
                  [geometry, from = x.shape(), layout = x.layout()](const Tensor& dy, Needs) -> Grads {
                      const Tensor dx = Tensor::empty(from, dy.dtype(), dy.device(), layout);
                      to_images(dy, dx, geometry);
                      return {dx};
                  },
                  {{"window_h", geometry.window_h},
                   {"window_w", geometry.window_w},
                   {"stride_h", geometry.stride_h},
                   {"stride_w", geometry.stride_w},
                   {"pad_h", geometry.pad_h},
                   {"pad_w", geometry.pad_w},
                   {"dilation_h", geometry.dilation_h},
                   {"dilation_w", geometry.dilation_w}});
}

Tensor fold(const Tensor& x, std::int64_t height, std::int64_t width, const UnfoldGeometry& geometry) {
    ops::check_floating("fold", "the input", x);
    ops::check_rank("fold", "input", x, 3, "[N, C R S, L]");
    check_geometry("fold", geometry);
    const std::int64_t window = geometry.window_h * geometry.window_w;
    RADIAL_CHECK(x.size(1) % window == 0, "fold: input is {}, expected a multiple of {} rows", x.shape().str(), window);
    RADIAL_CHECK(height >= 1 && width >= 1, "fold: size is {} x {}, expected at least 1 x 1", height, width);
    const Shape image{x.size(0), x.size(1) / window, height, width};
    const kernels::Unfolding u = unfolding("fold", image, Layout::row_major, geometry);
    RADIAL_CHECK(x.size(2) == u.down * u.across, "fold: input is {}, expected {} x {} columns for a {} x {} image",
                 x.shape().str(), u.down, u.across, height, width);
    const Tensor y = Tensor::empty(image, x.dtype(), x.device());
    to_images(x, y, geometry);
    return record("fold", y, {x},
                  [geometry, from = x.shape()](const Tensor& dy, Needs) -> Grads {
                      const Tensor dx = Tensor::empty(from, dy.dtype(), dy.device());
                      to_columns(dy, dx, geometry);
                      return {dx};
                  },
                  {{"height", height},
                   {"width", width},
                   {"window_h", geometry.window_h},
                   {"window_w", geometry.window_w},
                   {"stride_h", geometry.stride_h},
                   {"stride_w", geometry.stride_w},
                   {"pad_h", geometry.pad_h},
                   {"pad_w", geometry.pad_w},
                   {"dilation_h", geometry.dilation_h},
                   {"dilation_w", geometry.dilation_w}});
}

}  // namespace radial
