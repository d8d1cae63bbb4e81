// The inverted residual block of EfficientNet.
#pragma once

#include "radial/layers/activation.h"
#include "radial/layers/conv.h"

namespace radial {

/// What an EfficientNet's convolutions and norms have in common.
struct ConvNormStyle {
    double epsilon = 1e-5, momentum = 0.1;  ///< of batch norms
    bool same_padding = false;              ///< TensorFlow's: see EfficientNetOptions
};

struct InvertedResidualOptions {
    std::int64_t in_channels = 1, out_channels = 1;
    std::int64_t kernel = 3, stride = 1;
    std::int64_t expansion = 6;  ///< factor of the channels inside the block; 1 for no expanding convolution
    double drop_connect = 0;     ///< of the branch, where there is a shortcut; in [0, 1)
    ConvNormStyle style{};
};

/// A convolution without a bias at N(0, 2 / fan_out), and its norm: what EfficientNet is made of. Depthwise when
/// `groups` is `in`. Padded by half its kernel, but where it strides and padding is TensorFlow's, not at all: then its
/// input is to come from pad_same().
struct ConvNormShape {
    std::int64_t in, out, kernel = 1, stride = 1, groups = 1;
    bool silu = true;  ///< behind the norm
};
ConvNorm make_conv_norm(const ConvNormShape& shape, const ConvNormStyle& style);

/// x [N, C, H, W] with as many zeros around it as give a convolution ceil(H / stride) and ceil(W / stride) results; an
/// odd one goes below and to the right (TensorFlow's padding "same").
Tensor pad_same(const Tensor& x, std::int64_t kernel, std::int64_t stride);

/// [1x1 to expansion * in_channels,] depthwise, squeeze-and-excitation to a quarter of in_channels, 1x1 to
/// out_channels, each convolution with a norm and all but the last with a SiLU; plus x where the shape stays (Sandler
/// et al. 2018, Tan & Le 2019). x [N, in_channels, H, W] to [N, out_channels, H', W'].
/// Submodules as timm's: conv_pw, bn1, conv_dw, bn2, se, conv_pwl, bn3, and without expansion conv_dw, bn1, se,
/// conv_pw, bn2.
class InvertedResidual : public Layer {
public:
    using Options = InvertedResidualOptions;  ///< for Sequential::add()

    /// Throws Error when a number is below 1 or drop_connect is outside [0, 1).
    explicit InvertedResidual(const InvertedResidualOptions& options);
    /// Throws Error when x is not rank 4 or has other channels.
    Tensor forward(Tensor x) override;
    bool is_segment() const override { return true; }

private:
    bool shortcut_, expands_;
    std::int64_t kernel_, stride_;
    bool pads_;  ///< by pad_same()
    ConvNorm expand_, depthwise_, project_;
    std::shared_ptr<SqueezeExcite> squeeze_;
    std::shared_ptr<DropConnect> drop_connect_;  ///< null when nothing is dropped
};

}  // namespace radial
