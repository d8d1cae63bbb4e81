// Compares Muon with PyTorch's, and LAMB with timm's.
#include "golden.h"
#include "radial/core/optim/lamb.h"
#include "radial/core/optim/muon.h"

namespace radial::test {
namespace {

const std::string fixture = "optimizers.safetensors";
const std::vector<std::string> names = {"wide", "tall", "conv", "vector"};

std::unique_ptr<Optimizer> recorded_optimizer(const GoldenCase& golden, const std::vector<Tensor>& parameters) {
    const auto betas = golden.attributes.value("betas", std::vector<double>{0.9, 0.999});
    const double lr = golden.number("lr", 0), decay = golden.number("weight_decay", 0);
    if (golden.op == "Lamb")
        return std::make_unique<Lamb>(parameters, LambOptions{.lr = lr,
                                                              .beta1 = betas.at(0),
                                                              .beta2 = betas.at(1),
                                                              .epsilon = golden.number("eps", 1e-6),
                                                              .weight_decay = decay,
                                                              .trust_clip = golden.flag("trust_clip", false),
                                                              .always_adapt = golden.flag("always_adapt", false)});
    const bool matches = golden.attributes.value("adjust_lr_fn", "original") == "match_rms_adamw";
    return std::make_unique<Muon>(
        std::vector<ParameterGroup>{
            {.parameters = {parameters[0], parameters[1], parameters[2]}, .weight_decay = decay}},
        std::vector<ParameterGroup>{
            {.parameters = {parameters[3]}, .lr_scale = golden.number("others", 1), .weight_decay = decay}},
        MuonOptions{.lr = lr,
                    .momentum = golden.number("momentum", 0.95),
                    .nesterov = golden.flag("nesterov", true),
                    .iterations = golden.attributes.value("ns_steps", 5),
                    .scale = matches ? MuonScale::match_adamw : MuonScale::original,
                    .adam_beta1 = betas.at(0),
                    .adam_beta2 = betas.at(1)});
}

/// The parameters after each step with the recorded gradients.
TensorMap trace_of(const GoldenCase& golden, TensorMap& inputs) {
    std::vector<Tensor> parameters;
    for (const std::string& name : names) parameters.push_back(inputs.at(name).set_requires_grad());
    const auto optimizer = recorded_optimizer(golden, parameters);
    const std::int64_t steps = inputs.at("gradient_wide").size(0);
    std::vector<std::vector<double>> traces(parameters.size());
    for (std::int64_t step = 0; step < steps; ++step) {
        for (std::size_t p = 0; p < parameters.size(); ++p) {
            const Tensor gradient = inputs.at("gradient_" + names[p]).rows(step, step + 1);
            parameters[p].set_grad(gradient.view(parameters[p].shape()).clone());
        }
        optimizer->step();
        for (std::size_t p = 0; p < parameters.size(); ++p) {
            const auto now = parameters[p].to_vector<double>();
            traces[p].insert(traces[p].end(), now.begin(), now.end());
        }
    }
    TensorMap results;
    for (std::size_t p = 0; p < parameters.size(); ++p)
        results[p == 0 ? "y" : names[p]] = Tensor::from(traces[p], inputs.at("gradient_" + names[p]).shape());
    return results;
}

}  // namespace

TEST_CASE("Muon agrees with PyTorch", "[golden]") { check_all_golden(fixture, "Muon", 4, trace_of); }

TEST_CASE("LAMB agrees with timm", "[golden]") { check_all_golden(fixture, "Lamb", 5, trace_of); }

}  // namespace radial::test
