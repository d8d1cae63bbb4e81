// Loads weights and a batch, runs the network in evaluation, in training and for a few steps, and writes what came out.
#include "radial/apps/bench/commands.h"

#include "radial/apps/cli/image_task.h"
#include "radial/apps/cli/registry_options.h"
#include "radial/apps/cli/train_flags.h"
#include "radial/apps/cli/validators.h"
#include "radial/apps/train/classifier.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/io/safetensors.h"
#include "radial/core/ops.h"
#include "radial/core/optim/optim.h"
#include "radial/losses/functional.h"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <map>

namespace radial::bench {
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
