// Detection of the first training batch, for modules that take initial values from data.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <utility>

namespace radial {

/// Detects the first forward() in training of a module whose state was not loaded from a checkpoint.
class FirstBatch {
public:
    /// `started` is a registered buffer [1] of BufferKind::state that contains 0. Through it, checkpoints record
    /// whether the module has started.
    explicit FirstBatch(Tensor started) : started_(std::move(started)) {}
    /// Returns true once: in the first call with `training` set, unless a loaded checkpoint has recorded that the
    /// module has started. Only this first call reads the buffer from the device, so later steps do not wait.
    bool begins(bool training) {
        if (!training || known_) return false;
        known_ = true;
        if (started_.item() != 0) return false;
        started_.fill_(1);
        return true;
    }
    /// Whether the first training batch has been seen. Reads the buffer if begins() has not been called in training
    /// yet.
    bool over() const { return known_ || started_.item() != 0; }

private:
    Tensor started_;
    bool known_ = false;
};

}  // namespace radial
