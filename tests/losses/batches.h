// Small batches for the tests of single losses, the loss of a batch with its gradient, and access to tensors by name.
#pragma once

#include "../core/random_inputs.h"
#include "../expect.h"
#include "radial/core/backend/step_graph.h"
#include "radial/core/nn/module.h"
#include "radial/losses/loss.h"

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

/// The loss of a batch, and its gradient with respect to the feature.
struct Result {
    double value;
    std::vector<double> gradient;
};
inline Result run(Loss& loss, const Tensor& feature, const Tensor& labels) {
    Tensor x = feature.clone();
    x.set_requires_grad();
    const Tensor value = loss.forward(x, labels);
    value.backward();
    return {value.item(), x.grad().to_vector<double>()};
}

/// Runs steps of a loss as a StepGraph, and checks that its state changes in the same way as that of the same loss run
/// without a graph.
inline void check_recorded_steps(const std::string& name, std::int64_t classes, std::int64_t dim, Tensor& feature,
                                 const Tensor& labels) {
    const auto recorded = make_loss(name, classes, dim), eager = make_loss(name, classes, dim);
    eager->load_state(recorded->state());
    recorded->to(default_device());
    eager->to(default_device());
    StepGraph graph(default_device(), [&] {
        recorded->zero_grad();
        feature.clear_grad();
        recorded->forward(feature, labels).backward();
    });
    for (int step = 0; step < 4; ++step) {
        graph.run();
        eager->forward(feature.detach(), labels);
    }
    CHECK(graph.reason() == "");
    CHECK(graph.recorded());
    const auto ours = recorded->state(), theirs = eager->state();
    for (std::size_t i = 0; i < ours.size(); ++i) CHECK(relative_difference(ours[i].tensor, theirs[i].tensor) < 1e-6);
}

}  // namespace radial::test
