// Compares the logits of each network with those of torchvision and timm. The weights are read from files in their
// formats, including properties that the format alone determines.
#include "../expect.h"
#include "../folders.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/models/weight_file.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <set>

namespace radial::test {
namespace {

const TensorFile& recorded() {
    static const TensorFile file = read_safetensors(test_folder() + "/golden/networks.safetensors");
    return file;
}

/// The 64-bit FNV-1a hash.
std::uint64_t hash_of(const std::string& text) {
    std::uint64_t value = 0xcbf29ce484222325;
    for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return value;
}

void fill(const Tensor& tensor, const std::string& name, double low, double high) {
    Generator stream(hash_of(name));
    uniform_(tensor, low, high, stream);
}

/// Fills a tensor that is not a statistic with the numbers of network_cases.py.
void fill_weight(const NamedTensor& entry, const std::set<std::string>& names) {
    const auto& [name, tensor] = entry;
    if (name.ends_with("bias")) return fill(tensor, name, -0.2, 0.2);
    if (tensor.rank() == 1) return fill(tensor, name, 0.5, 1.5);
    const bool before_norm = !names.contains(name.substr(0, name.size() - 6) + "bias");
    const std::int64_t inputs = tensor.numel() / tensor.size(0);
    const double gain = before_norm ? 0.1 : std::sqrt(2.0);
    const double bound = gain * std::sqrt(3 / static_cast<double>(inputs));
    fill(tensor, name, -bound, bound);
}

/// The tensors of a network of the registry and of a classifier of 1000 classes, with the names of `format` and the
/// numbers of network_cases.py.
TensorFile weights_of(const std::string& name, const ModelInfo& info, WeightFormat format) {
    TensorFile file;
    std::set<std::string> names, norms;
    const auto add = [&](const std::string& own, const Shape& shape) {
        file.tensors.push_back({exported_name(info.family, format, own).value(), Tensor::empty(shape)});
        const std::string& theirs = *names.insert(file.tensors.back().name).first;
        if (theirs.ends_with(".running_var")) norms.insert(theirs.substr(0, theirs.rfind('.')));
    };
    {
        const SkipRandomFill skip;
        for (const auto& [own, tensor] : make_model(info, info.dim)->state()) add("model." + own, tensor.shape());
    }
    add("loss.weight", {1000, info.dim});
    add("loss.bias", {1000});
    std::map<std::string, double> variances;
    if (!norms.empty()) {
        const auto stored = recorded().at(name + "/variances").to_vector<double>();
        REQUIRE(stored.size() == norms.size());
        for (auto value = stored.begin(); const std::string& norm : norms) variances[norm] = *value++;
    }
    for (const NamedTensor& entry : file.tensors) {
        const std::string norm = entry.name.substr(0, entry.name.rfind('.'));
        if (entry.name.ends_with("running_var")) {
            fill(entry.tensor, entry.name, 0.5 * variances.at(norm), 2 * variances.at(norm));
        } else if (entry.name.ends_with("running_mean")) {
            const double deviation = std::sqrt(variances.at(norm));
            fill(entry.tensor, entry.name, -0.5 * deviation, 0.5 * deviation);
        } else {
            fill_weight(entry, names);
        }
    }
    return file;
}

void check_network(const nlohmann::json& golden) {
    const auto name = golden.at("name").get<std::string>();
    const auto image = golden.at("image").get<std::vector<std::int64_t>>();
    INFO(name);
    const ModelInfo& info = *find_model(golden.at("network").get<std::string>());
    const WeightFormat format = parse_weight_format(golden.at("format").get<std::string>());
    const ReadNetwork network = read_network(weights_of(name, info, format), name, info, format);
    network.model->eval();
    const NoGrad no_grad;
    const Tensor images = Tensor::empty(Shape(image));
    fill(images, "images", -1.7, 1.7);
    const Tensor logits = linear(network.model->forward(images), network.classifier.weight, network.classifier.bias);
    std::vector<float> some;
    const std::vector<float> all = logits.to_vector<float>();
    for (std::size_t i = 0; i < all.size(); i += 20) some.push_back(all[i]);
    CHECK(relative_difference(Tensor::from(some, {image[0], 50}), recorded().at(name + "/logits")) < 1e-4);
}

/// Checks the networks whose recorded names begin with `prefix`.
void check_networks(const std::string& prefix, std::size_t count) {
    std::size_t found = 0;
    for (const nlohmann::json& golden : nlohmann::json::parse(recorded().metadata.at("cases"))) {
        if (!golden.at("name").get<std::string>().starts_with(prefix)) continue;
        ++found;
        check_network(golden);
    }
    CHECK(found == count);
}

}  // namespace

// One test per family, so that a device's memory is returned after each.
TEST_CASE("every ResNet gives torchvision's logits", "[golden][models][slow]") {
    check_networks("torchvision.resnet", 5);
}
TEST_CASE("every VGG gives torchvision's logits", "[golden][models][slow]") { check_networks("torchvision.vgg", 8); }
TEST_CASE("every DenseNet gives torchvision's logits", "[golden][models][slow]") {
    check_networks("torchvision.densenet", 4);
}
TEST_CASE("every EfficientNet gives torchvision's logits", "[golden][models][slow]") {
    check_networks("torchvision.efficientnet", 8);
}
TEST_CASE("every EfficientNet gives timm's logits", "[golden][models][slow]") {
    check_networks("timm.efficientnet", 8);
}
TEST_CASE("every EfficientNet padded as by TensorFlow gives timm's logits", "[golden][models][slow]") {
    check_networks("timm.tf-efficientnet", 8);
}
TEST_CASE("the smaller RegNets give torchvision's logits", "[golden][models][slow]") {
    check_networks("torchvision.regnet", 8);
}
TEST_CASE("RegNets give timm's logits", "[golden][models][slow]") { check_networks("timm.regnet", 2); }
TEST_CASE("every MobileNetV3 gives torchvision's logits", "[golden][models][slow]") {
    check_networks("torchvision.mobilenet", 2);
}

}  // namespace radial::test
