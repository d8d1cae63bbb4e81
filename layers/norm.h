// Normalisation layers: over the batch, over trailing dimensions, and over groups of channels.
#pragma once

#include "radial/core/backend/backend.h"
#include "radial/core/nn/module.h"

#include <cstdint>
#include <string_view>

namespace radial {

/// Options of BatchNorm1d and BatchNorm2d.
struct BatchNorm2dOptions {
    std::int64_t channels = 1;                 ///< channels of the input
    double momentum = 0.1;                     ///< weight of the new batch in the running statistics
    double epsilon = 1e-5;                     ///< added to the variance
    Activation activation = Activation::none;  ///< applied in the same pass, after the residual
    bool scale = true;                         ///< train a scale per channel; otherwise it is 1
};
/// Options of BatchNorm1d.
using BatchNorm1dOptions = BatchNorm2dOptions;

/// Base of the batch norms (Ioffe & Szegedy 2015): y = (x - mean) / sqrt(variance + epsilon) * weight + bias, where the
/// mean and variance of each channel of x [N, channels, ...] are taken over all other dimensions. Training uses the
/// statistics of the batch and moves the running statistics towards them; evaluation uses the running statistics.
/// Parameters: weight [channels] (initially 1; a buffer without `scale`), bias [channels] (0). Buffers: running_mean
/// (0), running_var (1).
class BatchNorm : public Layer {
public:
    /// The options given to the constructor.
    const BatchNorm2dOptions& options() const { return options_; }
    /// The scale [channels].
    const Tensor& weight() const { return weight_; }
    /// The shift [channels].
    const Tensor& bias() const { return bias_; }
    /// The running mean [channels].
    const Tensor& running_mean() const { return running_mean_; }
    /// The running variance [channels].
    const Tensor& running_var() const { return running_var_; }

protected:
    /// Throws Error, naming `layer`, when channels is below 1, momentum is outside [0, 1] or epsilon is not above 0.
    BatchNorm(std::string_view layer, const BatchNorm2dOptions& options);
    /// Normalises x [N, channels] or [N, channels, H, W]; the result has the same shape. `residual`, of x's shape, is
    /// added before the activation; it may be undefined. Throws Error, naming `layer`, when x has another number of
    /// channels, and in training when there is only one value per channel.
    Tensor normalise(std::string_view layer, const Tensor& x, const Tensor& residual = {}) const;

private:
    BatchNorm2dOptions options_;
    Tensor weight_, bias_, running_mean_, running_var_;
};

/// The batch norm of images x [N, channels, H, W], for each channel over N, H and W. The result has the same shape.
class BatchNorm2d : public BatchNorm {
public:
    using Options = BatchNorm2dOptions;  ///< for Sequential::add()

    /// Throws Error when channels is below 1, momentum is outside [0, 1] or epsilon is not above 0.
    explicit BatchNorm2d(const BatchNorm2dOptions& options);
    /// Throws Error when x is not of rank 4 or has another number of channels, and in training when there is only one
    /// value per channel.
    Tensor forward(Tensor x) override;
    /// Like forward(x), with `residual`, of x's shape, added before the activation, as at the end of a residual block.
    Tensor forward(const Tensor& x, const Tensor& residual);
};

/// The batch norm of x [N, channels] or [N, channels, L], for each channel over N and L. The result has the same shape.
class BatchNorm1d : public BatchNorm {
public:
    using Options = BatchNorm1dOptions;  ///< for Sequential::add()

    /// Throws as BatchNorm2d does.
    explicit BatchNorm1d(const BatchNorm1dOptions& options);
    /// Throws Error when x is not of rank 2 or 3 or has another number of channels, and in training when there is only
    /// one value per channel.
    Tensor forward(Tensor x) override;
};

/// Options of LayerNorm.
struct LayerNormOptions {
    Shape shape = {1};      ///< the last extents of the input, over which it is normalised
    double epsilon = 1e-5;  ///< added to the variance
    bool affine = true;     ///< train a weight
    bool bias = true;       ///< train a bias, if `affine`
};

/// y = (x - mean) / sqrt(variance + epsilon) * weight + bias over the last extents of x [..., shape] (Ba et al. 2016).
/// Parameters: weight (initially 1) and bias (0), of the given shape.
class LayerNorm : public Layer {
public:
    using Options = LayerNormOptions;  ///< for Sequential::add()

    /// Throws Error when the shape is empty or has an extent below 1, or epsilon is not above 0.
    explicit LayerNorm(const LayerNormOptions& options);
    /// Throws Error when the last extents of x are not the shape.
    Tensor forward(Tensor x) override;

private:
    LayerNormOptions options_;
    Tensor weight_, bias_;
};

/// Options of LayerNorm2d.
struct LayerNorm2dOptions {
    std::int64_t channels = 1;  ///< channels of the input
    double epsilon = 1e-6;      ///< added to the variance
};

/// Layer normalisation over the channels of each pixel of x [N, channels, H, W], as in ConvNeXt and as timm's and
/// torchvision's LayerNorm2d. Parameters: weight (initially 1) and bias (0), [channels]. The result is channels_last.
class LayerNorm2d : public Layer {
public:
    using Options = LayerNorm2dOptions;  ///< for Sequential::add()

    /// Throws Error when channels is below 1 or epsilon is not above 0.
    explicit LayerNorm2d(const LayerNorm2dOptions& options);
    /// Throws Error when x is not of rank 4 or has another number of channels.
    Tensor forward(Tensor x) override;

private:
    LayerNorm2dOptions options_;
    Tensor weight_, bias_;
};

/// Options of GroupNorm.
struct GroupNormOptions {
    std::int64_t groups = 1;    ///< groups of adjacent channels that are normalised together
    std::int64_t channels = 1;  ///< channels of the input
    double epsilon = 1e-5;      ///< added to the variance
    bool affine = true;         ///< train a weight and a bias
};

/// group_norm() of x [N, channels, ...] (Wu & He 2018): each group of channels of each sample has its own mean and
/// variance. Parameters: weight (initially 1) and bias (0), [channels].
class GroupNorm : public Layer {
public:
    using Options = GroupNormOptions;  ///< for Sequential::add()

    /// Throws Error when groups or channels is below 1, groups does not divide channels, or epsilon is not above 0.
    explicit GroupNorm(const GroupNormOptions& options);
    /// Throws Error when x is of rank below 2 or has another number of channels.
    Tensor forward(Tensor x) override;

private:
    GroupNormOptions options_;
    Tensor weight_, bias_;
};

/// Options of InstanceNorm2d.
struct InstanceNorm2dOptions {
    std::int64_t channels = 1;  ///< channels of the input
    double epsilon = 1e-5;      ///< added to the variance
    bool affine = false;        ///< train a weight and a bias
};

/// instance_norm() of x [N, channels, H, W] (Ulyanov et al. 2016): each channel of each image has its own mean and
/// variance, in training and in evaluation. Parameters with `affine`: weight (initially 1) and bias (0), [channels].
class InstanceNorm2d : public Layer {
public:
    using Options = InstanceNorm2dOptions;  ///< for Sequential::add()

    /// Throws Error when channels is below 1 or epsilon is not above 0.
    explicit InstanceNorm2d(const InstanceNorm2dOptions& options);
    /// Throws Error when x is not of rank 4, has another number of channels, or has images of a single pixel.
    Tensor forward(Tensor x) override;

private:
    InstanceNorm2dOptions options_;
    Tensor weight_, bias_;
};

/// Options of RMSNorm.
struct RMSNormOptions {
    Shape shape = {1};      ///< the last extents of the input, over which it is normalised
    double epsilon = 1e-6;  ///< added to the mean square
    bool affine = true;     ///< train a weight
};

/// y = x / sqrt(mean(x^2) + epsilon) * weight over the last extents of x [..., shape] (Zhang & Sennrich 2019).
/// Parameter: weight (initially 1), of the given shape.
class RMSNorm : public Layer {
public:
    using Options = RMSNormOptions;  ///< for Sequential::add()

    /// Throws as LayerNorm does.
    explicit RMSNorm(const RMSNormOptions& options);
    /// Throws Error when the last extents of x are not the shape.
    Tensor forward(Tensor x) override;

private:
    RMSNormOptions options_;
    Tensor weight_;
};

}  // namespace radial
