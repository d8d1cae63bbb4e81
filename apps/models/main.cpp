// radial-models: prints tables of networks and of their layers, and converts weight files.
#include "radial/apps/cli/command_line.h"
#include "radial/apps/cli/validators.h"
#include "radial/apps/models/onnx_file.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/apps/train/run/weights.h"
#include "radial/core/backend/backend.h"
#include "radial/core/tensor/random.h"
#include "radial/core/util/error.h"
#include "radial/models/cost.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace radial::zoo {
namespace {

/// A network of the registry and its cost with a classifier, for the images and classes that ModelInfo gives.
struct ListedModel {
    const ModelInfo* info;
    ModelCost cost;
};

/// Formats a number with thousands separators: "11,689,512".
std::string grouped(std::int64_t number) {
    std::string digits = fmt::format("{}", number);
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
        digits.insert(static_cast<std::size_t>(at), 1, ',');
    return digits;
}

/// Formats a shape: "3 x 224 x 224".
std::string by(const Shape& shape) {
    std::string text;
    for (const std::int64_t extent : shape) text += fmt::format("{}{}", text.empty() ? "" : " x ", extent);
    return text;
}

using Row = std::vector<std::string>;

/// Formats rows as lines with aligned columns: the first two aligned to the left, the others to the right.
std::string aligned(const std::vector<Row>& rows) {
    std::vector<std::size_t> widths;
    for (const Row& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string text;
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            text += i < 2 ? fmt::format("{:<{}}", row[i], widths[i]) : fmt::format("{:>{}}", row[i], widths[i]);
            text += i + 1 < row.size() ? "  " : "\n";
        }
    }
    return text;
}

constexpr std::string_view list_format = "{:<18}  {:>12}  {:>16}  {:>12}  {:>15}  {:>7}  {:>7}\n";

/// The heading of the list of networks. list_line() formats the line of one network.
std::string list_heading() {
    return fmt::format(list_format, "model", "parameters", "multiply-adds", "activations", "input", "feature",
                       "classes");
}

std::string list_line(const ListedModel& model) {
    return fmt::format(list_format, model.info->name, grouped(model.cost.parameters), grouped(model.cost.multiply_adds),
                       grouped(model.cost.activations), by(model.info->image), model.info->dim, model.info->classes);
}

nlohmann::ordered_json to_json(const ListedModel& model) {
    const ModelInfo& info = *model.info;
    return {{"name", info.name},
            {"family", info.family},
            {"source", info.source},
            {"input", {info.image[0], info.image[1], info.image[2]}},
            {"feature", info.dim},
            {"any_feature", info.any_dim},
            {"classes", info.classes},
            {"parameters", model.cost.parameters},
            {"multiply_adds", model.cost.multiply_adds},
            {"activations", model.cost.activations},
            {"options", info.defaults()}};
}

/// Every op of a network on one image, one per line, then its classifier and the totals.
std::string summary_table(const ModelInfo& info) {
    const std::unique_ptr<Layer> model = make_model(info, info.dim);
    std::vector<Row> rows = {{"name", "op", "output", "parameters", "multiply-adds"}};
    std::int64_t parameters = 0, multiply_adds = 0, activations = 0;
    const auto add = [&](const std::string& name, const LayerCost& layer) {
        rows.push_back({name, layer.op, by(layer.output), grouped(layer.parameters), grouped(layer.multiply_adds)});
        parameters += layer.parameters;
        multiply_adds += layer.multiply_adds;
        activations += layer.activations;
    };
    for (const LayerCost& layer : layer_costs(*model, info.image)) add(layer.module, layer);
    const std::int64_t classifier = (info.dim + 1) * info.classes;
    add("(classifier)", {"linear", "", Shape{1, info.classes}, classifier, classifier, info.classes, true});
    return fmt::format("{}: {}, input {}\n\n{}\n{} parameters, {} multiply-adds, {} activations\n", info.name,
                       info.source, by(info.image), aligned(rows), grouped(parameters), grouped(multiply_adds),
                       grouped(activations));
}

struct ModelsOptions {
    bool json = false, summary = false;
    std::string model, to = "radial", from;
    std::filesystem::path weights, written;
    std::int64_t size = 0;  ///< side of the images of an ONNX file; 0: as export_classifier() chooses
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
    const bool onnx = options.to == "onnx";
    RADIAL_CHECK(onnx || options.size == 0, "--size: is for --format onnx");
    const auto formats = {WeightFormat::radial, WeightFormat::torchvision, WeightFormat::timm};
    const auto to = std::ranges::find(formats, options.to, [](WeightFormat format) { return name_of(format); });
    RADIAL_CHECK(onnx || to != formats.end(), "--format: '{}', expected onnx, radial, torchvision or timm", options.to);
    train::OpenedWeights weights = train::open_weights(options.weights, options.model, options.from);
    const train::ClassifierSpec& spec = weights.classifier.spec;
    if (onnx) {
        const std::int64_t side = export_classifier(options.written, weights, options.size);
        fmt::print("{}: {} with the loss {} and {} classes, for images of {} x {} pixels\n",
                   train::shown(options.written.string()), spec.model, spec.loss, spec.classes, side, side);
        return;
    }
    train::export_weights(options.written, weights, *to);
    fmt::print("{}: {} with {} classes, names of {}\n", train::shown(options.written.string()), spec.model,
               spec.classes, name_of(*to));
}

void run_models(const ModelsOptions& options) {
    const SkipRandomFill skip;  // no output depends on initial weights
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

/// Lists the networks, shows the layers of one, or converts a weight file.
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
                app.add_option("--format", options->to,
                               "Format of --export: onnx, or the tensor names of radial, torchvision or timm")
                    ->capture_default_str();
                app.add_option("--size", options->size,
                               "Side of the input images of --format onnx (default: the file's, else the network's)")
                    ->check(train::within(1, 100000));
                app.add_option("--from", options->from, "Tensor names of --weights (default: recognized)");
                app.add_option("--threads", options->threads, "Compute threads; 0 uses every core")
                    ->capture_default_str()
                    ->check(train::within(0, 4096));
                return [options] { run_models(*options); };
            }};
}

}  // namespace
}  // namespace radial::zoo

int main(int argc, char** argv) {
    return radial::train::run_program("radial-models", radial::zoo::models_command(), argc, argv);
}
