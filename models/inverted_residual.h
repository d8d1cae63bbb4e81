// The inverted residual block of EfficientNet.
#pragma once

#include "radial/layers/activation.h"
#include "radial/models/common.h"

#include <cstdint>
#include <memory>

namespace radial {

/// Options shared by all convolutions and norms of an EfficientNet.
struct ConvNormStyle {
    double epsilon = 1e-5, momentum = 0.1;  ///< options of the batch norms
    bool same_padding = false;              ///< TensorFlow's padding: see EfficientNetOptions
};

/// Options of InvertedResidual.
struct InvertedResidualOptions {
    std::int64_t in_channels = 1, out_channels = 1;
    std::int64_t kernel = 3, stride = 1;
    std::int64_t expansion = 6;  ///< factor of the channels inside the block; 1 means no expanding convolution
    double drop_connect = 0;     ///< probability of dropping the branch, if there is a shortcut; in [0, 1)
    ConvNormStyle style{};
};

/// Returns the options of a unit of EfficientNet with the channels, kernel, stride and groups of `shape`. Its norm has
/// the options of `style` and includes a SiLU; its initial weights are those of `fan_per_group`. The convolution pads
/// by half its kernel, except a strided convolution with TensorFlow's padding, which does not pad: its input must come
/// from pad_same().
ConvNormUnitOptions conv_norm_of(const ConvNormStyle& style, ConvNormUnitOptions shape);

/// Pads x [N, C, H, W] with as many zeros as give a convolution ceil(H / stride) rows and ceil(W / stride) columns; if
/// the number of zeros in a dimension is odd, the additional zero is below or to the right (TensorFlow's padding
/// "same").
Tensor pad_same(const Tensor& x, std::int64_t kernel, std::int64_t stride);

/// [1x1 convolution to expansion * in_channels,] depthwise convolution, squeeze-and-excitation to a quarter of
/// in_channels, 1x1 convolution to out_channels. Each convolution has a norm, and all except the last have a SiLU. x is
/// added if the shape does not change (Sandler et al. 2018, Tan & Le 2019). x [N, in_channels, H, W]; the result is [N,
/// out_channels, H', W']. Submodules are named as timm's: conv_pw, bn1, conv_dw, bn2, se, conv_pwl, bn3; without
/// expansion, they are conv_dw, bn1, se, conv_pw, bn2.
class InvertedResidual : public Layer {
public:
    using Options = InvertedResidualOptions;  ///< for Sequential::add()

    /// Throws Error when a count is below 1 or drop_connect is outside [0, 1).
    explicit InvertedResidual(const InvertedResidualOptions& options);
    /// Throws Error when x is not of rank 4 or has another number of channels.
    Tensor forward(Tensor x) override;
    bool is_segment() const override { return true; }

private:
    bool shortcut_, expands_;
    std::int64_t kernel_, stride_;
    bool pads_;  ///< whether pad_same() pads the input
    ConvNorm expand_, depthwise_, project_;
    std::shared_ptr<SqueezeExcite> squeeze_;
    std::shared_ptr<DropConnect> drop_connect_;  ///< null when nothing is dropped
};

}  // namespace radial
