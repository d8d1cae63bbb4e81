// Detects the first batch that a loss is trained on.
#pragma once

#include "radial/core/tensor/tensor.h"

namespace radial {

/// Detects the first forward() in training of a loss whose state was not loaded from a checkpoint.
class FirstBatch {
public:
    /// `started` is a registered buffer [1] of BufferKind::state that contains 0. Checkpoints thereby record whether
    /// the loss has started.
    explicit FirstBatch(Tensor started) : started_(std::move(started)) {}
    /// True once: in the first call with `training` set, unless a checkpoint loaded before says that the loss has
    /// started. Only this first call reads the buffer from the device, so later steps do not wait.
    bool begins(bool training);
    /// Whether the first training batch is past. Reads the buffer if begins() has not been called in training yet.
    bool over() const { return known_ || started_.item() != 0; }

private:
    Tensor started_;
    bool known_ = false;
};

}  // namespace radial
