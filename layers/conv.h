// 2-D convolution.
#pragma once

#include "radial/core/backend/backend.h"
#include "radial/core/nn/module.h"
#include "radial/layers/size2d.h"

#include <cstdint>
#include <memory>

namespace radial {

/// Options of Conv2d.
struct Conv2dOptions {
    std::int64_t in_channels = 1;   ///< channels of the input
    std::int64_t out_channels = 1;  ///< channels of the result
    Size2d kernel = 3;              ///< height and width of the kernel
    Size2d stride = 1;              ///< step of the window, in pixels
    Size2d padding = 0;             ///< zeros added on each side
    Size2d dilation = 1;            ///< distance between kernel elements, in pixels
    std::int64_t groups = 1;        ///< groups convolved separately; in_channels for a depthwise convolution
    bool bias = true;               ///< add a bias per output channel
};

/// 2-D convolution, y[n, k] = bias[k] + sum over the channels c of k's group of x[n, c] (*) weight[k, c], where (*) is
/// cross-correlation. x [N, in_channels, H, W]; the result is [N, out_channels, H', W'] with
///
///     H' = floor((H + 2 padding - dilation (kernel - 1) - 1) / stride) + 1
///
/// and W' likewise. Parameters: weight [out_channels, in_channels / groups, kernel.h, kernel.w], bias [out_channels].
/// Both are initially uniform in +-1 / sqrt(fan_in), as in PyTorch, with fan_in = in_channels / groups * kernel.h *
/// kernel.w.
class Conv2d : public Layer {
public:
    using Options = Conv2dOptions;  ///< for Sequential::add()

    /// Throws Error when an extent is below 1, padding is negative, or groups does not divide both channel counts.
    explicit Conv2d(const Conv2dOptions& options);
    /// Throws Error when x is not of rank 4, has another number of channels, or is smaller than the kernel after
    /// padding.
    Tensor forward(Tensor x) override;
    /// The kernels [out_channels, in_channels / groups, kernel.h, kernel.w].
    const Tensor& weight() const { return weight_; }
    /// The bias [out_channels]; undefined without a bias.
    const Tensor& bias() const { return bias_; }
    /// Stride, padding, dilation and groups.
    const ConvGeometry& geometry() const { return geometry_; }

private:
    Conv2dOptions options_;
    ConvGeometry geometry_;
    Tensor weight_, bias_;
};

/// A Conv2d with a square kernel, no bias, padding of half the kernel, and initial weights from N(0, 2 / fan_out) (He
/// et al. 2015, 2.2), as used in residual and dense networks. Throws as Conv2d does.
std::shared_ptr<Conv2d> make_he_conv2d(std::int64_t in_channels, std::int64_t out_channels, std::int64_t kernel,
                                       std::int64_t stride = 1);

}  // namespace radial
