// Fully connected layer.
#pragma once

#include "radial/core/nn/module.h"

namespace radial {

struct LinearOptions {
    std::int64_t in_features = 1;
    std::int64_t out_features = 1;
    bool bias = true;
};

/// y = x weight^T + bias. x [N, in_features] to [N, out_features].
/// Parameters: weight [out_features, in_features], bias [out_features]; both start uniform in
/// +-1 / sqrt(in_features), as PyTorch's do.
class Linear : public Layer {
public:
    using Options = LinearOptions;

    /// Throws Error when in_features or out_features is below 1.
    explicit Linear(const LinearOptions& options);
    /// Throws Error when x is not a matrix of in_features columns.
    Tensor forward(Tensor x) override;

private:
    LinearOptions options_;
    Tensor weight_, bias_;
};

}  // namespace radial
