// Pooling over the height and width of images.
#pragma once

#include "radial/core/backend/backend.h"
#include "radial/core/nn/module.h"
#include "radial/layers/common.h"

#include <optional>

namespace radial {

/// Options of MaxPool2d and AvgPool2d.
struct Pool2dOptions {
    Size2d window = 2;                  ///< height and width of the window
    std::optional<Size2d> stride = {};  ///< step of the window; its extents if not given
    Size2d padding = 0;                 ///< on each side; at most half the window
};

/// The maximum of each window; padding never wins. x [N, C, H, W]; the result is [N, C, H', W'] with H' = floor((H + 2
/// padding - window) / stride) + 1, and W' likewise.
class MaxPool2d : public Layer {
public:
    using Options = Pool2dOptions;  ///< for Sequential::add()

    /// Throws Error when window or stride is below 1, or padding is negative or above half the window.
    explicit MaxPool2d(const Pool2dOptions& options = {});
    /// Throws Error when x is not of rank 4 or is smaller than the window after padding.
    Tensor forward(Tensor x) override;

private:
    PoolGeometry geometry_;
};

/// The mean over the part of each window that lies inside the image (PyTorch's count_include_pad = false). Shapes and
/// errors as for MaxPool2d.
class AvgPool2d : public Layer {
public:
    using Options = Pool2dOptions;  ///< for Sequential::add()

    /// Throws as MaxPool2d does.
    explicit AvgPool2d(const Pool2dOptions& options = {});
    Tensor forward(Tensor x) override;

private:
    PoolGeometry geometry_;
};

/// The mean over H and W. x [N, C, H, W]; the result is [N, C].
class GlobalAvgPool : public Layer {
public:
    /// Throws Error when x is not of rank 4.
    Tensor forward(Tensor x) override;
};

}  // namespace radial
