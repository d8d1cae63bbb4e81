// Embedding: a table of vectors that are looked up by integers, such as the indices of words.
#pragma once

#include "radial/core/nn/module.h"

#include <cstdint>
#include <optional>

namespace radial {

/// Options of Embedding.
struct EmbeddingOptions {
    std::int64_t rows = 1;                           ///< number of vectors
    std::int64_t dim = 1;                            ///< length of each vector
    std::optional<std::int64_t> padding_index = {};  ///< the row that represents padding and is not trained
};

/// y = the rows x of a table. x is int64 of any shape of up to 5 dimensions; the result has one more dimension, of
/// length dim. Gradients of repeated rows are added. Parameter: weight [rows, dim], initially N(0, 1), as in PyTorch.
/// The row padding_index is initially 0 and its gradient is always 0.
class Embedding : public Layer {
public:
    using Options = EmbeddingOptions;  ///< for Sequential::add()

    /// Throws Error when rows or dim is below 1 or padding_index is outside [0, rows).
    explicit Embedding(const EmbeddingOptions& options);
    /// Throws Error when x is not int64 or has more than 5 dimensions, and when an element is outside [0, rows). On a
    /// device, the next synchronize() throws the error for such an element.
    Tensor forward(Tensor x) override;
    /// The table [rows, dim].
    const Tensor& weight() const { return weight_; }

private:
    EmbeddingOptions options_;
    Tensor weight_;
};

}  // namespace radial
