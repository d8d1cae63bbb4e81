// How much the samples of each class count.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace radial {

/// One number a class, or none: then every sample counts 1. Copies are kept where they were last wanted, so that a step
/// copies nothing from the host.
class ClassWeights {
public:
    /// `weights` [classes], each at least 0; empty for none. Throws Error, naming `loss`, for those that do not fit.
    void set(std::string_view loss, std::int64_t classes, const std::vector<double>& weights);
    /// [classes], in the type and on the device of `x`; undefined for none.
    Tensor like(const Tensor& x);
    /// The sum over samples with these labels (int64 [N]): a float64 scalar on their device; undefined for none.
    Tensor sum_over(const Tensor& labels);

private:
    Tensor given_;       ///< float64
    Tensor like_, sum_;  ///< copies for the two members above
};

}  // namespace radial
