// Times training steps, and a loss alone: its value on features of noise, and the gradients of features and parameters.
#include "radial/apps/bench/bench.h"

#include "radial/apps/cli/image_task.h"
#include "radial/apps/cli/registry_options.h"
#include "radial/apps/cli/shared_flags.h"
#include "radial/apps/cli/validators.h"
#include "radial/apps/train/run/version.h"
#include "radial/core/backend/backend.h"
#include "radial/core/memory/allocator.h"
#include "radial/core/memory/transfer.h"
#include "radial/core/tensor/random.h"
#include "radial/losses/loss.h"

#include <CLI/CLI.hpp>

namespace radial::bench {
namespace {

constexpr std::int64_t device_block = 10;
constexpr std::size_t losses_shown = 5;

struct StepOptions {
    StepSetup setup;
    std::int64_t steps = 30, warmup = 5, block = 0;
    int threads = 0;
    bool json = false;
};

/// Steps between two readings of the clock. The host runs ahead of a CUDA device and waits for it only at the end of a
/// block, as in training.
std::int64_t block_of(const StepOptions& options, Device device) {
    if (options.block > 0) return options.block;
    return device.kind == Device::Kind::cpu ? 1 : device_block;
}

struct Measured {
    Times times;                 ///< of one step, averaged over blocks
    std::vector<double> losses;  ///< of the first steps, including warm-up
    std::int64_t steps;          ///< a whole number of blocks
};

Measured measure_steps(TrainingStep& step, const StepOptions& options) {
    Measured measured{.times = {}, .losses = {}, .steps = 0};
    for (std::int64_t i = 0; i < options.warmup; ++i) {
        step.run();
        if (measured.losses.size() < losses_shown) measured.losses.push_back(step.loss());
    }
    const std::int64_t block = block_of(options, step.device());
    const std::int64_t blocks = (options.steps + block - 1) / block;
    const auto one_block = [&] {
        for (std::int64_t i = 0; i < block; ++i) step.run();
        const double loss = step.loss();
        if (measured.losses.size() < losses_shown && block == 1) measured.losses.push_back(loss);
    };
    measured.times = measure(one_block, 0, blocks);
    measured.steps = blocks * block;
    for (double* const time : {&measured.times.median, &measured.times.minimum, &measured.times.lower_quartile,
                               &measured.times.upper_quartile})
        *time /= static_cast<double>(block);
    return measured;
}

nlohmann::ordered_json run(const StepOptions& options) {
    const std::int64_t resident_before = peak_resident_bytes();
    manual_seed(1);
    TrainingStep step(options.setup);
    reset_peak_memory(step.device());
    const Measured measured = measure_steps(step, options);
    const Times& times = measured.times;
    const StepSetup& setup = step.setup();
    const MemoryStatistics memory = memory_statistics(step.device());
    const std::int64_t resident = peak_resident_bytes();
    const double flops = step.flops();
    return {{"program", fmt::format("radial {}", train::version)},
            {"device", describe_device(step.device())},
            {"model", setup.model},
            {"model_settings", model_settings(train::model_named(setup.model), setup.model_settings)},
            {"loss", setup.loss},
            {"loss_settings", loss_settings(setup.loss, setup.loss_settings)},
            {"dim", setup.dim},
            {"image", setup.image},
            {"classes", setup.classes},
            {"batch", setup.batch},
            {"precision", train::name_of(setup.precision)},
            {"graph", setup.graph},
            {"evaluate", setup.evaluate},
            {"threads", num_threads()},
            {"steps", measured.steps},
            {"milliseconds", times.median},
            {"milliseconds_min", times.minimum},
            {"milliseconds_lower_quartile", times.lower_quartile},
            {"milliseconds_upper_quartile", times.upper_quartile},
            {"images_per_second", 1000 * static_cast<double>(setup.batch) / times.median},
            {"gflop", flops * 1e-9},
            {"gflop_per_second", flops * 1e-6 / times.median},
            {"peak_tensor_bytes", memory.peak},
            {"reserved_bytes", memory.reserved},
            {"peak_resident_bytes", resident},
            {"resident_growth_bytes", resident - resident_before},
            {"losses", measured.losses}};
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

std::string model_list() {
    std::string names;
    for (const ModelInfo& info : model_registry()) names += (names.empty() ? "" : ", ") + info.name;
    return names;
}

}  // namespace

train::Command step_command() {
    return {
        "step", "Time a training step", [](CLI::App& app) {
            auto options = std::make_shared<StepOptions>();
            StepSetup& setup = options->setup;
            const auto add = [&app](const char* flag, auto& value, const std::string& text) {
                return app.add_option(flag, value, text)->capture_default_str();
            };
            const auto size = train::within(0, 1000000);
            add("--model", setup.model, "Network: " + model_list());
            train::add_model_options(app, setup.model_settings);
            train::add_loss_options(app, setup.loss, setup.loss_settings);
            add("--dim", setup.dim, "Feature dimension; 0 uses the model's")->check(size);
            add("--image", setup.image, "Height and width of the images; 0 uses the model's")->check(size);
            add("--classes", setup.classes, "Classes; 0 uses those of the model's data set")->check(size);
            add("--batch", setup.batch, "Images per step")->check(train::within(1, 1000000));
            add("--device", setup.device, "cpu, cuda or cuda:N");
            train::add_precision_option(app, setup.precision);
            add("--graph", setup.graph, "on or off: run the step as a CUDA graph");
            app.add_flag("--evaluate", setup.evaluate, "Forward pass only, in evaluation mode");
            add("--threads", options->threads, "Compute threads; 0 uses every core")->check(train::within(0, 4096));
            add("--steps", options->steps, "Measured steps")->check(train::within(1, 1000000));
            add("--warmup", options->warmup, "Warm-up steps")->check(size);
            add("--block", options->block, "Steps per time measurement; 0 uses 1 on the CPU, 10 on CUDA")->check(size);
            app.add_flag("--json", options->json, "Print one JSON object");
            return [options] { run_step(*options); };
        }};
}

namespace {

struct HeadBenchOptions {
    std::string loss = "rbf-softmax";
    LossSettings settings;
    std::string device = "cpu";
    std::int64_t classes = 100000, dim = 512, batch = 256;
    std::int64_t steps = 10, warmup = 2;
    int threads = 0;
};

/// A loss, a batch for it, and one forward and backward pass.
class HeadPass {
public:
    explicit HeadPass(const HeadBenchOptions& options)
        : device_(Device::parse(options.device)),
          loss_(make_loss(options.loss, options.classes, options.dim, options.settings)) {
        loss_->to(device_);
        // The features are short enough that kernels of width 1 do not underflow; the labels are spread over all
        // classes.
        feature_ = Tensor::empty({options.batch, options.dim}, DType::float32, Device{});
        normal_(feature_, 0, 0.02);
        feature_ = feature_.to(device_).set_requires_grad();
        std::vector<std::int64_t> labels;
        for (std::int64_t i = 0; i < options.batch; ++i) labels.push_back(i * 7919 % options.classes);
        labels_ = Tensor::from(labels, {options.batch}, device_);
    }

    double run() {
        loss_->zero_grad();
        feature_.clear_grad();
        const Tensor loss = loss_->forward(feature_, labels_);
        loss.backward();
        return loss.item();
    }

    Device device() const { return device_; }
    /// Bytes of the tensors that persist between passes: parameters and features, the gradients of both, and labels.
    std::size_t lasting_bytes() const {
        std::size_t bytes = 2 * feature_.bytes() + labels_.bytes();
        for (const Tensor& parameter : loss_->parameters()) bytes += 2 * parameter.bytes();
        return bytes;
    }

private:
    Device device_;
    std::unique_ptr<Loss> loss_;
    Tensor feature_, labels_;
};

void run_head(const HeadBenchOptions& options) {
    set_num_threads(options.threads);
    manual_seed(1);
    HeadPass pass(options);
    double loss = pass.run();
    reset_peak_memory(pass.device());
    const Times times = measure([&] { loss = pass.run(); }, options.warmup, options.steps);
    const std::size_t peak = memory_statistics(pass.device()).peak, lasting = pass.lasting_bytes();
    const nlohmann::ordered_json result = {
        {"program", fmt::format("radial {}", train::version)},
        {"device", describe_device(pass.device())},
        {"loss", options.loss},
        {"loss_settings", loss_settings(options.loss, options.settings)},
        {"classes", options.classes},
        {"dim", options.dim},
        {"batch", options.batch},
        {"threads", num_threads()},
        {"value", loss},
        {"milliseconds", times.median},
        {"milliseconds_min", times.minimum},
        {"lasting_bytes", lasting},
        {"extra_bytes", peak > lasting ? peak - lasting : 0},
    };
    fmt::print("{}\n", result.dump(2));
}

}  // namespace

train::Command head_command() {
    return {"head", "Time a loss over many classes, forward and backward; prints one JSON object", [](CLI::App& app) {
                auto options = std::make_shared<HeadBenchOptions>();
                const auto add = [&app](const char* flag, auto& value, const std::string& text) {
                    return app.add_option(flag, value, text)->capture_default_str();
                };
                const auto size = train::within(1, 100000000);
                train::add_loss_options(app, options->loss, options->settings);
                add("--classes", options->classes, "Classes")->check(size);
                add("--dim", options->dim, "Feature dimension")->check(size);
                add("--batch", options->batch, "Features per step")->check(size);
                add("--device", options->device, "cpu, cuda or cuda:N");
                add("--threads", options->threads, "Compute threads; 0 uses every core")->check(train::within(0, 4096));
                add("--steps", options->steps, "Measured passes")->check(size);
                add("--warmup", options->warmup, "Warm-up passes")->check(train::within(0, 1000000));
                return [options] { run_head(*options); };
            }};
}

}  // namespace radial::bench
