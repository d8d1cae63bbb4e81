// Builds losses from recorded cases.
#include "loss_cases.h"

#include <cctype>

namespace radial::test {

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

}  // namespace radial::test
