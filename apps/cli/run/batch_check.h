// Whether what a batch is cut into suffices for batch norms and the loss, known before the first step.
#pragma once

#include "radial/core/nn/module.h"
#include "radial/losses/loss.h"

#include <cstdint>

namespace radial::train {

/// How samples become the parts that go through a network at once.
struct BatchCut {
    std::int64_t samples = 0;  ///< of an epoch, or of what is left of one
    std::int64_t batch = 1;    ///< of all ranks together
    std::int64_t ranks = 1, accumulate = 1;
    bool drop_last = false;
};

/// Fewest samples of a part of one rank. 0 where there is no batch at all, or one that leaves a rank without samples.
std::int64_t smallest_part(const BatchCut& cut);

/// Throws Error, with the way out, where no batch would be left, or where a part is so small that a batch norm of
/// `model` would see a single value a channel of images [C, H, W]. `synchronised`: norms see all ranks' parts.
void check_batches(Layer& model, const Shape& image, const BatchCut& cut, bool synchronised);

/// Throws Error, with the way out, where a batch of all ranks has fewer samples than `loss` takes in training
/// (Loss::smallest_batch()).
void check_batches(const Loss& loss, const BatchCut& cut);

}  // namespace radial::train
