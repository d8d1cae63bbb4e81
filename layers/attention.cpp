// Multi-head attention: checks, initial weights, and the projections around the op.
#include "radial/layers/attention.h"

#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/layers/common.h"

#include <string_view>

namespace radial {
namespace {

void check_sequence(std::string_view what, const Tensor& x, std::int64_t features) {
    check_input("MultiHeadAttention", x);
    RADIAL_CHECK(x.rank() == 3 && x.size(2) == features, "MultiHeadAttention: {} has shape {}, expected [N, L, {}]",
                 what, x.shape().str(), features);
}

/// Rearranges x [N, L, E] to [N, heads, L, E / heads].
Tensor split_heads(const Tensor& x, std::int64_t heads) {
    return permute(reshape(x, {x.size(0), x.size(1), heads, x.size(2) / heads}), {0, 2, 1, 3});
}

}  // namespace

MultiHeadAttention::MultiHeadAttention(const MultiHeadAttentionOptions& options) : options_(options) {
    const std::int64_t features = options_.embed_dim;
    RADIAL_CHECK(features >= 1 && options_.heads >= 1,
                 "MultiHeadAttention: embed_dim {} and heads {} must each be at least 1", features, options_.heads);
    RADIAL_CHECK(features % options_.heads == 0, "MultiHeadAttention: heads {} does not divide embed_dim {}",
                 options_.heads, features);
    in_proj_weight_ = register_parameter("in_proj_weight", Tensor::empty({3 * features, features}));
    init::xavier_uniform_(in_proj_weight_);
    if (options_.bias) in_proj_bias_ = register_parameter("in_proj_bias", Tensor::zeros({3 * features}));
    out_proj_ =
        register_module("out_proj", std::make_shared<Linear>(LinearOptions{
                                        .in_features = features, .out_features = features, .bias = options_.bias}));
    if (options_.bias) out_proj_->bias().fill_(0);
}

Tensor MultiHeadAttention::forward(Tensor x) { return forward(x, Tensor()); }

Tensor MultiHeadAttention::forward(const Tensor& x, const Tensor& mask) {
    check_sequence("input", x, options_.embed_dim);
    const std::int64_t batch = x.size(0), length = x.size(1), heads = options_.heads;
    const Tensor all =
        reshape(linear(x, in_proj_weight_, in_proj_bias_), {batch, length, 3, heads, options_.embed_dim / heads});
    const Tensor parts = permute(all, {2, 0, 3, 1, 4});  // [3, N, heads, L, E / heads]
    return attend(parts[0], parts[1], parts[2], mask);
}

Tensor MultiHeadAttention::forward(const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& mask) {
    check_sequence("query", query, options_.embed_dim);
    check_sequence("key", key, options_.embed_dim);
    check_sequence("value", value, options_.embed_dim);
    const auto projected = [this](const Tensor& x, std::int64_t part) {
        const std::int64_t begin = part * options_.embed_dim, end = begin + options_.embed_dim;
        const Tensor bias = in_proj_bias_.defined() ? slice(in_proj_bias_, 0, begin, end) : Tensor();
        return split_heads(linear(x, slice(in_proj_weight_, 0, begin, end), bias), options_.heads);
    };
    return attend(projected(query, 0), projected(key, 1), projected(value, 2), mask);
}

Tensor MultiHeadAttention::attend(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask) {
    const Tensor y = scaled_dot_product_attention(q, k, v, mask, {.causal = options_.causal});
    const Tensor joined = permute(y, {0, 2, 1, 3});  // [N, L, heads, E / heads]
    return out_proj_->forward(reshape(joined, {joined.size(0), joined.size(1), options_.embed_dim}));
}

}  // namespace radial
