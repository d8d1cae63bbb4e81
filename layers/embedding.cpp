// Embedding: checks, initial weights, and the lookup.
#include "radial/layers/embedding.h"

#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"

namespace radial {
namespace {

/// Returns `weight`. Backward sets row `row` of its gradient to 0.
Tensor with_fixed_row(const Tensor& weight, std::int64_t row) {
    return record("fix_row", weight.detach(), {weight},
                  [row](const Tensor& dy, Needs) -> Grads {
                      const Tensor dx = dy.exclusive() ? dy : dy.clone();
                      dx.rows(row, row + 1).fill_(0);
                      return {dx};
                  },
                  {{"row", row}});
}

}  // namespace

Embedding::Embedding(const EmbeddingOptions& options) : options_(options) {
    RADIAL_CHECK(options_.rows >= 1 && options_.dim >= 1, "Embedding: rows {} and dim {} must each be at least 1",
                 options_.rows, options_.dim);
    const auto& padding = options_.padding_index;
    RADIAL_CHECK(!padding || (*padding >= 0 && *padding < options_.rows),
                 "Embedding: padding_index is {}, expected within [0, {})", padding.value_or(0), options_.rows);
    weight_ = register_parameter("weight", Tensor::empty({options_.rows, options_.dim}));
    normal_(weight_, 0, 1);
    if (padding) weight_.rows(*padding, *padding + 1).fill_(0);
}

Tensor Embedding::forward(Tensor x) {
    RADIAL_CHECK(x.defined() && x.dtype() == DType::int64, "Embedding: input is {}, expected int64",
                 x.defined() ? x.str() : "undefined");
    RADIAL_CHECK(x.rank() < Shape::max_rank, "Embedding: input has shape {}, expected at most {} dimensions",
                 x.shape().str(), Shape::max_rank - 1);
    std::vector<std::int64_t> extents(x.shape().begin(), x.shape().end());
    extents.push_back(options_.dim);
    const Tensor index = x.to(Layout::row_major).view({x.numel()});
    const Tensor table = options_.padding_index ? with_fixed_row(weight_, *options_.padding_index) : weight_;
    return reshape(gather_rows(table, index), Shape(std::span<const std::int64_t>(extents)));
}

}  // namespace radial
