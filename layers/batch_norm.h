// Batch normalisation of images.
#pragma once

#include "radial/core/backend/backend.h"
#include "radial/core/nn/module.h"

namespace radial {

struct BatchNorm2dOptions {
    std::int64_t channels = 1;
    double momentum = 0.1;                     ///< weight of the new batch in the running statistics
    double epsilon = 1e-5;                     ///< added to the variance
    Activation activation = Activation::none;  ///< applied in the same pass, after a residual
};

/// y = (x - mean) / sqrt(variance + epsilon) * weight + bias, each channel over N, H and W (Ioffe & Szegedy 2015).
/// Training uses the batch's statistics and moves the running ones towards them; evaluation uses the running ones.
/// x [N, channels, H, W] to the same shape.
/// Parameters: weight [channels] (starts at 1), bias [channels] (0). Buffers: running_mean (0), running_var (1).
class BatchNorm2d : public Layer {
public:
    using Options = BatchNorm2dOptions;

    /// Throws Error when channels is below 1, momentum is outside [0, 1] or epsilon is not above 0.
    explicit BatchNorm2d(const BatchNorm2dOptions& options);
    /// Throws Error when x is not rank 4, has other channels, or trains on a single value a channel.
    Tensor forward(Tensor x) override;
    /// The same with `residual`, of x's shape, added before the activation: how a residual block ends.
    Tensor forward(const Tensor& x, const Tensor& residual);
    const BatchNorm2dOptions& options() const { return options_; }
    const Tensor& weight() const { return weight_; }
    const Tensor& bias() const { return bias_; }
    const Tensor& running_mean() const { return running_mean_; }
    const Tensor& running_var() const { return running_var_; }

private:
    BatchNorm2dOptions options_;
    Tensor weight_, bias_, running_mean_, running_var_;
};

}  // namespace radial
