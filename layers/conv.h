// 2-D convolution, its combination with a batch norm, squeeze-and-excitation, and pooling. BatchNorm2d is in norm.h.
#pragma once

#include "radial/core/backend/backend.h"
#include "radial/core/nn/module.h"
#include "radial/layers/common.h"
#include "radial/layers/norm.h"

#include <cstdint>
#include <memory>
#include <optional>

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

/// Options of Conv1d.
struct Conv1dOptions {
    std::int64_t in_channels = 1;   ///< channels of the input
    std::int64_t out_channels = 1;  ///< channels of the result
    std::int64_t kernel = 3;        ///< length of the kernel
    std::int64_t stride = 1;        ///< step of the window, in positions
    std::int64_t padding = 0;       ///< zeros added on each side
    std::int64_t dilation = 1;      ///< distance between kernel elements, in positions
    std::int64_t groups = 1;        ///< groups convolved separately
    bool bias = true;               ///< add a bias per output channel
};

/// 1-D convolution of sequences, as conv1d() computes it. x [N, in_channels, L]; the result is [N, out_channels, L']
/// with L' = floor((L + 2 padding - dilation (kernel - 1) - 1) / stride) + 1. Parameters: weight [out_channels,
/// in_channels / groups, kernel], bias [out_channels]. Both are initially uniform in +-1 / sqrt(fan_in), as in PyTorch,
/// with fan_in = in_channels / groups * kernel.
class Conv1d : public Layer {
public:
    using Options = Conv1dOptions;  ///< for Sequential::add()

    /// Throws Error when an extent is below 1, padding is negative, or groups does not divide both channel counts.
    explicit Conv1d(const Conv1dOptions& options);
    /// Throws Error when x is not of rank 3, has another number of channels, or is shorter than the kernel after
    /// padding.
    Tensor forward(Tensor x) override;
    /// The kernels [out_channels, in_channels / groups, kernel].
    const Tensor& weight() const { return weight_; }
    /// The bias [out_channels]; undefined without a bias.
    const Tensor& bias() const { return bias_; }

private:
    Conv1dOptions options_;
    Tensor weight_, bias_;
};

/// A Conv2d with a square kernel, no bias, padding of kernel / 2, and initial weights from N(0, 2 / fan_out) (He et al.
/// 2015, 2.2), as used in residual and dense networks. Throws as Conv2d does.
std::shared_ptr<Conv2d> make_he_conv2d(std::int64_t in_channels, std::int64_t out_channels, std::int64_t kernel,
                                       std::int64_t stride = 1);

/// Computes norm(conv(x)), with the residual and activation of the norm: the building block of most networks. It is not
/// a module; a model registers the two layers under its own names. In evaluation without gradients it runs as a single
/// convolution with folded weights, w * scale / std, and a folded bias, shift + (bias - mean) * scale / std (Jacob et
/// al. 2018, 3.2). These are recomputed when a tensor from which they are computed has changed. Not thread-safe.
class ConvNorm {
public:
    ConvNorm() = default;
    /// Throws Error when a layer is null, or when the norm's channels are not those of the convolution's result.
    ConvNorm(std::shared_ptr<Conv2d> conv, std::shared_ptr<BatchNorm2d> norm);
    /// norm(conv(x)) for x [N, C, H, W]. `residual` has the shape of the result and is added before the activation; it
    /// may be undefined. Throws as the two layers do.
    Tensor forward(const Tensor& x, const Tensor& residual = {}) const;
    /// The convolution.
    const std::shared_ptr<Conv2d>& conv() const { return conv_; }
    /// The batch norm.
    const std::shared_ptr<BatchNorm2d>& norm() const { return norm_; }

private:
    struct Folded;

    std::shared_ptr<Conv2d> conv_;
    std::shared_ptr<BatchNorm2d> norm_;
    std::shared_ptr<Folded> folded_;  ///< the folded weights for evaluation
};

/// Options of SqueezeExcite.
struct SqueezeExciteOptions {
    /// The function that maps the excitation to factors in [0, 1].
    enum class Gate : std::uint8_t {
        sigmoid,       ///< 1 / (1 + exp(-v))
        hard_sigmoid,  ///< min(max(v + 3, 0), 6) / 6
    };

    std::int64_t channels = 1;                 ///< channels of the input
    std::int64_t reduced = 1;                  ///< channels between the two convolutions
    Activation activation = Activation::silu;  ///< between the two convolutions
    Gate gate = Gate::sigmoid;                 ///< after the second convolution
};

/// y = x * gate(expand(activation(reduce(mean of x over H and W)))), which scales each channel of each image (Hu et al.
/// 2018, Eq. 2 to 4, with ReLU and sigmoid; Tan & Le 2019 use SiLU, and Howard et al. 2019 use a hard sigmoid as the
/// gate). x [N, channels, H, W]; the result has the same shape. Submodules: conv_reduce and conv_expand, 1x1
/// convolutions with a bias.
class SqueezeExcite : public Layer {
public:
    using Options = SqueezeExciteOptions;  ///< for Sequential::add()

    /// Throws Error when channels or reduced is below 1.
    explicit SqueezeExcite(const SqueezeExciteOptions& options);
    /// Throws Error when x is not of rank 4 or has another number of channels.
    Tensor forward(Tensor x) override;
    /// The convolution to `reduced` channels.
    const std::shared_ptr<Conv2d>& reduce() const { return conv_reduce_; }
    /// The convolution back to `channels` channels.
    const std::shared_ptr<Conv2d>& expand() const { return conv_expand_; }

private:
    SqueezeExciteOptions options_;
    std::shared_ptr<Conv2d> conv_reduce_, conv_expand_;
};

/// Options of MaxPool2d and AvgPool2d.
struct Pool2dOptions {
    Size2d window = 2;                  ///< height and width of the window
    std::optional<Size2d> stride = {};  ///< step of the window; the size of the window if not given
    Size2d padding = 0;                 ///< pixels added on each side; at most half the window
};

/// The maximum of each window; padding is never the maximum. x [N, C, H, W]; the result is [N, C, H', W'] with H' =
/// floor((H + 2 padding - window) / stride) + 1, and W' likewise.
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

/// Options of AdaptiveAvgPool2d and AdaptiveMaxPool2d.
struct AdaptivePool2dOptions {
    Size2d size = 1;  ///< height and width of the result
};

/// adaptive_avg_pool2d(): the means of windows that divide the image as evenly as possible. x [N, C, H, W]; the result
/// is [N, C, size.h, size.w].
class AdaptiveAvgPool2d : public Layer {
public:
    using Options = AdaptivePool2dOptions;  ///< for Sequential::add()

    /// Throws Error when the size is below 1 x 1.
    explicit AdaptiveAvgPool2d(const AdaptivePool2dOptions& options = {});
    /// Throws Error when x is not of rank 4 or has no pixels.
    Tensor forward(Tensor x) override;

private:
    AdaptivePool2dOptions options_;
};

/// adaptive_max_pool2d(): the maxima of the windows of AdaptiveAvgPool2d. Shapes and errors as for AdaptiveAvgPool2d.
class AdaptiveMaxPool2d : public Layer {
public:
    using Options = AdaptivePool2dOptions;  ///< for Sequential::add()

    /// Throws as AdaptiveAvgPool2d does.
    explicit AdaptiveMaxPool2d(const AdaptivePool2dOptions& options = {});
    Tensor forward(Tensor x) override;

private:
    AdaptivePool2dOptions options_;
};

/// The mean over H and W. x [N, C, H, W]; the result is [N, C].
class GlobalAvgPool : public Layer {
public:
    /// Throws Error when x is not of rank 4.
    Tensor forward(Tensor x) override;
};

}  // namespace radial
