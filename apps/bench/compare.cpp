// Compares the results of a device with those of the CPU, and those of a network with those of another program.
#include "radial/apps/bench/bench.h"

#include "radial/apps/cli/image_task.h"
#include "radial/apps/cli/registry_options.h"
#include "radial/apps/cli/shared_flags.h"
#include "radial/apps/cli/validators.h"
#include "radial/apps/train/classifier.h"
#include "radial/apps/train/run/version.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/backend/backend.h"
#include "radial/core/io/files.h"
#include "radial/core/io/safetensors.h"
#include "radial/core/ops.h"
#include "radial/core/optim/optim.h"
#include "radial/core/tensor/random.h"
#include "radial/losses/functional.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

namespace radial::bench {
namespace {

using Json = nlohmann::ordered_json;

using train::Precision;

struct ParityOptions {
    std::string device = "cuda", loss;
    LossSettings loss_settings;
    std::vector<std::string> models;
    std::int64_t steps = 20, batch = 16;
    int threads = 0;
    std::filesystem::path json;
};

constexpr std::int64_t classes = 10;

/// The loss used to train a model: by default, RBF-Softmax for lenetpp and softmax for all others. Untrained residual
/// networks give features so far from the prototypes that the kernel of RBF-Softmax underflows and the loss is ln 10,
/// whatever the network computes.
std::string loss_for(const ModelInfo& subject, const ParityOptions& options) {
    if (!options.loss.empty()) return options.loss;
    return subject.name == "lenetpp" ? "rbf-softmax" : "softmax";
}

/// The largest relative difference between two losses that rounding can explain.
double limit_of(Precision precision) { return precision == Precision::float32 ? 1e-4 : 2e-2; }

/// Images of each class: the class's pattern plus noise, which differs from step to step.
class Images {
public:
    Images(const Shape& image, std::int64_t batch) : image_(image), batch_(batch) {
        patterns_ = noise(classes, 1).to_vector<float>();
    }
    /// The images and labels of a step, on the CPU.
    std::pair<Tensor, Tensor> at(std::int64_t step) const {
        const Tensor images = noise(batch_, 2 + static_cast<std::uint64_t>(step));
        std::vector<std::int64_t> labels;
        for (std::int64_t i = 0; i < batch_; ++i) {
            labels.push_back((i + step) % classes);
            float* const pixels = images.data<float>() + i * image_.numel();
            const float* const pattern = patterns_.data() + labels.back() * image_.numel();
            for (std::int64_t p = 0; p < image_.numel(); ++p) pixels[p] = pattern[p] + 0.5F * pixels[p];
        }
        return {images, Tensor::from(labels, {batch_}, Device{})};
    }

private:
    Tensor noise(std::int64_t count, std::uint64_t seed) const {
        Generator generator(seed);
        const Tensor x = Tensor::empty({count, image_[0], image_[1], image_[2]}, DType::float32, Device{});
        normal_(x, 0, 1, generator);
        return x;
    }

    Shape image_;
    std::int64_t batch_;
    std::vector<float> patterns_;
};

/// The loss of every step of a short training run.
std::vector<double> train(const ModelInfo& subject, const ParityOptions& options, Device device, Precision precision) {
    train::use_precision(precision, device);
    manual_seed(1);
    const train::Classifier classifier = train::build_classifier({.model = subject.name,
                                                                  .dim = subject.dim,
                                                                  .loss = loss_for(subject, options),
                                                                  .loss_settings = options.loss_settings,
                                                                  .classes = classes});
    classifier.model->to(device);
    classifier.loss->to(device);
    const std::vector<Tensor> parameters = classifier.parameters();
    Sgd optimizer(parameters, {.lr = 0.01, .momentum = 0.9});
    const Images data(subject.image, options.batch);
    std::vector<double> losses;
    for (std::int64_t step = 0; step < options.steps; ++step) {
        const auto [images, labels] = data.at(step);
        optimizer.zero_grad();
        const Tensor feature = train::feature_of(*classifier.model, images.to(device), precision);
        const Tensor loss = classifier.loss->forward(feature, labels.to(device));
        loss.backward();
        clip_gradients(parameters, 1.0);
        optimizer.step();
        losses.push_back(loss.item());
    }
    return losses;
}

/// Compares two runs, prints a row of the table, and returns the row as JSON.
Json compare(const ModelInfo& subject, Precision precision, const std::vector<double>& expected,
             const std::vector<double>& found) {
    std::vector<double> differences;
    std::size_t worst = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const double difference = std::abs(found[i] - expected[i]) / std::abs(expected[i]);
        differences.push_back(std::isfinite(difference) ? difference : HUGE_VAL);
        if (differences[i] > differences[worst]) worst = i;
    }
    const bool within = differences[worst] <= limit_of(precision);
    fmt::print("{:<14}{:<10}{:>12.6f}{:>12.6f}{:>14.3g}{:>8}{:>10.0e}  {}\n", subject.name, name_of(precision),
               expected.back(), found.back(), differences[worst], worst + 1, limit_of(precision),
               within ? "ok" : "DIFFERS");
    std::fflush(stdout);
    return {{"model", subject.name},   {"precision", name_of(precision)},     {"cpu_losses", expected},
            {"device_losses", found},  {"relative_differences", differences}, {"worst", differences[worst]},
            {"worst_step", worst + 1}, {"limit", limit_of(precision)},        {"within", within}};
}

bool is_chosen(const ModelInfo& subject, const ParityOptions& options) {
    return options.models.empty() ||
           std::find(options.models.begin(), options.models.end(), subject.name) != options.models.end();
}

void run_parity(const ParityOptions& options) {
    const Device device = train::start_device(options.device, options.threads, Precision::float32);
    const Device host{};
    fmt::print("{:<14}{:<10}{:>12}{:>12}{:>14}{:>8}{:>10}\n", "model", "precision", "CPU's loss", "device's", "worst",
               "step", "limit");
    for (const std::string& name : options.models) static_cast<void>(train::model_named(name));  // throws if unknown
    Json rows = Json::array();
    std::string different;
    for (const ModelInfo& subject : model_registry()) {
        if (!is_chosen(subject, options)) continue;
        const std::vector<double> expected = train(subject, options, host, Precision::float32);
        for (const Precision precision : {Precision::float32, Precision::bf16}) {
            rows.push_back(compare(subject, precision, expected, train(subject, options, device, precision)));
            if (!rows.back().at("within").get<bool>())
                different += fmt::format("{}{} in {}", different.empty() ? "" : ", ", subject.name, name_of(precision));
        }
    }
    if (!options.json.empty()) {
        const Json result{{"program", fmt::format("radial {}", train::version)},
                          {"device", describe_device(device)},
                          {"batch", options.batch},
                          {"steps", options.steps},
                          {"runs", rows}};
        write_file(options.json, result.dump(2) + "\n");
    }
    RADIAL_CHECK(different.empty(), "losses on {} differ from the CPU's: {}", device.str(), different);
}

}  // namespace

train::Command parity_command() {
    return {"parity", "Compare training on a device with the CPU, loss by loss", [](CLI::App& app) {
                auto options = std::make_shared<ParityOptions>();
                const auto add = [&app](const char* flag, auto& value, const char* text) {
                    return app.add_option(flag, value, text)->capture_default_str();
                };
                train::add_device_option(app, options->device);
                add("--steps", options->steps, "Steps per run")->check(train::within(1, 1000000));
                add("--batch", options->batch, "Images per step")->check(train::within(1, 1000000));
                train::add_loss_options(app, options->loss, options->loss_settings)
                    ->default_str("rbf-softmax for lenetpp, softmax for the others");
                add("--models", options->models, "Networks to compare, such as lenetpp,resnet20 (default: all)")
                    ->delimiter(',');
                add("--threads", options->threads, "Compute threads on the CPU; 0 uses every core")
                    ->check(train::within(0, 4096));
                app.add_option("--json", options->json, "Output file with every loss")->type_name("FILE");
                return [options] { train::with_memory_advice(options->batch, [&] { run_parity(*options); }); };
            }};
}

namespace {

struct ReplayOptions {
    std::string model, device = "cpu", dtype = "float32";
    ModelSettings model_settings;
    std::filesystem::path input, output;
    double lr = 0.01, momentum = 0.9;
    std::int64_t steps = 5;
    int threads = 0;
};

constexpr std::string_view model_prefix = "model.";

/// The tensors of the input file.
struct Given {
    std::vector<NamedTensor> state;
    Tensor weight, bias, images, labels;
};

Given read_given(const std::filesystem::path& path) {
    Given given;
    const std::map<std::string, Tensor*> others{{"classifier.weight", &given.weight},
                                                {"classifier.bias", &given.bias},
                                                {"images", &given.images},
                                                {"labels", &given.labels}};
    for (const auto& [name, tensor] : read_safetensors(path).tensors) {
        if (name.starts_with(model_prefix)) {
            given.state.push_back({name.substr(model_prefix.size()), tensor});
            continue;
        }
        const auto found = others.find(name);
        RADIAL_CHECK(found != others.end(),
                     "{}: unexpected tensor '{}', expected model.*, classifier.weight, classifier.bias, images and "
                     "labels",
                     path.string(), name);
        *found->second = tensor;
    }
    for (const auto& [name, tensor] : others)
        RADIAL_CHECK(tensor->defined(), "{}: no tensor '{}'", path.string(), name);
    return given;
}

void run_replay(const ReplayOptions& options) {
    const Device device = train::start_device(options.device, options.threads, train::Precision::float32);
    const Given given = read_given(options.input);
    const ModelInfo& info = train::model_named(options.model);
    const std::unique_ptr<Layer> model = make_model(info, given.weight.size(1), options.model_settings);
    const DType dtype = options.dtype == "float64" ? DType::float64 : DType::float32;
    model->load_state(given.state);
    model->to(dtype);
    model->to(device);
    const Tensor images = given.images.to(dtype).to(device), labels = given.labels.to(device);
    const Tensor weight = given.weight.to(dtype).to(device).set_requires_grad();
    const Tensor bias = given.bias.to(dtype).to(device).set_requires_grad();
    std::vector<NamedTensor> named{{"classifier.weight", weight}, {"classifier.bias", bias}};
    std::vector<Tensor> parameters{weight, bias};
    for (const auto& [name, tensor] : model->named_parameters()) {
        named.push_back({std::string(model_prefix) + name, tensor});
        parameters.push_back(tensor);
    }

    TensorFile result;
    const auto keep = [&result](const std::string& name, const Tensor& tensor) {
        result.tensors.push_back({name, tensor.detach().clone()});
    };
    {
        const NoGrad no_grad;
        model->eval();
        const Tensor feature = model->forward(images);
        keep("eval.feature", feature);
        keep("eval.logits", linear(feature, weight, bias));
    }
    model->train();
    Sgd optimizer(parameters, {.lr = options.lr, .momentum = options.momentum});
    std::vector<double> losses;
    for (std::int64_t step = 0; step < options.steps; ++step) {
        optimizer.zero_grad();
        const Tensor logits = linear(model->forward(images), weight, bias);
        const Tensor loss = cross_entropy(logits, labels);
        loss.backward();
        if (step == 0) {
            keep("train.logits", logits);
            for (const auto& [name, tensor] : named) keep("gradient." + name, tensor.grad());
        }
        optimizer.step();
        losses.push_back(loss.item());
    }
    result.tensors.push_back({"losses", Tensor::from(losses, {options.steps})});
    result.metadata = {{"model", options.model}};
    write_safetensors(options.output, result);
}

}  // namespace

train::Command replay_command() {
    return {"replay", "Run a network on given weights and images, for comparison", [](CLI::App& app) {
                auto options = std::make_shared<ReplayOptions>();
                const auto add = [&app](const char* flag, auto& value, const char* text) {
                    return app.add_option(flag, value, text)->capture_default_str();
                };
                add("--model", options->model, "Network; radial-models lists them")->required();
                train::add_model_options(app, options->model_settings);
                add("--input", options->input,
                    "safetensors with model.*, classifier.weight, classifier.bias, images and labels")
                    ->required()
                    ->type_name("FILE");
                add("--output", options->output,
                    "safetensors to write: eval.feature, eval.logits, train.logits, gradient.*, losses")
                    ->required()
                    ->type_name("FILE");
                add("--lr", options->lr, "Learning rate of the SGD steps");
                add("--momentum", options->momentum, "Momentum of the SGD steps")->check(train::within(0.0, 1.0));
                add("--steps", options->steps, "Steps on the same batch")->check(train::within(1, 1000));
                add("--dtype", options->dtype, "float32, or float64 on the CPU")
                    ->check(CLI::IsMember({"float32", "float64"}));
                train::add_device_option(app, options->device);
                add("--threads", options->threads, "Compute threads; 0 uses every core")->check(train::within(0, 4096));
                return [options] { run_replay(*options); };
            }};
}

}  // namespace radial::bench
