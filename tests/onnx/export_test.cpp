// Tests of the ONNX export: every network and every loss of the registries, run by a small runtime, and functions that
// cannot be exported.
#include "../data/scratch.h"
#include "../expect.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/io/files.h"
#include "radial/core/io/safetensors.h"
#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/layers/layers.h"
#include "radial/losses/losses.h"
#include "radial/models/models.h"
#include "radial/onnx/onnx.h"
#include "run_onnx.h"

#include <onnx/onnx_pb.h>

#include <cstdlib>
#include <filesystem>
#include <set>

namespace radial::test {
namespace {

namespace fs = std::filesystem;

/// A network and its loss.
struct Classifier : Module {
    Classifier(std::shared_ptr<Layer> network, std::shared_ptr<Loss> head)
        : model(register_module("model", std::move(network))), loss(register_module("loss", std::move(head))) {}

    std::shared_ptr<Layer> model;
    std::shared_ptr<Loss> loss;

    Tensor logits(const Tensor& x) { return loss->logits(model->forward(x)); }
};

Tensor random_tensor(const Shape& shape, std::uint64_t seed) {
    Generator generator(seed);
    const Tensor x = Tensor::empty(shape, DType::float32, Device{});
    normal_(x, 0, 1, generator);
    return x;
}

/// Sets the statistics and weights of a module's norms to values that change their input, as training would.
void randomise_norms(Module& module) {
    Generator generator(7);
    for (const auto& [name, tensor] : module.state()) {
        if (tensor.dtype() != DType::float32) continue;
        if (name.ends_with("running_mean")) normal_(tensor, 0, 0.3, generator);
        if (name.ends_with("running_var") || name.ends_with("running_variance")) uniform_(tensor, 0.5, 1.5, generator);
        if (name.ends_with("bias")) normal_(tensor, 0, 0.1, generator);
        if (name.ends_with("slope")) uniform_(tensor, 0.1, 0.5, generator);
    }
}

/// A classifier whose norms have statistics. For RBF-Softmax, features are normalised by the statistics of a batch, so
/// that the kernels are not all 0.
std::unique_ptr<Classifier> classifier_of(const ModelInfo& info, const std::string& loss, const Shape& image) {
    manual_seed(1);
    const DefaultDevice host(Device{});
    LossSettings settings;
    if (loss == "rbf-softmax") settings.emplace("normalise", true);
    auto classifier =
        std::make_unique<Classifier>(make_model(info, info.dim), make_loss(loss, info.classes, info.dim, settings));
    randomise_norms(*classifier);
    classifier->eval();
    if (loss == "rbf-softmax") {
        const NoGrad no_grad;
        const Tensor x = random_tensor({4, image[0], image[1], image[2]}, 10);
        classifier->loss->train();
        classifier->loss->forward(classifier->model->forward(x), Tensor::zeros({4}, DType::int64));
        classifier->loss->eval();
    }
    return classifier;
}
std::unique_ptr<Classifier> classifier_of(const std::string& model, const std::string& loss) {
    const ModelInfo* const info = find_model(model);
    REQUIRE(info != nullptr);
    return classifier_of(*info, loss, info->image);
}

std::string exported(Classifier& classifier, const Shape& image, const OnnxOptions& options = {}) {
    return onnx_model(
        classifier, [&](const Tensor& x) { return classifier.logits(x); }, image, options);
}

/// Checks that the exported model computes the classifier's logits, also for a batch of another size.
void check_same_logits(Classifier& classifier, const Shape& image) {
    const std::string model = exported(classifier, image);
    const NoGrad no_grad;
    for (const std::int64_t batch : {1, 4}) {
        INFO("batch " << batch);
        const Tensor x = random_tensor({batch, image[0], image[1], image[2]}, 10);  // the seed of classifier_of()
        CHECK(sum(square(classifier.logits(x))).item() > 0);
        CHECK(relative_difference(run_onnx(model, x), classifier.logits(x)) < 1e-5);
    }
}

::onnx::ModelProto parsed(const std::string& model) {
    ::onnx::ModelProto result;
    REQUIRE(result.ParseFromString(model));
    return result;
}

std::multiset<std::string> operators_of(const std::string& model) {
    std::multiset<std::string> types;
    const ::onnx::ModelProto read = parsed(model);
    for (const auto& node : read.graph().node()) types.insert(node.op_type());
    return types;
}

/// A convolution of two channels and the batch norm of its result.
std::unique_ptr<Sequential> conv_and_norm(std::int64_t channels) {
    manual_seed(4);
    auto net = std::make_unique<Sequential>();
    net->add<Conv2d>({.in_channels = 2, .out_channels = channels, .kernel = 1})
        .add<BatchNorm2d>({.channels = channels});
    randomise_norms(*net);
    net->eval();
    return net;
}

/// Checks that a function of images [N, 2, 4, 4] is exported with `norms` batch norms that are not folded, and that the
/// model computes the same.
void check_norms(Module& module, std::size_t norms, const std::function<Tensor(const Tensor&)>& function) {
    const std::string model = onnx_model(module, function, {2, 4, 4});
    CHECK(operators_of(model).count("BatchNormalization") == norms);
    const Tensor x = random_tensor({2, 2, 4, 4}, 8);
    const NoGrad no_grad;
    CHECK(relative_difference(run_onnx(model, x), function(x)) < 1e-5);
}

/// A module without parameters.
struct Empty : Module {};
std::string model_of(const std::function<Tensor(const Tensor&)>& function, const Shape& sample = {4}) {
    Empty module;
    return onnx_model(module, function, sample);
}

}  // namespace

TEST_CASE("an exported network of each family computes the same logits", "[host][onnx]") {
    for (const char* const name : {"lenetpp", "resnet20", "vgg11-cifar", "airbench94"}) {
        INFO(name);
        const auto classifier = classifier_of(name, "softmax");
        check_same_logits(*classifier, find_model(name)->image);
    }
    for (const char* const name : {"lenetpp", "resnet20"}) {
        INFO(name);
        check_same_logits(*classifier_of(name, "rbf-softmax"), find_model(name)->image);
    }
}

TEST_CASE("exported networks for photographs compute the same logits", "[host][onnx][slow]") {
    for (const char* const name :
         {"resnet18", "resnet50", "vgg11-bn", "densenet121", "efficientnet-b0", "tf-efficientnet-b0", "regnet-x-400mf",
          "regnet-y-400mf", "mobilenet-v3-large", "mobilenet-v3-small"}) {
        INFO(name);
        const std::int64_t side = std::string(name).starts_with("vgg") ? 224 : 64;
        const Shape image{3, side, side};
        const auto classifier = classifier_of(*find_model(name), "arcface", image);
        check_same_logits(*classifier, image);
    }
}

TEST_CASE("an exported head of each loss computes the same logits", "[host][onnx]") {
    for (const LossInfo& info : loss_registry()) {
        INFO(info.name);
        manual_seed(2);
        const std::unique_ptr<Loss> loss = make_loss(info.name, 6, 8);
        randomise_norms(*loss);
        loss->eval();
        const std::string model = onnx_model(*loss, [&](const Tensor& x) { return loss->logits(x); }, {8});
        const Tensor x = random_tensor({5, 8}, 4);
        const NoGrad no_grad;
        CHECK(relative_difference(run_onnx(model, x), loss->logits(x)) < 1e-5);
    }
}

TEST_CASE("exported distances to many prototypes are exact far from the origin", "[host][onnx]") {
    manual_seed(3);
    const std::unique_ptr<Loss> loss = make_loss("cpl", 300, 256);
    const Tensor prototypes = loss->prototypes().detach();
    prototypes.copy_(random_tensor({300, 256}, 5) + 30.0);
    loss->eval();
    const NoGrad no_grad;
    const std::string model = onnx_model(*loss, [&](const Tensor& x) { return loss->logits(x); }, {256});
    CHECK(operators_of(model).count("Gemm") == 1);
    const Tensor x = random_tensor({3, 256}, 6) + 30.0;
    CHECK(relative_difference(run_onnx(model, x), loss->logits(x)) < 1e-5);
}

TEST_CASE("exported normalised features are 0 where the feature is 0", "[host][onnx]") {
    const std::unique_ptr<Loss> loss = make_loss("arcface", 3, 4);
    loss->eval();
    const std::string model = onnx_model(*loss, [&](const Tensor& x) { return loss->logits(x); }, {4});
    CHECK(run_onnx(model, Tensor::zeros({1, 4})).to_vector<float>() == std::vector<float>{0, 0, 0});
}

TEST_CASE("exported batch norms are folded into the convolutions before them", "[host][onnx]") {
    const auto resnet = classifier_of("resnet20", "softmax");
    const std::multiset<std::string> types = operators_of(exported(*resnet, {3, 32, 32}));
    CHECK(types.count("BatchNormalization") == 0);
    CHECK(types.count("Conv") == 19);
    CHECK(types.count("Relu") == 19);
    CHECK(types.count("Add") == 9);
}

TEST_CASE("an exported batch norm whose input is used elsewhere stays", "[host][onnx]") {
    const auto net = conv_and_norm(3);
    check_norms(*net, 1, [&](const Tensor& x) {
        const Tensor y = net->layers()[0]->forward(x);
        return net->layers()[1]->forward(y) + y;
    });
}

TEST_CASE("a layer that is used twice is exported", "[host][onnx]") {
    const auto net = conv_and_norm(2);
    check_norms(*net, 0, [&](const Tensor& x) { return net->forward(relu(net->forward(x))); });
}

TEST_CASE("an exported model says what it is", "[host][onnx]") {
    const auto classifier = classifier_of("lenetpp", "rbf-softmax");
    const ::onnx::ModelProto model = parsed(
        exported(*classifier, {1, 28, 28},
                 {.name = "lenetpp", .input = "digit", .output = "scores", .metadata = {{"class_names", "[\"a\"]"}}}));
    CHECK(model.producer_name() == "Radial");
    CHECK(model.graph().name() == "lenetpp");
    REQUIRE(model.metadata_props_size() == 1);
    CHECK(model.metadata_props(0).key() == "class_names");
    CHECK(model.metadata_props(0).value() == "[\"a\"]");
    const auto& input = model.graph().input(0);
    CHECK(input.name() == "digit");
    CHECK(input.type().tensor_type().shape().dim(0).dim_param() == "batch");
    CHECK(input.type().tensor_type().shape().dim(1).dim_value() == 1);
    CHECK(input.type().tensor_type().shape().dim(3).dim_value() == 28);
    CHECK(model.graph().output(0).name() == "scores");
    std::set<std::string> constants;
    for (const auto& constant : model.graph().initializer()) constants.insert(constant.name());
    CHECK(constants.contains("loss.prototypes"));
}

TEST_CASE("exporting leaves the classifier and the random numbers as they were", "[host][onnx]") {
    const auto classifier = classifier_of("lenetpp", "rbf-softmax");
    classifier->train();
    const std::uint64_t before = default_generator().counter();
    const std::vector<float> mean = classifier->loss->state().back().tensor.to_vector<float>();
    exported(*classifier, {1, 28, 28});
    CHECK(classifier->training());
    CHECK(default_generator().counter() == before);
    CHECK(classifier->loss->state().back().tensor.to_vector<float>() == mean);
}

TEST_CASE("a constant row for each sample is repeated for any batch", "[host][onnx]") {
    const auto function = [](const Tensor& x) { return concat({x, Tensor::full({x.size(0), 2}, 0.5)}, 1); };
    const std::string model = model_of(function);
    CHECK(operators_of(model).count("Expand") == 1);
    const auto zeros = [](const Tensor& x) { return concat({Tensor::zeros({x.size(0), 2}), x}, 1); };
    CHECK(operators_of(model_of(zeros)) == std::multiset<std::string>{"Pad"});
    CHECK(run_onnx(model_of(zeros), Tensor::full({1, 4}, 3)).to_vector<float>() ==
          std::vector<float>{0, 0, 3, 3, 3, 3});
}

TEST_CASE("exported activations compute the same", "[host][onnx]") {
    Generator generator(12);
    const Tensor x = Tensor::empty({3, 4}, DType::float32, Device{});
    normal_(x, 0, 3, generator);
    const auto same = [&x](const std::function<Tensor(const Tensor&)>& function) {
        return relative_difference(run_onnx(model_of(function), x), function(x)) < 2e-6;
    };
    CHECK(same([](const Tensor& v) { return relu6(v * 2.0); }));
    CHECK(same([](const Tensor& v) { return hard_sigmoid(v); }));
    CHECK(same([](const Tensor& v) { return hard_swish(v); }));
    CHECK(same([](const Tensor& v) { return leaky_relu(v, 0.2); }));
    CHECK(same([](const Tensor& v) { return elu(v, 0.7); }));
    CHECK(same([](const Tensor& v) { return celu(v, 0.7); }));
    CHECK(same([](const Tensor& v) { return selu(v); }));
    CHECK(same([](const Tensor& v) { return gelu_tanh(v); }));
    CHECK(same([](const Tensor& v) { return mish(v); }));
    CHECK(same([](const Tensor& v) { return softsign(v); }));
    CHECK(same([](const Tensor& v) { return log_sigmoid(v); }));
    CHECK(same([](const Tensor& v) { return hard_tanh(v, -0.5, 1); }));
    CHECK(same([](const Tensor& v) { return soft_shrink(v, 0.7); }));
    CHECK(same([](const Tensor& v) { return hard_shrink(v, 0.7); }));
    CHECK(same([](const Tensor& v) { return glu(v, 1); }));
}

TEST_CASE("exported elementary functions, comparisons and choices compute the same", "[host][onnx]") {
    Generator generator(13);
    const Tensor x = Tensor::empty({3, 4}, DType::float32, Device{});
    uniform_(x, 0.1, 0.9, generator);
    const auto same = [&x](const std::function<Tensor(const Tensor&)>& function) {
        return relative_difference(run_onnx(model_of(function), x), function(x)) < 2e-6;
    };
    for (Tensor (*const op)(const Tensor&) :
         {expm1, log1p, radial::log2, radial::log10, rsqrt, reciprocal, radial::sin, radial::cos, radial::tan,
          radial::asin, radial::acos, radial::atan, radial::sinh, radial::cosh, radial::erf, radial::abs, sign})
        CHECK(same(op));
    for (Tensor (*const op)(const Tensor&) : {radial::floor, radial::ceil, radial::round})
        CHECK(same([op](const Tensor& v) { return op(v * 10.0); }));
    CHECK(same([](const Tensor& v) { return pow(v, 1.5); }));
    CHECK(same([](const Tensor& v) { return pow(v, v); }));
    CHECK(same([](const Tensor& v) { return maximum(v, 1.0 - v) + minimum(v, square(v)); }));
    CHECK(same([](const Tensor& v) { return where(greater(v, 0.5), v, 1.0 - v); }));
    CHECK(same([](const Tensor& v) { return not_equal(v, 0.5) + less(v, 0.4) + equal(v, v); }));
    CHECK(same([](const Tensor& v) { return less_equal(v, 0.5) + 2.0 * greater_equal(v, square(v)); }));
    CHECK(same([](const Tensor& v) {
        const Tensor small = less(v, 0.3), large = greater(v, 0.7);
        return logical_or(small, large) + 2.0 * logical_and(logical_not(small), logical_not(large));
    }));
}

TEST_CASE("a function that cannot be exported is refused by what is wrong", "[host][onnx]") {
    const auto error = [](const std::function<Tensor(const Tensor&)>& function) {
        return error_of([&] { model_of(function); });
    };
    CHECK(error([](const Tensor& x) {
              return pick(x, Tensor::from(std::vector<std::int64_t>(x.size(0), 1), {x.size(0)}));
          }) == "export_onnx: the op pick has no ONNX form");
    CHECK(error([](const Tensor& x) {
              return x * x.to_vector<double>()[0];
          }).starts_with("export_onnx: number of mul is "));
    CHECK(error([](const Tensor& x) { return x.to_vector<double>()[0] < 100 && x.size(0) == 3 ? relu(x) : exp(x); }) ==
          "export_onnx: op 0 of the function is exp for one batch and relu for another");
    CHECK(error([](const Tensor& x) { return x.size(0) == 3 ? exp(exp(x)) : exp(x); }) ==
          "export_onnx: the function calls 1 ops for one batch and 2 for another, expected the same ops");
    CHECK(error([](const Tensor& x) {
              return exp(x.clone());
          }).starts_with("export_onnx: the function computes a tensor "));
    CHECK(error([](const Tensor&) { return Tensor::zeros({2, 2}); }).starts_with("export_onnx: the result "));
    CHECK(error([](const Tensor& x) { return exp(cast(x, DType::float64)); }).ends_with("expected float32 on the CPU"));
    CHECK(error([](const Tensor& x) { return sum(x); }) ==
          "export_onnx: the result is float32[], expected one dimension that grows with the batch");
    CHECK(error([](const Tensor&) { return Tensor(); }) == "export_onnx: the function returns an undefined tensor");
}

TEST_CASE("a file is exported whole or not at all", "[host][onnx]") {
    const Scratch folder;
    Empty module;
    const auto identity = [](const Tensor& x) { return x; };
    export_onnx(folder.path() / "identity.onnx", module, identity, {2});
    CHECK(operators_of(read_file(folder.path() / "identity.onnx", 10000)) == std::multiset<std::string>{"Identity"});
    const auto bad = [](const Tensor& x) { return exp(x.clone()); };
    CHECK_THROWS_AS(export_onnx(folder.path() / "bad.onnx", module, bad, {2}), Error);
    CHECK_FALSE(fs::exists(folder.path() / "bad.onnx"));
    CHECK_THROWS_AS(export_onnx(folder.path() / "missing" / "x.onnx", module, identity, {2}), FileError);
}

// Writes a network and its logits for tools/compare-onnx, which runs them in onnxruntime.
TEST_CASE("a network is exported for onnxruntime", "[host][onnx]") {
    const char *const folder = std::getenv("RADIAL_ONNX_DIR"), *const name = std::getenv("RADIAL_ONNX_CASE");
    if (folder == nullptr || name == nullptr) {
        SUCCEED("skipped: tools/compare-onnx sets RADIAL_ONNX_DIR and RADIAL_ONNX_CASE");
        return;
    }
    const std::string wanted = name;
    const std::size_t dot = wanted.find('.');
    const ModelInfo& info = *find_model(wanted.substr(0, dot));
    const auto classifier = classifier_of(info, wanted.substr(dot + 1), info.image);
    export_onnx(
        fs::path(folder) / (wanted + ".onnx"), *classifier, [&](const Tensor& x) { return classifier->logits(x); },
        info.image);
    const NoGrad no_grad;
    const Tensor x = random_tensor({3, info.image[0], info.image[1], info.image[2]}, 10);
    write_safetensors(fs::path(folder) / (wanted + ".safetensors"),
                      {.tensors = {{"image", x}, {"logits", classifier->logits(x)}}, .metadata = {}});
}

}  // namespace radial::test
