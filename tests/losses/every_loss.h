// The table of losses for the tests that run on all losses: every entry of the registries, as a loss.
//
// How to add a loss
//   1. Register it (docs/tutorials/new-loss.md). It is then in this table, and every_loss_test.cpp checks its gradients
//      against finite differences in float64, difficult batches, its saved state, bfloat16 features, the loss of the
//      parts of a batch, and a step recorded as a graph on a device. radial-tests "[speed]" prints its time in
//      microseconds.
//   2. Record PyTorch's values: add its equation to tests/golden/term_loss_cases.py (or pair_loss_cases.py or
//      head_loss_cases.py) and a line to harsh_loss_cases.py, then run tests/golden/generate.py and
//      harsh_loss_cases.py. golden/losses_test.cpp and golden/harsh_losses_test.cpp compare on every device. A test
//      fails if these files lack the loss.
//   3. Gradients with options other than the defaults: add a line to loss_options_test.cpp or pair_losses_test.cpp.
// Tests of one loss only (values computed by hand, messages) are in the file of its header, such as softmax_test.cpp.
#pragma once

#include "../expect.h"
#include "radial/core/ops.h"
#include "radial/losses/loss.h"

#include <string>
#include <vector>

namespace radial::test {

/// A loss, and the settings for the check of its gradients.
struct LossUnderTest {
    std::string expression;    ///< a name, or a sum with a regulariser
    LossSettings smooth = {};  ///< settings that make the loss differentiable, if the defaults do not
};

/// The losses, and softmax with each regulariser.
inline std::vector<LossUnderTest> every_loss() {
    std::vector<LossUnderTest> all;
    for (const LossInfo& info : loss_registry()) all.push_back({info.name});
    for (const RegulariserInfo& info : regulariser_registry()) all.push_back({"softmax + 0.5 * " + info.name});
    for (LossUnderTest& loss : all) {
        // In the published gradient of circle loss, the weights are constants.
        if (loss.expression == "circle") loss.smooth = {{"through_weights", 1}};
    }
    return all;
}

inline Tensor feature_of(std::int64_t rows, std::int64_t dim, DType dtype = DType::float32, double spread = 0.7,
                         std::uint64_t seed = 7) {
    const Tensor x = Tensor::empty({rows, dim}, dtype);
    Generator generator(seed);
    normal_(x, 0, spread, generator);
    return x;
}

/// 0, 3, 6, ... modulo `classes`. With 2 * classes rows, each label occurs twice.
inline Tensor labels_of(std::int64_t rows, std::int64_t classes) {
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < rows; ++i) labels.push_back(3 * i % classes);
    return Tensor::from(labels, {rows});
}

}  // namespace radial::test
