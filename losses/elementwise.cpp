// Mean squared error, mean absolute error, smooth L1 and binary cross-entropy.
#include "radial/losses/elementwise.h"

#include "radial/core/ops.h"
#include "radial/core/util/error.h"

#include <cmath>

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

/// |output - targets|.
Tensor distance(const char* who, const Tensor& output, const Tensor& targets) {
    const Tensor difference = output - like_output(who, output, targets);
    return relu(difference) + relu(-difference);
}

}  // namespace

Tensor MeanSquaredError::forward(const Tensor& output, const Tensor& targets) {
    return mean(square(output - like_output("MeanSquaredError", output, targets)));
}

Tensor MeanAbsoluteError::forward(const Tensor& output, const Tensor& targets) {
    return mean(distance("MeanAbsoluteError", output, targets));
}

SmoothL1::SmoothL1(const SmoothL1Options& options) : options_(options) {
    RADIAL_CHECK(options.beta > 0 && std::isfinite(options.beta), "SmoothL1: beta is {}, expected above 0",
                 options.beta);
}

// With d = |output - targets| and q = min(d, beta), both cases are q (d - q / 2) / beta.
Tensor SmoothL1::forward(const Tensor& output, const Tensor& targets) {
    const Tensor d = distance("SmoothL1", output, targets);
    const Tensor q = clamp(d, 0, options_.beta);
    return mean(q * (d - 0.5 * q)) * (1 / options_.beta);
}

// With p = sigmoid(y): log p = -softplus(-y), log(1 - p) = -softplus(y).
Tensor BinaryCrossEntropy::forward(const Tensor& output, const Tensor& targets) {
    const Tensor t = like_output("BinaryCrossEntropy", output, targets);
    return mean(softplus(-output) * t + softplus(output) * (1.0 - t));
}

}  // namespace radial
