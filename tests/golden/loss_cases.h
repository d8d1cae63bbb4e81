// What the tests of recorded losses share: a case's loss, and the names in its expression.
#pragma once

#include "golden.h"
#include "radial/losses/loss.h"

#include <memory>
#include <set>

namespace radial::test {

/// Builds the loss that a case names, gives it the recorded state, and puts its tensors in the inputs' place.
std::unique_ptr<Loss> recorded_loss(const GoldenCase& golden, TensorMap& inputs);

/// Adds the names in a sum: "softmax" and "ring" of "softmax + 0.01 * ring".
void add_names(const std::string& expression, std::set<std::string>& names);

}  // namespace radial::test
