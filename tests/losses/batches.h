// Small batches for the tests of single losses, and access to a loss's tensors by name.
#pragma once

#include "../core/random_inputs.h"
#include "../expect.h"
#include "radial/core/nn/module.h"

#include <cstdint>
#include <string>
#include <vector>

namespace radial::test {

/// A float32 matrix with this number of columns.
inline Tensor matrix(const std::vector<float>& values, std::int64_t columns) {
    return Tensor::from(values, {static_cast<std::int64_t>(values.size()) / columns, columns});
}
inline Tensor label_list(const std::vector<std::int64_t>& labels) {
    return Tensor::from(labels, {static_cast<std::int64_t>(labels.size())});
}

/// The parameter or buffer with this name. Fails the test if there is none.
inline Tensor named(const Module& module, const std::string& name) {
    for (const auto& [key, tensor] : module.state())
        if (key == name) return tensor;
    FAIL("no tensor is called " << name);
    return {};
}

/// Features [rows, 4] and labels of 6 classes.
struct Batch {
    Tensor feature, labels;
};
inline Batch batch_of(std::int64_t rows, std::uint64_t seed = 5) {
    RandomInputs random(seed);
    return {random.tensor({rows, 4}, -1, 1, DType::float32), random.labels(rows, 6)};
}

}  // namespace radial::test
