// Scaled dot-product attention.
//
// core/ops.h describes what all ops have in common.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <optional>

namespace radial {

/// Options of scaled_dot_product_attention().
struct AttentionOptions {
    bool causal = false;               ///< query i attends to keys 0 to i only
    std::optional<double> scale = {};  ///< factor of the products; 1 / sqrt(D) if not given
};
/// softmax(scale * q k^T + mask) v for each head (Vaswani et al. 2017, Eq. 1): q [..., L, D], k [..., S, D], v [..., S,
/// E], where the other extents are equal, usually [N, H]; the result is [..., L, E].
///
/// `mask` is broadcast to [..., L, S]. A mask of the dtype of q is added to the scaled products and gets a gradient; a
/// uint8 mask is 0 where a query must not attend to a key. The result of a query that attends to no key is 0, as in
/// PyTorch. Backward computes the probabilities again, a few heads at a time, so that the [L, S] matrices of all heads
/// need memory only for the gradient of a mask. bfloat16 products are summed in float32, and the softmax is float32.
/// Throws Error when extents, dtypes or devices do not fit.
Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask = {},
                                    const AttentionOptions& options = {});

}  // namespace radial
