// Early stopping, the best checkpoint, snapshots, metrics and events of a run.
#include "radial/apps/train/observers.h"

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

}  // namespace

EarlyStopping::EarlyStopping(EarlyStoppingOptions options) : options_(options) {
    RADIAL_CHECK(options.patience >= 1, "EarlyStopping: patience is {}, expected at least 1", options.patience);
    RADIAL_CHECK(options.min_improvement >= 0, "EarlyStopping: min_improvement is {}, expected at least 0",
                 options.min_improvement);
}

/// Whether the patience is over.
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

// An epoch that is still to be evaluated writes events at its last step, even where that step is done.
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
