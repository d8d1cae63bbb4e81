// Compares the names of weights with torchvision's and timm's lists; tests the patterns of names.
#include "radial/models/weight_names.h"

#include "../expect.h"
#include "../folders.h"
#include "radial/core/tensor/random.h"
#include "radial/models/registry.h"

#include <fstream>
#include <map>

using namespace radial;
using namespace radial::test;

namespace {

/// Names and shapes ("64x3x7x7") of all tensors in a recorded list, without PyTorch's counters.
std::map<std::string, std::string> recorded(const std::string& file) {
    std::ifstream lines(test_folder() + "/golden/weight_names/" + file + ".txt");
    REQUIRE(lines.good());
    std::map<std::string, std::string> shapes;
    for (std::string line; std::getline(lines, line);) {
        const auto space = line.find(' ');
        REQUIRE(space != std::string::npos);
        if (!line.substr(0, space).ends_with("num_batches_tracked"))
            shapes[line.substr(0, space)] = line.substr(space + 1);
    }
    return shapes;
}

std::string by(const Shape& shape) {
    std::string text;
    for (const std::int64_t extent : shape) text += (text.empty() ? "" : "x") + std::to_string(extent);
    return text;
}

/// The names and shapes of all tensors of a network of the registry and its classifier, with the names of `format`.
std::map<std::string, std::string> exported(const std::string& model, WeightFormat format) {
    const SkipRandomFill skip;
    const ModelInfo& info = *find_model(model);
    std::map<std::string, std::string> shapes;
    const auto add = [&](const std::string& name, const Shape& shape) {
        shapes[exported_name(info.family, format, name).value_or("(no name) " + name)] = by(shape);
    };
    for (const auto& [name, tensor] : make_model(info, info.dim)->state()) add("model." + name, tensor.shape());
    add("loss.weight", {info.classes, info.dim});
    add("loss.bias", {info.classes});
    return shapes;
}

struct List {
    std::string file, model, family;
    WeightFormat format;
};

const std::vector<List>& lists() {
    static const std::vector<List> all = {
        {"resnet50.torchvision", "resnet50", "resnet", WeightFormat::torchvision},
        {"vgg16_bn.torchvision", "vgg16-bn", "vgg", WeightFormat::torchvision},
        {"densenet121.torchvision", "densenet121", "densenet", WeightFormat::torchvision},
        {"efficientnet_b0.torchvision", "efficientnet-b0", "efficientnet", WeightFormat::torchvision},
        {"efficientnet_b0.timm", "efficientnet-b0", "efficientnet", WeightFormat::timm},
        {"regnet_y_400mf.torchvision", "regnet-y-400mf", "regnet", WeightFormat::torchvision},
        {"regnety_004.timm", "regnet-y-400mf", "regnet", WeightFormat::timm},
        {"regnetx_004_tv.timm", "regnet-x-400mf", "regnet", WeightFormat::timm},
        {"mobilenet_v3_large.torchvision", "mobilenet-v3-large", "mobilenetv3", WeightFormat::torchvision},
    };
    return all;
}

}  // namespace

TEST_CASE("networks have torchvision's and timm's tensors, by name and shape", "[host][models][weights]") {
    for (const List& list : lists()) {
        INFO(list.file);
        const auto theirs = recorded(list.file), ours = exported(list.model, list.format);
        CHECK(theirs.size() > 80);
        for (const auto& [name, shape] : theirs) {
            INFO(name);
            CHECK((ours.contains(name) ? ours.at(name) : "missing") == shape);
        }
        CHECK(ours.size() == theirs.size());
    }
}

TEST_CASE("names go over into Radial's and back", "[host][models][weights]") {
    for (const List& list : lists()) {
        for (const auto& [name, shape] : recorded(list.file)) {
            INFO(list.file << ": " << name);
            const auto own = imported_name(list.family, list.format, name);
            REQUIRE(own.has_value());
            CHECK((own->starts_with("model.") || own->starts_with("loss.")));
            CHECK(exported_name(list.family, list.format, *own) == name);
        }
    }
    CHECK(imported_name("efficientnet", WeightFormat::torchvision, "features.3.1.block.2.fc1.bias") ==
          "model.blocks.2.1.se.conv_reduce.bias");
    CHECK(imported_name("regnet", WeightFormat::timm, "s3.b12.conv2.bn.running_var") ==
          "model.trunk_output.block3.block3-11.f.b.1.running_var");
    CHECK(imported_name("mobilenetv3", WeightFormat::torchvision, "classifier.3.bias") == "loss.bias");
    CHECK(imported_name("vgg", WeightFormat::torchvision, "classifier.3.weight") == "model.classifier.3.weight");
    CHECK(imported_name("vgg", WeightFormat::torchvision, "classifier.6.weight") == "loss.weight");
    CHECK(imported_name("efficientnet", WeightFormat::torchvision, "features.10.weight") == std::nullopt);
}

TEST_CASE("names of torchvision's published DenseNets are those of its networks", "[host][models][weights]") {
    const auto newest = [](const std::string& name) {
        return newest_name("densenet", WeightFormat::torchvision, "features.denseblock3.denselayer12." + name);
    };
    CHECK(newest("norm.1.running_var") == "features.denseblock3.denselayer12.norm1.running_var");
    CHECK(newest("conv.2.weight") == "features.denseblock3.denselayer12.conv2.weight");
    CHECK(newest("conv2.weight") == "features.denseblock3.denselayer12.conv2.weight");
    CHECK(newest_name("densenet", WeightFormat::torchvision, "features.transition1.norm.weight") ==
          "features.transition1.norm.weight");
    CHECK(newest_name("resnet", WeightFormat::torchvision, "layer1.0.norm.1.weight") == "layer1.0.norm.1.weight");
    CHECK(imported_name("densenet", WeightFormat::torchvision, "features.denseblock1.denselayer2.norm.1.weight") ==
          "model.features.denseblock1.denselayer2.norm1.weight");
}

TEST_CASE("a pattern's places are numbers, numbers counted on, and the rest of the name", "[host][models][weights]") {
    CHECK(renamed("a.12.b.weight", "a.{i}.b.{x}", "c.{i+3}.{x}.d") == "c.15.weight.d");
    CHECK(renamed("c.15.bias", "c.{i+3}.{x}", "a.{i}.{x}") == "a.12.bias");
    CHECK(renamed("c.2.bias", "c.{i+3}.{x}", "a.{i}.{x}") == std::nullopt);
    CHECK(renamed("c.x.bias", "c.{i}.{x}", "a.{i}.{x}") == std::nullopt);
    CHECK(renamed("c.4.", "c.{i}.{x}", "a.{i}.{x}") == std::nullopt);
    CHECK(renamed("c.4.bias", "c.{i}", "a.{i}") == std::nullopt);
    CHECK(renamed("c.4", "c.{i}.{x}", "a.{i}.{x}") == std::nullopt);
}

TEST_CASE("formats have names, and families have some of them", "[host][models][weights]") {
    using enum WeightFormat;
    for (const WeightFormat format : {radial::WeightFormat::radial, torchvision, timm})
        CHECK(parse_weight_format(name_of(format)) == format);
    CHECK(error_of([] { parse_weight_format("keras"); }) ==
          "unknown weight format 'keras', expected one of radial, torchvision, timm");
    CHECK(weight_formats("efficientnet") == std::vector{WeightFormat::radial, torchvision, timm});
    CHECK(weight_formats("densenet") == std::vector{WeightFormat::radial, torchvision});
    CHECK(weight_formats("tf-efficientnet") == std::vector{WeightFormat::radial, timm});
    CHECK(weight_formats("regnet") == std::vector{WeightFormat::radial, torchvision, timm});
    CHECK(weight_formats("mobilenetv3") == std::vector{WeightFormat::radial, torchvision});
    CHECK(weight_formats("lenetpp") == std::vector{WeightFormat::radial});
    CHECK(error_of([] { exported_name("resnet", timm, "model.conv1.weight"); }) ==
          "weights of the family resnet have no format timm");
}
