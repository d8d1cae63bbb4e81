// Functions for the tests of recorded losses: they build a case's loss and find the names in an expression.
#pragma once

#include "golden.h"
#include "radial/losses/loss.h"

#include <memory>
#include <set>

namespace radial::test {

/// Builds the loss that a case names, loads the recorded state, and replaces the state's inputs by the loss's own
/// tensors.
std::unique_ptr<Loss> recorded_loss(const GoldenCase& golden, TensorMap& inputs);

/// Adds the names in a sum to `names`: "softmax" and "ring" for "softmax + 0.01 * ring".
void add_names(const std::string& expression, std::set<std::string>& names);

}  // namespace radial::test
