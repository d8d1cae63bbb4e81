// Times a loss by itself: features of noise, its gradient by them and by the loss's parameters.
#include "radial/apps/bench/commands.h"

#include "radial/apps/bench/measure.h"
#include "radial/apps/cli/image_task.h"
#include "radial/apps/cli/registry_options.h"
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

struct HeadBenchOptions {
    std::string loss = "rbf-softmax";
    LossSettings settings;
    std::string device = "cpu";
    std::int64_t classes = 100000, dim = 512, batch = 256;
    std::int64_t steps = 10, warmup = 2;
    int threads = 0;
};

/// A loss, a batch for it, and one pass over both.
class HeadPass {
public:
    explicit HeadPass(const HeadBenchOptions& options)
        : device_(Device::parse(options.device)),
          loss_(make_loss(options.loss, options.classes, options.dim, options.settings)) {
        loss_->to(device_);
        // Of a length at which kernels of width 1 are alive, and labels all over the classes.
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
    /// Bytes of what stays between passes: parameters and features, and the gradients of both.
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
