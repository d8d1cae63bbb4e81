// Compares the cost, names and shapes of every network of the registry with torchvision, timm and PyTorch versions of
// the CIFAR networks.
#include "../expect.h"
#include "../folders.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/tensor/random.h"
#include "radial/models/cost.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>

namespace radial::test {
namespace {

/// The costs that tests/golden/model_costs.py counted.
const nlohmann::json& recorded() {
    static const nlohmann::json costs = [] {
        std::ifstream file(test_folder() + "/golden/model_costs.json");
        REQUIRE(file.good());
        return nlohmann::json::parse(file);
    }();
    return costs;
}

/// The 64-bit FNV-1a hash of the names and shapes, computed as in tests/golden/model_costs.py.
std::string hash_of(const std::vector<NamedTensor>& state) {
    std::vector<std::string> lines;
    for (const auto& [name, tensor] : state) {
        std::string line = name + " ";
        for (int d = 0; d < tensor.rank(); ++d) line += fmt::format("{}{}", d == 0 ? "" : ",", tensor.size(d));
        lines.push_back(line + "\n");
    }
    std::sort(lines.begin(), lines.end());
    std::uint64_t value = 0xcbf29ce484222325;
    for (const std::string& line : lines)
        for (const char c : line) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return fmt::format("{:016x}", value);
}

/// The cost on images of 224 x 224 pixels, computed from the cost on 32 x 32 pixels, which takes a 49th of the
/// arithmetic. Only for networks that halve the image five times, so that each of their feature maps has 49 times as
/// many pixels.
ModelCost scaled_cost(Layer& model, const ModelInfo& info) {
    REQUIRE(info.image == Shape{3, 224, 224});
    const std::int64_t classifier = (info.dim + 1) * info.classes;
    ModelCost total{model.parameter_count() + classifier, classifier, info.classes};
    for (const LayerCost& layer : layer_costs(model, {3, 32, 32})) {
        const std::int64_t pixels = layer.output.rank() == 4 ? 49 : 1;
        total.multiply_adds += pixels * layer.multiply_adds;
        total.activations += pixels * layer.activations;
    }
    return total;
}

void check_model(const ModelInfo& info) {
    INFO(info.name);
    const nlohmann::json& expected = recorded().at(info.name);
    const SkipRandomFill skip;
    const std::unique_ptr<Layer> model = make_model(info, info.dim);
    const bool large = info.family == "regnet";
    const ModelCost cost = large ? scaled_cost(*model, info) : model_cost(*model, info.image, info.dim, info.classes);
    CHECK(cost.parameters == expected.at("parameters").get<std::int64_t>());
    CHECK(cost.multiply_adds == expected.at("multiply_adds").get<std::int64_t>());
    CHECK(cost.activations == expected.at("activations").get<std::int64_t>());
    if (!expected.contains("hash")) return;  // the names of LeNets++ and airbench are not compared
    CHECK(model->state().size() == expected.at("tensors").get<std::size_t>());
    CHECK(hash_of(model->state()) == expected.at("hash").get<std::string>());
}

void check_family(const std::string& family, std::size_t count) {
    std::size_t found = 0;
    for (const ModelInfo& info : model_registry()) {
        if (info.family != family) continue;
        ++found;
        check_model(info);
    }
    CHECK(found == count);
}

}  // namespace

// One test per family, so that a device's memory is freed after each family.
TEST_CASE("LeNets++ costs what PyTorch's does", "[models][cost]") { check_family("lenetpp", 1); }
TEST_CASE("residual networks cost what PyTorch's do and have their tensors", "[models][cost][slow]") {
    check_family("resnet", 13);
}
TEST_CASE("VGGs cost what torchvision's do and have their tensors", "[models][cost][slow]") { check_family("vgg", 12); }
TEST_CASE("densely connected networks cost what torchvision's do and have their tensors", "[models][cost][slow]") {
    check_family("densenet", 7);
}
TEST_CASE("EfficientNets cost what timm's do and have their tensors", "[models][cost][slow]") {
    check_family("efficientnet", 8);
    check_family("tf-efficientnet", 8);
}

TEST_CASE("RegNets cost what torchvision's do and have their tensors", "[models][cost][slow]") {
    check_family("regnet", 14);
}

TEST_CASE("MobileNetV3s cost what torchvision's do and have their tensors", "[models][cost]") {
    check_family("mobilenetv3", 2);
}

TEST_CASE("airbench costs what PyTorch's does", "[models][cost]") { check_family("airbench", 1); }

TEST_CASE("the networks' costs are the published ones", "[models][cost]") {
    // Published, with rounding, by Radosavovic et al. 2020 and Dollar et al. 2021, who count in the same way.
    const auto of = [](const char* name) {
        const nlohmann::json& row = recorded().at(name);
        return std::vector<std::int64_t>{row.at("parameters"), row.at("multiply_adds"), row.at("activations")};
    };
    CHECK(of("resnet50") == std::vector<std::int64_t>{25'557'032, 4'089'185'256, 11'114'984});
    CHECK(of("efficientnet-b0") == std::vector<std::int64_t>{5'288'548, 385'825'092, 6'748'036});
    CHECK(of("efficientnet-b1") == std::vector<std::int64_t>{7'794'184, 686'817'992, 10'884'328});
    CHECK(of("efficientnet-b4") == std::vector<std::int64_t>{19'341'616, 4'393'801'064, 49'489'032});
}

TEST_CASE("RegNets and MobileNetV3s cost what torchvision publishes", "[models][cost]") {
    // The parameters (num_params) and 10^9 multiply-adds (_ops) in torchvision's descriptions of its weights.
    struct Published {
        std::string name;
        std::int64_t parameters;
        double billions;
    };
    const std::vector<Published> all = {
        {"regnet-x-400mf", 5'495'976, 0.414},     {"regnet-x-800mf", 7'259'656, 0.8},
        {"regnet-x-1-6gf", 9'190'136, 1.603},     {"regnet-x-3-2gf", 15'296'552, 3.177},
        {"regnet-x-8gf", 39'572'648, 7.995},      {"regnet-x-16gf", 54'278'536, 15.941},
        {"regnet-x-32gf", 107'811'560, 31.736},   {"regnet-y-400mf", 4'344'144, 0.402},
        {"regnet-y-800mf", 6'432'512, 0.834},     {"regnet-y-1-6gf", 11'202'430, 1.612},
        {"regnet-y-3-2gf", 19'436'338, 3.176},    {"regnet-y-8gf", 39'381'472, 8.473},
        {"regnet-y-16gf", 83'590'140, 15.912},    {"regnet-y-32gf", 145'046'770, 32.28},
        {"mobilenet-v3-large", 5'483'032, 0.217}, {"mobilenet-v3-small", 2'542'856, 0.057},
    };
    for (const Published& published : all) {
        INFO(published.name);
        const nlohmann::json& row = recorded().at(published.name);
        CHECK(row.at("parameters") == published.parameters);
        CHECK(std::abs(row.at("multiply_adds").get<double>() * 1e-9 - published.billions) < 5.1e-4);
    }
}

TEST_CASE("the fixture has every network of the registry and no other", "[models][cost]") {
    CHECK(recorded().size() == model_registry().size());
    for (const ModelInfo& info : model_registry()) CHECK(recorded().contains(info.name));
}

TEST_CASE("docs/models.md lists every network with its figures", "[models][cost][host]") {
    std::ifstream file(test_folder() + "/../docs/models.md");
    const std::string page{std::istreambuf_iterator<char>(file), {}};
    const auto spaced = [](std::int64_t number) {
        std::string text = std::to_string(number);
        for (std::size_t i = text.size(); i > 3;) text.insert(i -= 3, ",");
        return text;
    };
    for (const ModelInfo& info : model_registry()) {
        const nlohmann::json& row = recorded().at(info.name);
        const std::string feature = info.any_dim ? fmt::format("{}, or any", info.dim) : std::to_string(info.dim);
        const std::string line = fmt::format("\n| {} | {} x {} x {} | {} | {} | {} | {} |\n", info.name, info.image[0],
                                             info.image[1], info.image[2], feature, spaced(row.at("parameters")),
                                             spaced(row.at("multiply_adds")), spaced(row.at("activations")));
        INFO(line);
        CHECK(page.find(line) != std::string::npos);
    }
}

}  // namespace radial::test
