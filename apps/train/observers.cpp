// Implements the observers for early stopping, dead kernels, the best checkpoint, snapshots, metrics.jsonl and events.
#include "radial/apps/train/observers.h"

#include "radial/apps/train/run/json_text.h"
#include "radial/core/io/files.h"
#include "radial/core/optim/weight_average.h"
#include "radial/core/util/error.h"

#include <cmath>
#include <string>
#include <utility>

namespace radial::train {
namespace {

void make_folder(const std::filesystem::path& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) throw FileError(fmt::format("{}: cannot make the folder: {}", folder.string(), error.message()));
}

std::string dead_kernel_message(double kernel, std::int64_t steps) {
    return fmt::format(
        "mean kernel {:.3g} after {} step{}: every prototype is out of reach of the features, so no gradient flows. "
        "Normalise the loss's features, lower the learning rate, clip the gradient's norm at 1, or raise the loss's "
        "gamma",
        kernel, steps, steps == 1 ? "" : "s");
}

constexpr const char* kernel_key = "kernel";  // key of DeadKernelWatch's state, also in earlier versions

}  // namespace

EarlyStopping::EarlyStopping(EarlyStoppingOptions options) : options_(options) {
    RADIAL_CHECK(options.patience >= 1, "EarlyStopping: patience is {}, expected at least 1", options.patience);
    RADIAL_CHECK(options.min_improvement >= 0, "EarlyStopping: min_improvement is {}, expected at least 0",
                 options.min_improvement);
}

/// Takes the result of an epoch into account. Returns true when the patience is exhausted.
bool EarlyStopping::add(const EpochResult& result) {
    const double value = std::isnan(result.test_accuracy) ? -result.test_loss : result.test_accuracy;
    const bool first = std::isinf(best_) && best_ < 0;
    if (std::isfinite(value) && (first || value - best_ > options_.min_improvement)) {
        best_ = value;
        waited_ = 0;
    } else {
        ++waited_;
    }
    return waited_ >= options_.patience;
}

void EarlyStopping::on_start(Trainer& trainer) {
    best_ = -std::numeric_limits<double>::infinity();
    waited_ = 0;
    for (const EpochResult& result : trainer.history())
        if (add(result)) trainer.stop();
}

void EarlyStopping::on_epoch(Trainer& trainer, const EpochResult& result) {
    if (add(result)) trainer.stop();
}

DeadKernelWatch::DeadKernelWatch(DeadKernelWatchOptions options) : options_(options) {
    RADIAL_CHECK(options.window >= 1, "DeadKernelWatch: window is {}, expected at least 1", options.window);
    RADIAL_CHECK(options.limit >= 0, "DeadKernelWatch: limit is {}, expected at least 0", options.limit);
}

void DeadKernelWatch::on_step(Trainer& trainer, const StepReport& report) {
    const std::optional<double> kernel = report.numbers.metric("mean_kernel");
    if (!kernel) return;
    if (report.step == 1) {
        trainer.note(fmt::format("mean kernel at the first step: {:.3g}", *kernel));
        if (*kernel < options_.limit) trainer.note("warning: " + dead_kernel_message(*kernel, 0));
    }
    sum_ += *kernel;
    ++epoch_steps_;
    if (++window_steps_ >= options_.window) end_window(report.step);
}

// Discards an incomplete window, because a few steps are too little evidence, unless it contains the whole epoch.
void DeadKernelWatch::before_evaluation(Trainer& trainer) {
    if (window_steps_ > 0 && window_steps_ == epoch_steps_) end_window(trainer.steps());
    sum_ = 0;
    window_steps_ = epoch_steps_ = 0;
}

void DeadKernelWatch::end_window(std::int64_t steps) {
    const double mean = std::exchange(sum_, 0) / static_cast<double>(std::exchange(window_steps_, 0));
    if (mean < options_.limit && options_.stops) throw NumericError(dead_kernel_message(mean, steps));
}

void DeadKernelWatch::save_state(nlohmann::ordered_json& states) const {
    states[kernel_key] = {{"window_sum", sum_}, {"window_steps", window_steps_}, {"epoch_steps", epoch_steps_}};
}

void DeadKernelWatch::restore_state(const nlohmann::ordered_json& states) {
    const bool saved = states.contains(kernel_key);
    const auto number = [&](const char* key) {
        return saved ? whole_number<std::int64_t>(states.at(kernel_key), key) : 0;
    };
    const std::int64_t window = number("window_steps"), epoch = number("epoch_steps");
    RADIAL_CHECK(window >= 0 && window <= epoch, "the state is of {} steps with a kernel in a window of {}", epoch,
                 window);
    sum_ = saved ? real_number(states.at(kernel_key), "window_sum") : 0;
    window_steps_ = window;
    epoch_steps_ = epoch;
}

BestCheckpoint::BestCheckpoint(std::filesystem::path path, const Classifier& classifier)
    : path_(std::move(path)), classifier_(classifier) {}

void BestCheckpoint::on_epoch(Trainer& trainer, const EpochResult& result) {
    if (result.best_epoch != result.epoch) return;
    if (path_.has_parent_path()) make_folder(path_.parent_path());
    const UseAverage average(trainer.setup().step.average);
    save_classifier(path_, classifier_,
                    {{"epoch", fmt::format("{}", result.epoch)},
                     {"accuracy", fmt::format("{}", result.test_accuracy)},
                     {"test_loss", fmt::format("{}", result.test_loss)}});
}

SnapshotSaver::SnapshotSaver(Classifier& classifier, Optimizer& optimizer, SnapshotSaverOptions options)
    : classifier_(classifier),
      optimizer_(optimizer),
      options_(std::move(options)),
      snapshots_(options_.folder, options_.keep) {}

bool SnapshotSaver::resume(Trainer& trainer) {
    const std::vector<std::filesystem::path> files = snapshots_.files();
    if (files.empty()) return false;
    const nlohmann::ordered_json state =
        load_snapshot(files.front(), classifier_, optimizer_, trainer.setup().step.average);
    try {
        trainer.restore(state.at("trainer"));
    } catch (const std::exception& error) {
        throw FileError(fmt::format("{}: not a run's state: {}", files.front().string(), error.what()));
    }
    return true;
}

void SnapshotSaver::save(Trainer& trainer) {
    const nlohmann::ordered_json state = trainer.state();
    saved_ = Clock::now();
    const Communicator* const ranks = trainer.setup().step.ranks;
    if (ranks != nullptr && ranks->rank() != 0) return;
    snapshots_.save(trainer.steps(), classifier_, optimizer_, {{"trainer", state}}, trainer.setup().step.average);
    saved_ = Clock::now();
}

void SnapshotSaver::on_start(Trainer& trainer) {
    make_folder(options_.folder);
    snapshots_.remove_temporaries();
    if (trainer.steps() == 0) save(trainer);
}

void SnapshotSaver::between_steps(Trainer& trainer) {
    const bool by_steps = options_.steps > 0 && trainer.steps() % options_.steps == 0;
    const std::chrono::duration<double, std::ratio<60>> minutes = Clock::now() - saved_;
    if (by_steps || (options_.minutes > 0 && minutes.count() >= options_.minutes)) save(trainer);
}

void SnapshotSaver::on_epoch(Trainer& trainer, const EpochResult& /*result*/) { save(trainer); }

void MetricsFile::on_epoch(Trainer& trainer, const EpochResult& /*result*/) {
    if (path_.has_parent_path()) make_folder(path_.parent_path());
    std::string lines;
    for (const EpochResult& result : trainer.history()) lines += to_json(result).dump() + "\n";
    write_file(path_, lines);
}

TensorBoard::TensorBoard(std::filesystem::path folder, std::int64_t log_steps)
    : folder_(std::move(folder)), log_steps_(log_steps) {}

// If the evaluation of an epoch is pending, the events of the epoch are still to be written at its last step, although
// that step is already done. The new file then begins at that step.
void TensorBoard::on_start(Trainer& trainer) {
    make_folder(folder_);
    events_.emplace(folder_, trainer.steps() + (trainer.awaits_evaluation() ? 0 : 1), log_steps_);
}

void TensorBoard::on_step(Trainer& /*trainer*/, const StepReport& report) {
    if (events_) events_->step(report);
}

void TensorBoard::on_epoch(Trainer& trainer, const EpochResult& result) {
    if (events_) events_->epoch(result, trainer.steps(), trainer.evaluation(), {}, {});
}

}  // namespace radial::train
