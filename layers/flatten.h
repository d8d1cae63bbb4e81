// From images to rows.
#pragma once

#include "radial/core/nn/module.h"

namespace radial {

/// x [N, ...] to [N, product of the rest], in logical (NCHW) order whatever the layout in memory.
class Flatten : public Layer {
public:
    /// Throws Error when x has no dimension after the first.
    Tensor forward(Tensor x) override;
};

}  // namespace radial
