// A fully connected layer, and a layer that flattens images to rows for it.
#pragma once

#include "radial/core/nn/module.h"

namespace radial {

/// Options of Linear.
struct LinearOptions {
    std::int64_t in_features = 1;   ///< features of the input
    std::int64_t out_features = 1;  ///< features of the result
    bool bias = true;               ///< add a bias
};

/// y = x weight^T + bias. x [..., in_features]; the result is [..., out_features]. Parameters: weight [out_features,
/// in_features] and bias [out_features], initially uniform in +-1 / sqrt(in_features), as in PyTorch.
class Linear : public Layer {
public:
    using Options = LinearOptions;  ///< for Sequential::add()

    /// Throws Error when in_features or out_features is below 1.
    explicit Linear(const LinearOptions& options);
    /// Throws Error when the last extent of x is not in_features.
    Tensor forward(Tensor x) override;
    /// The weight [out_features, in_features].
    const Tensor& weight() const { return weight_; }
    /// The bias [out_features]; undefined without a bias.
    const Tensor& bias() const { return bias_; }

private:
    LinearOptions options_;
    Tensor weight_, bias_;
};

/// Reshapes x [N, ...] to [N, product of the other sizes], in logical (NCHW) order for either memory layout.
class Flatten : public Layer {
public:
    /// Throws Error when x has no dimension after the first.
    Tensor forward(Tensor x) override;
};

}  // namespace radial
