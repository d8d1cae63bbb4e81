// Tests of weights that are written with one naming scheme and read again, and of the errors for files that do not fit.
#include "radial/models/weight_file.h"

#include "../data/scratch.h"
#include "../expect.h"
#include "radial/core/tensor/random.h"

#include <algorithm>
#include <cmath>

using namespace radial;
using namespace radial::test;
namespace fs = std::filesystem;

namespace {

/// Fills each tensor with random numbers.
void randomise(const std::vector<NamedTensor>& state) {
    for (const auto& [name, tensor] : state) {
        const bool wanted = tensor.requires_grad();
        uniform_(tensor.detach(), 0.5, 1.5);
        CHECK(tensor.requires_grad() == wanted);
    }
}

std::unique_ptr<Layer> random_network(const ModelInfo& info) {
    auto model = make_model(info, info.dim);
    randomise(model->state());
    return model;
}

LinearClassifier random_classifier(const ModelInfo& info, std::int64_t classes) {
    LinearClassifier classifier{Tensor::empty({classes, info.dim}), Tensor::empty({classes})};
    uniform_(classifier.weight, -1, 1);
    uniform_(classifier.bias, -1, 1);
    return classifier;
}

void check_equal(const std::vector<NamedTensor>& a, const std::vector<NamedTensor>& b) {
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        INFO(a[i].name);
        CHECK(differences(a[i].tensor.to_vector<float>(), b[i].tensor.to_vector<float>()) == "");
    }
}

/// A file of resnet20's weights, which a test damages before it is read.
struct Damaged {
    Scratch scratch;
    const ModelInfo& info = *find_model("resnet20");
    TensorFile file;

    Damaged() {
        const SkipRandomFill skip;
        const fs::path path = scratch.path() / "whole";
        write_weights(path, info, *make_model(info, info.dim), random_classifier(info, 10), WeightFormat::torchvision);
        file = read_safetensors(path);
    }
    NamedTensor& at(const std::string& name) {
        const auto found = std::find_if(file.tensors.begin(), file.tensors.end(),
                                        [&](const NamedTensor& tensor) { return tensor.name == name; });
        REQUIRE(found != file.tensors.end());
        return *found;
    }
    void remove(const std::string& name) {
        REQUIRE(std::erase_if(file.tensors, [&](const NamedTensor& tensor) { return tensor.name == name; }) == 1);
    }
    /// The error message for reading the file into a resnet20, without the path.
    std::string problem(std::optional<WeightFormat> format = {}) const {
        const SkipRandomFill skip;
        const auto model = make_model(info, info.dim);
        const std::string message =
            error_of<FileError>([&] { read_weights(file, "weights.safetensors", info, *model, format); });
        const std::string prefix = "weights.safetensors: ";
        return message.starts_with(prefix) ? message.substr(prefix.size()) : "(no file name) " + message;
    }
};

}  // namespace

TEST_CASE("weights come back from a file in every naming of their family", "[host][models][weights]") {
    manual_seed(11);
    for (const char* const name : {"lenetpp", "resnet20", "vgg11-cifar", "densenet-40-12", "efficientnet-b0",
                                   "regnet-y-400mf", "mobilenet-v3-small"}) {
        const ModelInfo& info = *find_model(name);
        const auto model = random_network(info);
        const LinearClassifier classifier = random_classifier(info, 7);
        for (const WeightFormat format : weight_formats(info.family)) {
            INFO(name << " as " << name_of(format));
            const Scratch scratch;
            const fs::path path = scratch.path() / "weights.safetensors";
            write_weights(path, info, *model, classifier, format, {{"note", "kept"}});
            CHECK(read_safetensors(path).metadata.at("note") == "kept");
            for (const auto& given : {std::optional<WeightFormat>(), std::optional(format)}) {
                const SkipRandomFill skip;
                const auto read = make_model(info, info.dim);
                const LinearClassifier linear = read_weights(path, info, *read, given);
                check_equal(read->state(), model->state());
                CHECK(differences(linear.weight.to_vector<float>(), classifier.weight.to_vector<float>()) == "");
                CHECK(differences(linear.bias.to_vector<float>(), classifier.bias.to_vector<float>()) == "");
            }
        }
    }
}

TEST_CASE("a file for PyTorch has its counters of batches, and says its kind", "[host][models][weights]") {
    const Damaged whole;
    CHECK(whole.file.contains("layer2.0.bn1.num_batches_tracked"));
    CHECK(whole.file.at("bn1.num_batches_tracked").str() == "int64[]");
    CHECK(whole.file.metadata.at("format") == "pt");
    CHECK(whole.problem() == "(no file name) (no error was thrown)");
}

TEST_CASE("tensors that are missing, left over or misshapen are named as in the file", "[host][models][weights]") {
    Damaged file;
    file.remove("layer1.0.bn2.running_var");
    file.at("conv1.weight").tensor = Tensor::zeros({16, 3, 7, 7});
    file.file.tensors.push_back({"fc2.bias", Tensor::zeros({10})});
    CHECK(file.problem() ==
          "not the weights of resnet20: \"conv1.weight\" has shape [16, 3, 7, 7], expected [16, 3, 3, 3]; "
          "\"layer1.0.bn2.running_var\" is missing; \"fc2.bias\" is left over");
}

TEST_CASE("a classifier that fits neither the feature nor its bias is named", "[host][models][weights]") {
    Damaged file;
    file.at("fc.weight").tensor = Tensor::zeros({10, 63});
    CHECK(file.problem() == "not the weights of resnet20: \"fc.weight\" has shape [10, 63], expected [classes, 64]");
    file.at("fc.weight").tensor = Tensor::zeros({12, 64});
    CHECK(file.problem() == "not the weights of resnet20: \"fc.bias\" has shape [10], expected [12]");
    file.remove("fc.bias");
    CHECK(file.problem() == "not the weights of resnet20: \"fc.bias\" is missing");
}

TEST_CASE("an error with many problems names the first ones and counts the others", "[host][models][weights]") {
    Damaged file;
    file.file.tensors.resize(1);
    const std::string problem = file.problem();
    CHECK(problem.starts_with("not the weights of resnet20: \"bn1.weight\" is missing; \"bn1.bias\" is missing; "));
    CHECK(problem.ends_with("; 88 more are missing"));
}

TEST_CASE("however much is missing, what is left over is named, too", "[host][models][weights]") {
    Damaged file;
    for (NamedTensor& tensor : file.file.tensors)
        if (tensor.name.starts_with("layer")) tensor.name = "blocks." + tensor.name;
    const std::string problem = file.problem();
    CHECK(problem.starts_with("not the weights of resnet20: \"layer1.0.bn1.weight\" is missing; "));
    CHECK(problem.find("; 82 more are missing; \"blocks.layer1.0.bn1.weight\" is left over; ") != std::string::npos);
    CHECK(problem.ends_with("; 82 more are left over"));
}

TEST_CASE("a wrapper's name before all others is passed over", "[host][models][weights]") {
    for (const std::string wrapper : {"module.", "_orig_mod.", "module._orig_mod."}) {
        INFO(wrapper);
        Damaged file;
        for (NamedTensor& tensor : file.file.tensors) tensor.name = wrapper + tensor.name;
        CHECK(file.problem() == "(no file name) (no error was thrown)");
        CHECK(file.problem(WeightFormat::torchvision) == "(no file name) (no error was thrown)");
        file.remove(wrapper + "bn1.bias");
        file.file.tensors.push_back({wrapper + "more", Tensor::zeros({1})});
        CHECK(file.problem() ==
              fmt::format("not the weights of resnet20: \"{0}bn1.bias\" is missing; \"{0}more\" is left "
                          "over",
                          wrapper));
    }
}

TEST_CASE("a DenseNet's weights are read under the names that torchvision publishes", "[host][models][weights]") {
    manual_seed(13);
    const ModelInfo& info = *find_model("densenet121");
    const auto model = random_network(info);
    const LinearClassifier classifier = random_classifier(info, 7);
    const Scratch scratch;
    write_weights(scratch.path() / "x", info, *model, classifier, WeightFormat::torchvision);
    TensorFile file = read_safetensors(scratch.path() / "x");
    std::size_t renamed = 0;
    for (NamedTensor& tensor : file.tensors) {
        for (const std::string part : {".norm1.", ".norm2.", ".conv1.", ".conv2."}) {
            const auto at = tensor.name.find(part);
            if (at == std::string::npos) continue;
            tensor.name.insert(at + part.size() - 2, ".");
            ++renamed;
        }
    }
    CHECK(renamed == 58 * 12);  // 58 layers, each with two convolutions of one tensor and two norms of five
    const ReadNetwork read = read_network(file, "x", info);
    check_equal(read.model->state(), model->state());
    file.tensors.push_back({"features.denseblock1.denselayer1.norm1.bias", Tensor::zeros({64})});
    CHECK(error_of<FileError>([&] { read_network(file, "x", info); }) ==
          "x: not the weights of densenet121: \"features.denseblock1.denselayer1.norm1.bias\" is left over");
}

TEST_CASE("weights with a NaN or an infinity are refused under the tensor's name", "[host][models][weights]") {
    Damaged file;
    file.at("layer2.0.conv1.weight").tensor.data<float>()[5] = NAN;
    file.at("layer3.0.bn1.running_var").tensor.data<float>()[0] = INFINITY;
    CHECK(file.problem() ==
          "\"layer2.0.conv1.weight\" is nan at [0, 0, 1, 2], and 1 of its 4608 numbers are not finite");
}

TEST_CASE("what no weight file says belongs to the network's name and format", "[host][models][weights]") {
    const ModelSettings tensorflow{{"norm-epsilon", 1e-3}, {"norm-momentum", 0.01}};
    for (int i = 0; i < 8; ++i) {
        const ModelInfo& info = *find_model(fmt::format("efficientnet-b{}", i));
        CHECK(weight_settings(info, WeightFormat::torchvision) == (i < 5 ? ModelSettings{} : tensorflow));
        CHECK(weight_settings(info, WeightFormat::timm).empty());
        CHECK(weight_settings(info, WeightFormat::radial).empty());
    }
    CHECK(weight_settings(*find_model("resnet50"), WeightFormat::torchvision).empty());
}

TEST_CASE("a network is built as its format has it", "[host][models][weights]") {
    const ModelInfo& info = *find_model("efficientnet-b5");
    const Scratch scratch;
    {
        const SkipRandomFill skip;
        for (const WeightFormat format : {WeightFormat::torchvision, WeightFormat::timm})
            write_weights(scratch.path() / name_of(format), info, *make_model(info, info.dim),
                          random_classifier(info, 3), format);
    }
    CHECK(read_network(scratch.path() / "torchvision", info).settings ==
          model_settings(info, {{"norm-epsilon", 1e-3}, {"norm-momentum", 0.01}}));
    CHECK(read_network(scratch.path() / "timm", info).settings == model_settings(info));
}

TEST_CASE("a file of no known naming says what was looked for", "[host][models][weights]") {
    Damaged file;
    file.file.tensors = {{"stem.kernel", Tensor::zeros({1})}};
    CHECK(file.problem() ==
          "none of its 1 tensors has a name of resnet20 as radial or torchvision has them; its first is "
          "\"stem.kernel\"");
    file.file.tensors.clear();
    CHECK(file.problem() == "none of its 0 tensors has a name of resnet20 as radial or torchvision has them");
}

TEST_CASE("a naming that is asked for is the one that is expected", "[host][models][weights]") {
    const Damaged file;
    CHECK(file.problem(WeightFormat::radial)
              .starts_with("not the weights of resnet20: \"model.conv1.weight\" is missing"));
}

TEST_CASE("what does not fit leaves the network as it was", "[host][models][weights]") {
    manual_seed(12);
    Damaged file;
    file.remove("fc.weight");
    const auto model = random_network(file.info), copy = make_model(file.info, file.info.dim);
    copy->load_state(model->state());
    CHECK_THROWS_AS(read_weights(file.file, "x", file.info, *model), FileError);
    check_equal(model->state(), copy->state());
}
