// Batch normalisation of images.
#pragma once

#include "radial/core/backend/backend.h"
#include "radial/core/nn/module.h"

namespace radial {

/// Options of BatchNorm2d.
struct BatchNorm2dOptions {
    std::int64_t channels = 1;                 ///< channels of the input
    double momentum = 0.1;                     ///< weight of the new batch in the running statistics
    double epsilon = 1e-5;                     ///< added to the variance
    Activation activation = Activation::none;  ///< applied in the same pass, after the residual
};

/// y = (x - mean) / sqrt(variance + epsilon) * weight + bias, for each channel over N, H and W (Ioffe & Szegedy 2015).
/// Training uses the statistics of the batch and moves the running statistics towards them; evaluation uses the running
/// statistics. x [N, channels, H, W]; the result has the same shape. Parameters: weight [channels] (initially 1), bias
/// [channels] (0). Buffers: running_mean (0), running_var (1).
class BatchNorm2d : public Layer {
public:
    using Options = BatchNorm2dOptions;  ///< for Sequential::add()

    /// Throws Error when channels is below 1, momentum is outside [0, 1] or epsilon is not above 0.
    explicit BatchNorm2d(const BatchNorm2dOptions& options);
    /// Throws Error when x is not of rank 4 or has another number of channels, and in training on a single value per
    /// channel.
    Tensor forward(Tensor x) override;
    /// The same with `residual`, of x's shape, added before the activation. This computes the end of a residual block.
    Tensor forward(const Tensor& x, const Tensor& residual);
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

private:
    BatchNorm2dOptions options_;
    Tensor weight_, bias_, running_mean_, running_var_;
};

}  // namespace radial
