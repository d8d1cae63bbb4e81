// One training step after another: forward, loss, backward, clip, update.
#include "radial/apps/common/trainer.h"

#include "radial/core/autograd.h"
#include "radial/core/error.h"
#include "radial/core/memory/allocator.h"
#include "radial/core/ops.h"

#include <cmath>

namespace radial::apps {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// FNV-1a over 64-bit words.
void digest(std::uint64_t& hash, std::span<const std::int64_t> values) {
    for (const std::int64_t value : values) hash = (hash ^ static_cast<std::uint64_t>(value)) * 0x100000001B3;
}

}  // namespace

/// Totals over an epoch's steps.
struct Trainer::Sums {
    Clock::time_point start = Clock::now();
    std::int64_t steps = 0, images = 0, correct = 0;
    double loss = 0;           ///< times images
    double gradient_norm = 0;  ///< over steps
    std::uint64_t order = 0xCBF29CE484222325;

    double mean_loss() const { return loss / static_cast<double>(images); }
    double accuracy() const { return static_cast<double>(correct) / static_cast<double>(images); }
    double images_per_second() const { return static_cast<double>(images) / seconds_since(start); }
};

nlohmann::ordered_json to_json(const EpochResult& result) {
    const auto or_null = [](const std::optional<double>& value) {
        return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
    };
    return {{"epoch", result.epoch},
            {"train_loss", result.train_loss},
            {"train_accuracy", result.train_accuracy},
            {"test_loss", result.test_loss},
            {"test_accuracy", result.test_accuracy},
            {"best_accuracy", result.best_accuracy},
            {"best_epoch", result.best_epoch},
            {"images_per_second", result.images_per_second},
            {"mean_kernel", or_null(result.mean_kernel)},
            {"initial_mean_kernel", or_null(result.initial_mean_kernel)},
            {"seconds", result.seconds},
            {"lr", result.lr},
            {"gradient_norm", result.gradient_norm},
            {"peak_bytes", result.peak_bytes},
            {"order", result.order}};
}

Trainer::Trainer(TrainerSetup setup, Progress& progress)
    : setup_(std::move(setup)), progress_(progress), kernel_(setup_.allow_dead_kernel) {
    for (const ParameterGroup& group : setup_.optimizer.groups())
        parameters_.insert(parameters_.end(), group.parameters.begin(), group.parameters.end());
}

EpochResult Trainer::run_epoch() {
    ++epoch_;
    setup_.model.train();
    setup_.loss.train();
    reset_peak_memory(setup_.device);
    setup_.train.start(epoch_ - 1);
    Sums sums;
    while (auto batch = setup_.train.next()) step(std::move(*batch), sums);
    RADIAL_CHECK(sums.images > 0, "training: the data set holds no samples");
    EpochResult result{.epoch = epoch_,
                       .train_loss = sums.mean_loss(),
                       .train_accuracy = sums.accuracy(),
                       .mean_kernel = kernel_.end_epoch(),
                       .initial_mean_kernel = kernel_.initial(),
                       .images_per_second = sums.images_per_second(),
                       .lr = setup_.optimizer.lr(),
                       .gradient_norm = sums.gradient_norm / static_cast<double>(sums.steps),
                       .order = fmt::format("{:016x}", sums.order)};
    const Clock::time_point evaluation_start = Clock::now();
    evaluation_ = evaluate(setup_.model, setup_.loss, setup_.test, setup_.device, setup_.keep_features);
    evaluation_seconds_ = seconds_since(evaluation_start);
    result.test_loss = evaluation_.loss;
    result.test_accuracy = result.best_accuracy = evaluation_.accuracy();
    result.best_epoch = epoch_;
    if (!history_.empty() && history_.back().best_accuracy >= result.best_accuracy) {
        result.best_accuracy = history_.back().best_accuracy;
        result.best_epoch = history_.back().best_epoch;
    }
    result.seconds = seconds_since(sums.start);
    result.peak_bytes = memory_statistics(setup_.device).peak;
    history_.push_back(result);
    return result;
}

void Trainer::step(data::Batch batch, Sums& sums) {
    const auto epochs_done = static_cast<double>(epoch_ - 1);
    const double part = static_cast<double>(sums.steps) / static_cast<double>(setup_.train.batches());
    setup_.optimizer.set_lr(setup_.schedule(epochs_done + part));

    const Tensor labels = batch.labels.to(setup_.device);
    const Tensor feature = setup_.model.forward(std::move(batch.images).to(setup_.device));
    const Tensor loss = setup_.loss.forward(feature, labels);
    const double value = loss.item();
    if (!std::isfinite(value)) {
        throw NumericError(
            fmt::format("the loss is {} {}. Lower --lr, or set --clip-norm 1", std::abs(value), place(sums.steps + 1)));
    }
    const std::optional<double> kernel = setup_.loss.mean_kernel();
    if (kernel && epoch_ == 1 && sums.steps == 0) {
        progress_.line(fmt::format("mean kernel at the first step: {:.3g}", *kernel));
        if (*kernel < dead_kernel) progress_.line("warning: " + dead_kernel_message(*kernel, 0));
    }
    kernel_.add(kernel);
    sums.correct += correct_predictions(feature, batch.labels);

    setup_.optimizer.zero_grad();
    loss.backward();
    sums.gradient_norm += clip(sums.steps + 1);
    setup_.optimizer.step();

    sums.loss += value * static_cast<double>(batch.indices.size());
    sums.images += static_cast<std::int64_t>(batch.indices.size());
    ++sums.steps;
    digest(sums.order, batch.indices);
    show(sums);
}

std::int64_t Trainer::correct_predictions(const Tensor& feature, const Tensor& labels) const {
    const NoGrad no_grad;
    return count_equal(argmax(setup_.loss.logits(feature.detach())).to(Device{}), labels);
}

double Trainer::clip(std::int64_t step) const {
    if (setup_.clip_norm <= 0) return gradient_norm(parameters_);
    try {
        return clip_gradient_norm(parameters_, setup_.clip_norm);
    } catch (const NumericError& error) {
        throw NumericError(fmt::format("{}, {}. Lower --lr", error.what(), place(step)));
    }
}

void Trainer::show(const Sums& sums) {
    const std::int64_t steps = setup_.train.batches(), epochs_left = setup_.epochs - epoch_;
    const double step_seconds = seconds_since(sums.start) / static_cast<double>(sums.steps);
    const auto steps_left = static_cast<double>(steps - sums.steps + epochs_left * steps);
    progress_.update(
        {.epoch = epoch_,
         .epochs = setup_.epochs,
         .step = sums.steps,
         .steps = steps,
         .loss = sums.mean_loss(),
         .accuracy = sums.accuracy(),
         .images_per_second = sums.images_per_second(),
         .seconds_left = steps_left * step_seconds + static_cast<double>(epochs_left + 1) * evaluation_seconds_});
}

std::string Trainer::place(std::int64_t step) const {
    return fmt::format("at step {} of epoch {} (lr {})", step, epoch_, setup_.optimizer.lr());
}

}  // namespace radial::apps
