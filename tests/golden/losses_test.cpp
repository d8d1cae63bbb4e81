// Compares every loss and regulariser with PyTorch: values, logits, gradients of features and parameters, changed
// buffers.
#include "loss_cases.h"

#include <set>

namespace radial::test {
namespace {

const std::vector<std::string> fixtures = {"head_losses.safetensors", "term_losses.safetensors",
                                           "pair_losses.safetensors"};

TensorMap results_of(const GoldenCase& golden, TensorMap& inputs) {
    const auto loss = recorded_loss(golden, inputs);
    const Tensor feature = inputs.at("feature");
    TensorMap results = {{"y", loss->forward(feature, inputs.at("labels"))}, {"logits", loss->logits(feature)}};
    for (const LossMetric& metric : loss->metrics()) results[metric.name] = metric.value;
    return results;
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

TEST_CASE("every recorded loss is in the registries, and no recorded loss is missing", "[golden][losses][host]") {
    std::set<std::string> names, known;
    for (const std::string& fixture : fixtures)
        for (const GoldenCase& golden : golden_cases(fixture)) add_names(golden.op, names);
    for (const LossInfo& info : loss_registry()) known.insert(info.name);
    for (const RegulariserInfo& info : regulariser_registry()) known.insert(info.name);
    for (const std::string& name : names) {
        INFO(name);
        CHECK(known.contains(name));
    }
    CHECK(names.size() >= 30);  // 28 losses, and two regularisers that are not losses
}

}  // namespace radial::test
