// Recomputation (gradient checkpointing): a part of a network that keeps its input alone and runs again in backward.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <functional>

namespace radial {

/// segment(x), of which only x is kept for backward, where the segment runs again (Chen et al. 2016, "Training Deep
/// Nets with Sublinear Memory Cost"): for one more forward pass, memory for the activations of one segment at a time.
/// The second run draws the random numbers of the first from default_generator() and moves no running statistics, so
/// that results, gradients and buffers are those of segment(x) to the bit. `parameter` is any parameter that the
/// segment uses, undefined for none: it tells that a gradient is wanted where x does not. Without gradients it is
/// segment(x). The segment must do the same whenever it is called.
Tensor recompute(const std::function<Tensor(Tensor)>& segment, const Tensor& x, const Tensor& parameter = {});

/// Whether this thread is running a segment again. What moves at each forward pass (running statistics) then does not.
bool recomputing();

}  // namespace radial
