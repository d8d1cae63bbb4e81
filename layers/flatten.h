// Flattening of images to rows.
#pragma once

#include "radial/core/nn/module.h"

namespace radial {

/// Reshapes x [N, ...] to [N, product of the other extents], in logical (NCHW) order for either layout.
class Flatten : public Layer {
public:
    /// Throws Error when x has no dimension after the first.
    Tensor forward(Tensor x) override;
};

}  // namespace radial
