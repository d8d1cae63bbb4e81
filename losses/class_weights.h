// Weights of the samples of each class.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace radial {

/// A weight for each class, or none, in which case every sample has weight 1. Copies on the device are kept, so that a
/// step copies nothing from the host.
class ClassWeights {
public:
    /// Sets the weights [classes], each at least 0; empty for none. Throws Error, naming `loss`, for invalid weights.
    void set(std::string_view loss, std::int64_t classes, const std::vector<double>& weights);
    /// The weights [classes] in the type and on the device of `x`; undefined for none.
    Tensor like(const Tensor& x);
    /// The sum of the weights of samples with these labels (int64 [N]): a float64 scalar on their device; undefined for
    /// none.
    Tensor sum_over(const Tensor& labels);

private:
    Tensor given_;       ///< float64
    Tensor like_, sum_;  ///< copies for the two members above
};

}  // namespace radial
