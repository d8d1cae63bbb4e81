// Columns of numbers.
#include "radial/apps/models/tables.h"

#include <fmt/format.h>

#include <algorithm>

namespace radial::zoo {
namespace {

/// "11,689,512".
std::string grouped(std::int64_t number) {
    std::string digits = fmt::format("{}", number);
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
        digits.insert(static_cast<std::size_t>(at), 1, ',');
    return digits;
}

/// "3 x 224 x 224".
std::string by(const Shape& shape) {
    std::string text;
    for (const std::int64_t extent : shape) text += fmt::format("{}{}", text.empty() ? "" : " x ", extent);
    return text;
}

using Row = std::vector<std::string>;

/// Rows as lines, every column as wide as its widest entry; the first two to the left, the others to the right.
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

}  // namespace

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
            {"options", info.settings}};
}

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

}  // namespace radial::zoo
