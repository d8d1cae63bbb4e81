// Dropout.
#pragma once

#include "radial/core/nn/module.h"

namespace radial {

/// Options of Dropout.
struct DropoutOptions {
    double p = 0.5;  ///< probability that an element is zeroed, in [0, 1)
};

/// In training, zeroes each element with probability p and divides the others by 1 - p, using default_generator()
/// (Srivastava et al. 2014). In evaluation, the identity. Any shape.
class Dropout : public Layer {
public:
    using Options = DropoutOptions;  ///< for Sequential::add()

    /// Throws Error when p is outside [0, 1).
    explicit Dropout(const DropoutOptions& options = {});
    /// Throws Error when x is undefined or of an integer type.
    Tensor forward(Tensor x) override;

private:
    DropoutOptions options_;
};

}  // namespace radial
