// Recomputation (gradient checkpointing): part of a network keeps only its input and runs again during backward.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <functional>

namespace radial {

/// Computes segment(x) but keeps only x for backward, which runs the segment again (Chen et al. 2016, "Training Deep
/// Nets with Sublinear Memory Cost"). This costs one more forward pass and keeps the activations of only one segment at
/// a time.
///
/// The second run draws the same random numbers from default_generator() as the first and does not update running
/// statistics, so results, gradients and buffers are bitwise equal to those of segment(x). `parameter` is any parameter
/// that the segment uses, or undefined if it uses none; it makes the op differentiable when x needs no gradient. When
/// gradients are disabled, this is segment(x). The segment must be deterministic: every call has to compute the same
/// function.
Tensor recompute(const std::function<Tensor(Tensor)>& segment, const Tensor& x, const Tensor& parameter = {});

/// Whether this thread is running a segment for the second time. State that changes in each forward pass, such as
/// running statistics, must not be updated then.
bool recomputing();

}  // namespace radial
