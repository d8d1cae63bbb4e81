// Multi-head attention.
#pragma once

#include "radial/core/nn/module.h"
#include "radial/core/ops/attention.h"
#include "radial/layers/linear.h"

#include <cstdint>
#include <memory>

namespace radial {

/// Options of MultiHeadAttention.
struct MultiHeadAttentionOptions {
    std::int64_t embed_dim = 1;  ///< number of features of the inputs and the result
    std::int64_t heads = 1;      ///< number of heads, each of embed_dim / heads features
    bool bias = true;            ///< add a bias to the projections
    bool causal = false;         ///< position i attends to positions 0 to i only
};

/// Multi-head attention (Vaswani et al. 2017, 3.2.2), as torch.nn.MultiheadAttention computes it with batch_first =
/// true: queries, keys and values are projected, each head computes softmax(q k^T / sqrt(embed_dim / heads)) v for its
/// part of the features, and the concatenated results are projected. Parameters: in_proj_weight [3 embed_dim,
/// embed_dim] (the projections of queries, keys and values; initially by init::xavier_uniform_()), in_proj_bias [3
/// embed_dim] (0), out_proj.weight [embed_dim, embed_dim] and out_proj.bias (as Linear, but with a bias of 0).
class MultiHeadAttention : public Layer {
public:
    using Options = MultiHeadAttentionOptions;  ///< for Sequential::add()

    /// Throws Error when embed_dim or heads is below 1, or heads does not divide embed_dim.
    explicit MultiHeadAttention(const MultiHeadAttentionOptions& options);
    /// Self-attention of x [N, L, embed_dim]; the result has the same shape. Throws Error when x does not have this
    /// shape.
    Tensor forward(Tensor x) override;
    /// Like forward(x), with a `mask` that is broadcast to [N, heads, L, L]; see scaled_dot_product_attention().
    Tensor forward(const Tensor& x, const Tensor& mask);
    /// Attention of `query` [N, L, embed_dim] to `key` and `value` [N, S, embed_dim]: [N, L, embed_dim]. `mask` is
    /// undefined or broadcast to [N, heads, L, S]. Throws Error when the shapes do not fit.
    Tensor forward(const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& mask = {});

private:
    Tensor attend(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask);

    MultiHeadAttentionOptions options_;
    Tensor in_proj_weight_, in_proj_bias_;
    std::shared_ptr<Linear> out_proj_;
};

}  // namespace radial
