// Compares a network with recorded features, gradients of every parameter and running statistics.
#pragma once

#include "golden.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/nn/module.h"

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace radial::test {

/// Builds the network or layer of a recorded case.
using MakeNetwork = std::function<std::unique_ptr<Layer>(const GoldenCase&)>;

/// The feature of the network with the recorded state; the network's tensors replace the inputs.
inline GoldenFunction feature_of(const MakeNetwork& make) {
    return [make](const GoldenCase& golden, TensorMap& inputs) {
        const std::unique_ptr<Layer> net = make(golden);
        const Tensor x = inputs.at("x");
        net->to(x.dtype());
        std::vector<NamedTensor> state;
        for (const auto& [name, tensor] : inputs)
            if (name != "x") state.push_back({name, tensor.detach()});
        net->load_state(state);
        for (const auto& [name, tensor] : net->state()) inputs[name] = tensor;
        net->train(golden.flag("training", true));
        return TensorMap{{"y", net->forward(x)}};
    };
}

/// Checks every case, and that a gradient is recorded for each parameter except those whose gradient is 0 or too
/// inexact in float32. Evaluation without a tape, which folds batch norms, must give the same result.
inline void check_golden_network(const std::string& fixture, const std::string& name, std::size_t count,
                                 const MakeNetwork& make) {
    check_all_golden(fixture, name, count, feature_of(make));
    for (const auto& golden : golden_cases(fixture, name, count)) {
        INFO(golden.name);
        const std::unique_ptr<Layer> net = make(golden);
        const auto left_out = golden.attributes.at("left_out").get<std::set<std::string>>();
        CHECK((left_out.empty() || golden.flag("training", true)));
        for (const auto& [parameter, tensor] : net->named_parameters())
            CHECK(golden.gradients.contains(parameter) != left_out.contains(parameter));
        if (golden.flag("training", true)) continue;
        const NoGrad no_grad;
        TensorMap inputs;
        for (const auto& [input, tensor] : golden.inputs) inputs[input] = tensor.to(default_device());
        CHECK(relative_difference(feature_of(make)(golden, inputs).at("y"), golden.results.at("y")) < 1e-5);
    }
}

}  // namespace radial::test
