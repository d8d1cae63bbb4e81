// One training step, timed: zero gradients, forward, loss, backward, SGD with momentum 0.9, no clipping.
#include "radial/apps/bench/step.h"

#include "radial/apps/bench/measure.h"
#include "radial/apps/bench/model_cost.h"
#include "radial/apps/common/image_task.h"
#include "radial/apps/common/saved_classifier.h"
#include "radial/apps/common/version.h"
#include "radial/core/backend.h"
#include "radial/core/memory/allocator.h"
#include "radial/core/ops.h"
#include "radial/core/optim.h"
#include "radial/core/random.h"

namespace radial::bench {
namespace {

constexpr std::int64_t classes = 10;

struct StepOptions {
    std::string model = "lenetpp", loss = "rbf-softmax", device = "cpu";
    std::int64_t batch = 128, dim = 32, steps = 30, warmup = 5;
    int threads = 0;
    bool json = false;
};

/// A batch of noise: what the pixels show does not matter to the time, that they are ordinary numbers does.
std::pair<Tensor, Tensor> noise_batch(std::int64_t batch, Device device) {
    const Tensor images = Tensor::empty({batch, 1, 28, 28});
    normal_(images, 0, 1);
    std::vector<std::int64_t> labels(static_cast<std::size_t>(batch));
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int64_t>(i) % classes;
    return {images.to(device), Tensor::from(labels, {batch}, device)};
}

nlohmann::ordered_json run(const StepOptions& options) {
    const Device device = Device::parse(options.device);
    const std::int64_t resident_before = peak_resident_bytes();
    manual_seed(1);
    const apps::Classifier classifier = apps::build_classifier(
        {.model = options.model, .dim = options.dim, .loss = options.loss, .loss_settings = {}, .classes = classes});
    classifier.model->to(device);
    classifier.loss->to(device);
    Sgd optimizer(classifier.parameters(), {.lr = 0.001, .momentum = 0.9});
    const auto [images, labels] = noise_batch(options.batch, device);
    reset_peak_memory(device);
    const auto step = [&, &x = images, &y = labels] {
        optimizer.zero_grad();
        const Tensor loss = classifier.loss->forward(classifier.model->forward(x), y);
        loss.backward();
        optimizer.step();
        loss.item();
    };
    const Times times = measure(step, options.warmup, options.steps);
    const double flops = training_flops(lenetpp_cost(options.dim, classes), options.batch);
    const MemoryStatistics memory = memory_statistics(device);
    return {{"program", fmt::format("radial {}", apps::version)},
            {"device", describe_device(device)},
            {"model", options.model},
            {"loss", options.loss},
            {"dim", options.dim},
            {"batch", options.batch},
            {"threads", num_threads()},
            {"steps", options.steps},
            {"milliseconds", times.median},
            {"milliseconds_min", times.minimum},
            {"milliseconds_lower_quartile", times.lower_quartile},
            {"milliseconds_upper_quartile", times.upper_quartile},
            {"images_per_second", 1000 * static_cast<double>(options.batch) / times.median},
            {"gflop", flops * 1e-9},
            {"gflop_per_second", flops * 1e-6 / times.median},
            {"peak_tensor_bytes", memory.peak},
            {"reserved_bytes", memory.reserved},
            {"peak_resident_bytes", peak_resident_bytes()},
            {"resident_growth_bytes", peak_resident_bytes() - resident_before}};
}

void print_table(const nlohmann::ordered_json& result) {
    const auto number = [&](const char* key) { return result.at(key).get<double>(); };
    const auto row = [](const char* name, const std::string& value) { fmt::print("{:<22}{}\n", name, value); };
    fmt::print("{}\n", result.at("device").get<std::string>());
    row("step", fmt::format("{:.1f} ms (median; quartiles {:.1f} and {:.1f}, least {:.1f})", number("milliseconds"),
                            number("milliseconds_lower_quartile"), number("milliseconds_upper_quartile"),
                            number("milliseconds_min")));
    row("images a second", fmt::format("{:.0f}", number("images_per_second")));
    row("arithmetic", fmt::format("{:.1f} GFLOP a step, {:.1f} GFLOP/s", number("gflop"), number("gflop_per_second")));
    row("tensors at peak", fmt::format("{:.1f} MB", number("peak_tensor_bytes") * 1e-6));
    row("taken for tensors", fmt::format("{:.1f} MB", number("reserved_bytes") * 1e-6));
    row("process at peak", fmt::format("{:.1f} MB, {:.1f} MB of them since before the model was built",
                                       number("peak_resident_bytes") * 1e-6, number("resident_growth_bytes") * 1e-6));
}

void run_step(const StepOptions& options) {
    set_num_threads(options.threads);
    const nlohmann::ordered_json result = run(options);
    if (options.json)
        fmt::print("{}\n", result.dump(2));
    else
        print_table(result);
}

}  // namespace

apps::Command step_command() {
    return {
        "step", "Time one training step", [](CLI::App& app) {
            auto options = std::make_shared<StepOptions>();
            const auto add = [&app](const char* flag, auto& value, const char* text) {
                return app.add_option(flag, value, text)->capture_default_str();
            };
            add("--model", options->model, "Network: lenetpp");
            add("--loss", options->loss, "Loss, as radial-mnist names it");
            add("--dim", options->dim, "Feature dimension")->check(CLI::Range(1, 1000000));
            add("--batch", options->batch, "Images a step")->check(CLI::Range(1, 1000000));
            add("--threads", options->threads, "Threads that compute; 0 takes every core")->check(CLI::Range(0, 4096));
            add("--steps", options->steps, "Steps measured")->check(CLI::Range(1, 1000000));
            add("--warmup", options->warmup, "Steps before those")->check(CLI::Range(0, 1000000));
            add("--device", options->device, "cpu, cuda or cuda:N");
            app.add_flag("--json", options->json, "Print one JSON object");
            return [options] { run_step(*options); };
        }};
}

}  // namespace radial::bench
