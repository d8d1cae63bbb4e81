// Pooling layers: checks and the calls of their ops.
#include "radial/layers/pool.h"

#include "radial/core/ops.h"
#include "radial/layers/common.h"

#include <string_view>

namespace radial {
namespace {

PoolGeometry checked_geometry(std::string_view layer, const Pool2dOptions& o) {
    const Size2d stride = o.stride.value_or(o.window);
    RADIAL_CHECK(o.window.h >= 1 && o.window.w >= 1, "{}: window is {} x {}, expected at least 1 x 1", layer,
                 o.window.h, o.window.w);
    RADIAL_CHECK(stride.h >= 1 && stride.w >= 1, "{}: stride is {} x {}, expected at least 1 x 1", layer, stride.h,
                 stride.w);
    // A window that lay wholly in the padding would have no value.
    RADIAL_CHECK(o.padding.h >= 0 && o.padding.w >= 0 && 2 * o.padding.h <= o.window.h && 2 * o.padding.w <= o.window.w,
                 "{}: padding is {} x {}, expected 0 to half the window {} x {}", layer, o.padding.h, o.padding.w,
                 o.window.h, o.window.w);
    return {.window_h = o.window.h,
            .window_w = o.window.w,
            .stride_h = stride.h,
            .stride_w = stride.w,
            .pad_h = o.padding.h,
            .pad_w = o.padding.w};
}

}  // namespace

MaxPool2d::MaxPool2d(const Pool2dOptions& options) : geometry_(checked_geometry("MaxPool2d", options)) {}

Tensor MaxPool2d::forward(Tensor x) {
    check_image_input("MaxPool2d", x);
    return max_pool2d(x, geometry_);
}

AvgPool2d::AvgPool2d(const Pool2dOptions& options) : geometry_(checked_geometry("AvgPool2d", options)) {}

Tensor AvgPool2d::forward(Tensor x) {
    check_image_input("AvgPool2d", x);
    return avg_pool2d(x, geometry_);
}

Tensor GlobalAvgPool::forward(Tensor x) {
    check_image_input("GlobalAvgPool", x);
    return global_avg_pool(x);
}

}  // namespace radial
