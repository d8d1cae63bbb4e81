// Two-dimensional convolution.
#pragma once

#include "radial/core/backend/backend.h"
#include "radial/core/nn/module.h"
#include "radial/layers/size2d.h"

#include <cstdint>
#include <memory>

namespace radial {

struct Conv2dOptions {
    std::int64_t in_channels = 1;
    std::int64_t out_channels = 1;
    Size2d kernel = 3;
    Size2d stride = 1;
    Size2d padding = 0;  ///< zeros added on each side
    Size2d dilation = 1;
    std::int64_t groups = 1;  ///< in_channels means depthwise
    bool bias = true;
};

/// y[n, k] = bias[k] + sum over the channels c of k's group of x[n, c] (*) weight[k, c], a cross-correlation.
/// x [N, in_channels, H, W] to [N, out_channels, H', W'] with
/// H' = floor((H + 2 padding - dilation (kernel - 1) - 1) / stride) + 1, and W' likewise.
/// Parameters: weight [out_channels, in_channels / groups, kernel.h, kernel.w], bias [out_channels]; both start
/// uniform in +-1 / sqrt(fan_in), fan_in = in_channels / groups * kernel.h * kernel.w, as PyTorch's do.
class Conv2d : public Layer {
public:
    using Options = Conv2dOptions;

    /// Throws Error when an extent is below 1, padding is negative, or groups does not divide both channel counts.
    explicit Conv2d(const Conv2dOptions& options);
    /// Throws Error when x is not rank 4, has other channels, or is smaller than the kernel after padding.
    Tensor forward(Tensor x) override;
    const Tensor& weight() const { return weight_; }
    /// Undefined without a bias.
    const Tensor& bias() const { return bias_; }
    const ConvGeometry& geometry() const { return geometry_; }

private:
    Conv2dOptions options_;
    ConvGeometry geometry_;
    Tensor weight_, bias_;
};

/// A square Conv2d without a bias, padded by half its kernel, whose weights start at N(0, 2 / fan_out) (He et al. 2015,
/// 2.2): what residual and dense networks are made of. Throws as Conv2d does.
std::shared_ptr<Conv2d> make_he_conv2d(std::int64_t in_channels, std::int64_t out_channels, std::int64_t kernel,
                                       std::int64_t stride = 1);

}  // namespace radial
