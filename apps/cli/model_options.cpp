// The registry's options as flags.
#include "radial/apps/cli/model_options.h"

#include "radial/apps/cli/command_line.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <set>

namespace radial::train {
namespace {

/// "--model.drop-connect", and the same with underscores.
std::string model_spellings(const std::string& name) {
    std::string joined = name;
    std::replace(joined.begin(), joined.end(), '-', '_');
    return "--model." + name + (joined == name ? "" : ",--model." + joined);
}

}  // namespace

void add_model_options(CLI::App& app, ModelSettings& settings) {
    std::set<std::string> names;
    std::string shown;
    for (const ModelInfo& info : model_registry())
        for (const auto& [option, value] : info.settings)
            if (names.insert(option).second) shown += (shown.empty() ? "" : ", ") + option;
    // Stands for the flags below, as --loss.OPTION does for the loss's.
    app.add_option_function<std::string>(
           "--model.OPTION",
           [](const std::string&) {
               throw CLI::ValidationError("--model.OPTION",
                                          "put an option's name in OPTION's place, as --model.dropout 0.2");
           },
           "Option of the network, where it has it, as --model.dropout 0.2: " + shown)
        ->type_name("NUMBER")
        ->configurable(false)
        ->group("Model");
    for (const std::string& name : names) {
        app.add_option_function<double>(
               model_spellings(name), [&settings, name](const double& value) { settings[name] = value; }, "")
            ->group(hidden_group);
    }
}

}  // namespace radial::train
