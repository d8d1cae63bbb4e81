// Every loss and regulariser against PyTorch: values, logits, gradients of features and parameters, moved buffers.
#include "golden.h"
#include "radial/core/ops.h"
#include "radial/losses/loss.h"

#include <set>

namespace radial::test {
namespace {

const std::vector<std::string> fixtures = {"head_losses.safetensors", "term_losses.safetensors",
                                           "pair_losses.safetensors"};

/// Builds the loss that a case names, gives it the recorded state, and puts its tensors in the inputs' place.
std::unique_ptr<Loss> recorded_loss(const GoldenCase& golden, TensorMap& inputs) {
    const Tensor feature = inputs.at("feature");
    auto loss = make_loss(golden.op, golden.attributes.at("classes"), feature.size(1),
                          golden.attributes.at("settings").get<LossSettings>());
    loss->to(feature.dtype());
    std::vector<NamedTensor> state;
    for (const auto& [name, tensor] : inputs)
        if (name != "feature" && name != "labels") state.push_back({name, tensor.detach()});
    loss->load_state(state);
    loss->train(golden.flag("training", true));
    for (const auto& [name, tensor] : loss->state()) inputs[name] = tensor;
    return loss;
}

TensorMap results_of(const GoldenCase& golden, TensorMap& inputs) {
    const auto loss = recorded_loss(golden, inputs);
    const Tensor feature = inputs.at("feature");
    TensorMap results = {{"y", loss->forward(feature, inputs.at("labels"))}, {"logits", loss->logits(feature)}};
    if (loss->mean_kernel().defined()) results["mean_kernel"] = loss->mean_kernel();
    return results;
}

/// The names in a sum: "softmax" and "ring" of "softmax + 0.01 * ring".
void add_names(const std::string& expression, std::set<std::string>& names) {
    std::string word;
    for (const char c : expression + ' ') {
        if (c != ' ') {
            word += c;
            continue;
        }
        if (!word.empty() && (std::isalpha(static_cast<unsigned char>(word[0])) != 0)) names.insert(word);
        word.clear();
    }
}

}  // namespace

TEST_CASE("every loss agrees with PyTorch", "[golden][losses]") {
    for (const std::string& fixture : fixtures) {
        for (const GoldenCase& golden : golden_cases(fixture)) {
            for (const GoldenRun& run : golden_runs(golden)) {
                DYNAMIC_SECTION(golden.name << golden.attributes.at("settings").dump() << ", " << run.str()) {
                    check_golden(golden, run, results_of);
                }
            }
        }
    }
}

TEST_CASE("all that is recorded is in the registries, and no less is recorded than was", "[golden][losses][host]") {
    std::set<std::string> names, known;
    for (const std::string& fixture : fixtures)
        for (const GoldenCase& golden : golden_cases(fixture)) add_names(golden.op, names);
    for (const LossInfo& info : loss_registry()) known.insert(info.name);
    for (const RegulariserInfo& info : regulariser_registry()) known.insert(info.name);
    for (const std::string& name : names) {
        INFO(name);
        CHECK(known.contains(name));
    }
    CHECK(names.size() >= 29);  // 27 losses, and two regularisers that no loss has the name of
}

}  // namespace radial::test
