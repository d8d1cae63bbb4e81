// Mean squared error and binary cross-entropy.
#include "radial/losses/elementwise.h"

#include "radial/core/ops.h"
#include "radial/core/util/error.h"

namespace radial {
namespace {

/// The targets in the shape and dtype of the output.
Tensor like_output(const char* who, const Tensor& output, const Tensor& targets) {
    const bool column = output.rank() == 2 && output.size(1) == 1 && targets.rank() == 1;
    RADIAL_CHECK(
        output.rank() >= 1 && targets.numel() == output.numel() && (column || targets.shape() == output.shape()),
        "{}: the output is {}, targets are {}, expected one shape", who, output.str(), targets.str());
    const Tensor same = column ? targets.view(output.shape()) : targets;
    return same.to(output.dtype());
}

}  // namespace

Tensor MeanSquaredError::forward(const Tensor& output, const Tensor& targets) {
    return mean(square(output - like_output("MeanSquaredError", output, targets)));
}

// With p = sigmoid(y): log p = -softplus(-y), log(1 - p) = -softplus(y).
Tensor BinaryCrossEntropy::forward(const Tensor& output, const Tensor& targets) {
    const Tensor t = like_output("BinaryCrossEntropy", output, targets);
    return mean(softplus(-output) * t + softplus(output) * (1.0 - t));
}

}  // namespace radial
