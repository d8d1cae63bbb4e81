// Cross-entropies that no op forms: from a given normaliser, and means in which each sample counts as its class says.
#pragma once

#include "radial/core/ops.h"
#include "radial/losses/functional.h"

namespace radial {

/// Mean of `each` [N] over the batch, a sample counting as much as its class in `class_weights` [C]; all alike when
/// that is undefined. Scalar; 0 where no sample counts.
Tensor class_weighted_mean(const Tensor& each, const Tensor& labels, const Tensor& class_weights);

/// Mean of -sum_j t_j (z_j - normaliser) over the batch, with the target t and the weights that HeadOptions describe:
/// cross_entropy(), but for the logarithm [N] of the sum that it divides by, which is given. logits [N, C]. Scalar.
Tensor normalised_cross_entropy(const Tensor& logits, const Tensor& normaliser, const Tensor& labels,
                                const HeadOptions& options);

}  // namespace radial
