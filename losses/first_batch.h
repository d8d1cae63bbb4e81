// What a loss does once, with the first batch it is trained on.
#pragma once

#include "radial/core/tensor/tensor.h"

namespace radial {

/// Knows the first training forward of a loss that was not read back from a checkpoint.
class FirstBatch {
public:
    /// `started`: a registered buffer [1] of BufferKind::state with 0 in it, so that a checkpoint tells that the loss
    /// has started.
    explicit FirstBatch(Tensor started) : started_(std::move(started)) {}
    /// True once: at the first call with `training` on, unless a checkpoint said otherwise before that. Looks at the
    /// buffer on the host at the first such call alone, so later steps wait for nothing.
    bool begins(bool training);
    /// Whether that call is past. Looks at the buffer where there was no such call yet.
    bool over() const { return known_ || started_.item() != 0; }

private:
    Tensor started_;
    bool known_ = false;
};

}  // namespace radial
