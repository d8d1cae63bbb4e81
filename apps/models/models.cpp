// What is asked of radial-models, and its answers.
#include "radial/apps/models/models.h"

#include "radial/apps/cli/validators.h"
#include "radial/apps/models/tables.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/apps/train/console/standard_streams.h"
#include "radial/apps/train/run/weights.h"
#include "radial/core/backend/backend.h"
#include "radial/core/tensor/random.h"
#include "radial/core/util/error.h"

#include <CLI/CLI.hpp>

#include <cstdio>

namespace radial::zoo {
namespace {

struct ModelsOptions {
    bool json = false, summary = false;
    std::string model, to = "radial", from;
    std::filesystem::path weights, written;
    int threads = 0;
};

void print_list(bool json) {
    auto list = nlohmann::ordered_json::array();
    if (!json) fmt::print("{}", list_heading());
    for (const ModelInfo& info : model_registry()) {
        const ListedModel model{&info, model_cost(info, info.dim, info.classes, info.image[1])};
        if (json) {
            list.push_back(to_json(model));
        } else {
            fmt::print("{}", list_line(model));
            train::check_output();
        }
    }
    if (json) fmt::print("{}\n", list.dump(2));
}

void print_model(const std::string& name, bool json) {
    const ModelInfo& info = train::model_named(name);
    const ListedModel model{&info, model_cost(info, info.dim, info.classes, info.image[1])};
    json ? fmt::print("{}\n", to_json(model).dump(2)) : fmt::print("{}{}", list_heading(), list_line(model));
}

void convert(const ModelsOptions& options) {
    RADIAL_CHECK(!options.weights.empty() && !options.written.empty(), "--weights and --export go together");
    const WeightFormat to = parse_weight_format(options.to);
    const train::OpenedWeights weights = train::open_weights(options.weights, options.model, options.from);
    train::export_weights(options.written, weights, to);
    const train::ClassifierSpec& spec = weights.classifier.spec;
    fmt::print("{}: {} with {} classes, names of {}\n", train::shown(options.written.string()), spec.model,
               spec.classes, name_of(to));
}

void run_models(const ModelsOptions& options) {
    const SkipRandomFill skip;  // no answer depends on weights but those that are read
    set_num_threads(options.threads);
    if (!options.weights.empty() || !options.written.empty()) return convert(options);
    RADIAL_CHECK(!options.summary || !options.model.empty(), "--summary: of which network? Give --model NAME");
    if (options.summary) {
        fmt::print("{}", summary_table(train::model_named(options.model)));
    } else if (!options.model.empty()) {
        print_model(options.model, options.json);
    } else {
        print_list(options.json);
    }
}

}  // namespace

train::Command models_command() {
    return {"", "Lists networks and their cost, shows a network's layers, and converts weight files.",
            [](CLI::App& app) {
                auto options = std::make_shared<ModelsOptions>();
                app.add_flag("--json", options->json, "Print the list as JSON");
                app.add_option("--model", options->model, "Only this network; required by the options below");
                app.add_flag("--summary", options->summary, "Print the layers of --model");
                app.add_option("--weights", options->weights,
                               "Weight file to convert (a checkpoint names its network itself)")
                    ->type_name("FILE");
                app.add_option("--export", options->written, "Output file of the conversion")->type_name("FILE");
                app.add_option("--format", options->to, "Tensor names of --export: radial, torchvision or timm")
                    ->capture_default_str();
                app.add_option("--from", options->from, "Tensor names of --weights (default: recognized)");
                app.add_option("--threads", options->threads, "Compute threads; 0 uses every core")
                    ->capture_default_str()
                    ->check(train::within(0, 4096));
                return [options] { run_models(*options); };
            }};
}

}  // namespace radial::zoo
