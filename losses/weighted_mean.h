// Cross-entropies from a given normaliser, and means weighted by class.
#pragma once

#include "radial/core/ops.h"
#include "radial/losses/functional.h"

namespace radial {

/// The mean of `each` [N] over the batch, with each sample weighted by the entry for its class in `class_weights` [C];
/// unweighted if that is undefined. Scalar; 0 if all weights are 0.
Tensor class_weighted_mean(const Tensor& each, const Tensor& labels, const Tensor& class_weights);

/// The mean of -sum_j t_j (z_j - normaliser) over the batch, where target t and weights are as described in
/// HeadOptions. This is cross_entropy() with a given normaliser [N], the logarithm of the sum that it divides by.
/// logits [N, C]. Scalar.
Tensor normalised_cross_entropy(const Tensor& logits, const Tensor& normaliser, const Tensor& labels,
                                const HeadOptions& options);

}  // namespace radial
