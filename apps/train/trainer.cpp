// The training loop: runs steps and evaluations, and sums up their results.
#include "radial/apps/train/trainer.h"

#include "radial/apps/train/run/json_text.h"
#include "radial/core/memory/allocator.h"
#include "radial/core/util/error.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace radial::train {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Adds 64-bit words to an FNV-1a hash.
void digest(std::uint64_t& hash, std::span<const std::int64_t> values) {
    for (const std::int64_t value : values) hash = (hash ^ static_cast<std::uint64_t>(value)) * 0x100000001B3;
}

/// Converts a state of Trainer::state(), from this version or an earlier one, to the form of this version. Earlier
/// versions had only one metric, "mean_kernel"; its sums and those of DeadKernelWatch were stored in "kernel". Throws
/// nlohmann::json::exception or Error when "kernel" is invalid.
nlohmann::ordered_json of_this_version(nlohmann::ordered_json state) {
    if (state.contains("metrics") || !state.contains("kernel")) return state;
    using Json = nlohmann::ordered_json;
    const Json kernel = state.at("kernel");
    Json metrics = Json::object();
    if (!kernel.at("initial").is_null())  // null: a loss without a kernel
        metrics["mean_kernel"] = {{"initial", real_number(kernel, "initial")},
                                  {"sum", real_number(kernel, "epoch_sum")},
                                  {"steps", whole_number<std::int64_t>(kernel, "epoch_steps")}};
    state["metrics"] = std::move(metrics);
    state["observers"] = {{"kernel",
                           {{"window_sum", real_number(kernel, "window_sum")},
                            {"window_steps", whole_number<std::int64_t>(kernel, "window_steps")},
                            {"epoch_steps", whole_number<std::int64_t>(kernel, "epoch_steps")}}}};
    state.erase("kernel");
    return state;
}

}  // namespace

/// Totals over an epoch's steps.
struct Trainer::Sums {
    Clock::time_point start = Clock::now();
    data::EpochPosition before = {};     ///< position in the epoch at which this process began
    std::int64_t submitted = 0;          ///< number of steps submitted
    std::int64_t steps = 0, images = 0;  ///< those that the host has read; the sums below are over these
    double correct = 0;
    double loss = 0;           ///< sum of loss times images
    double gradient_norm = 0;  ///< sum over the steps
    double lr = 0;             ///< learning rate of the last step
    std::uint64_t order = 0xCBF29CE484222325;

    /// Moves the start back by `seconds`, the time that the epoch took before the run was resumed.
    void resume_clock(double seconds) {
        constexpr double most = 1e9;  // avoids overflow of the clock's type
        RADIAL_CHECK(seconds >= 0 && seconds <= most, "the state is of {} seconds", seconds);
        start -= std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    }
    double mean_loss() const { return loss / static_cast<double>(images); }
    double accuracy() const { return correct / static_cast<double>(images); }
    double images_per_second() const { return static_cast<double>(images) / seconds_since(start); }
};

Trainer::Trainer(TrainerSetup setup)
    : setup_(std::move(setup)), step_(setup_.step, [this](const std::string& line) { note(line); }) {
    if (!setup_.schedule) setup_.schedule = constant_schedule(setup_.step.optimizer.lr());
}

Trainer::~Trainer() = default;

const EpochResult& Trainer::run() {
    stopped_ = false;
    for (Observer* const observer : observers_) observer->on_start(*this);
    while (std::ssize(history_) < setup_.epochs && !stopped_) run_epoch();
    RADIAL_CHECK(!history_.empty(), "Trainer: {} epochs to run, expected at least 1", setup_.epochs);
    return history_.back();
}

void Trainer::observe(Observer& observer) {
    if (!restored_.is_null()) observer.restore_state(restored_);
    observers_.push_back(&observer);
}

void Trainer::note(const std::string& line) const {
    for (Observer* const observer : observers_) observer->on_note(line);
}

bool Trainer::wants_to_stop() const {
    return std::ranges::any_of(observers_, [](Observer* observer) { return observer->wants_to_stop(); });
}

EpochResult Trainer::run_epoch() {
    const StepSetup& how = setup_.step;
    if (sums_ == nullptr) {
        ++epoch_;
        sums_ = std::make_unique<Sums>();
    }
    Sums& sums = *sums_;
    how.model.train();
    how.loss.train();
    reset_peak_memory(how.device);
    EpochResult result;
    try {
        train_epoch(sums, result);
    } catch (const NumericError& error) {
        end_run(error, sums);
    }
    const Clock::time_point evaluation_start = Clock::now();
    {
        const UseAverage average(how.average);
        evaluation_ = evaluate(how.model, how.loss, setup_.test, how.device,
                               {.keep_features = setup_.keep_features, .precision = how.precision, .stop = [this] {
                                    return wants_to_stop();
                                }});
    }
    for (Observer* const observer : observers_) observer->on_evaluation(*this, evaluation_.whole);
    RADIAL_CHECK(evaluation_.whole, "the evaluation of epoch {} was given up", epoch_);
    if (how.ranks != nullptr) evaluation_ = merge_evaluations(*how.ranks, evaluation_);
    evaluation_seconds_ = seconds_since(evaluation_start);
    result.test_loss = evaluation_.loss;
    result.test_accuracy = result.best_accuracy = evaluation_.accuracy();
    result.best_epoch = epoch_;
    if (!history_.empty() && !is_better(result)) {
        result.best_accuracy = history_.back().best_accuracy;
        result.best_epoch = history_.back().best_epoch;
    }
    result.seconds = seconds_since(sums.start);
    result.peak_bytes = memory_statistics(how.device).peak;
    history_.push_back(result);
    steps_before_ += sums.submitted;
    sums_.reset();
    metrics_.clear();
    for (Observer* const observer : observers_) observer->on_epoch(*this, result);
    return result;
}

// Compares the accuracies if the targets are classes, and the losses otherwise.
bool Trainer::is_better(const EpochResult& result) const {
    const EpochResult& last = history_.back();
    if (!std::isnan(result.test_accuracy)) return result.test_accuracy > last.best_accuracy;
    const double best = history_[static_cast<std::size_t>(last.best_epoch - 1)].test_loss;
    return result.test_loss < best || std::isnan(best);
}

void Trainer::train_epoch(Sums& sums, EpochResult& result) {
    setup_.train.start(epoch_ - 1, position_after(sums, sums.submitted));
    while (const auto batch = setup_.train.next()) {
        submit(*batch, sums);
        for (Observer* const observer : observers_) observer->between_steps(*this);
    }
    look(sums);
    RADIAL_CHECK(sums.images > 0, "training: the data set holds no samples");
    result = {.epoch = epoch_,
              .train_loss = sums.mean_loss(),
              .train_accuracy = sums.accuracy(),
              .metrics = metrics_.results(),
              .images_per_second = sums.images_per_second(),
              .lr = sums.lr,
              .gradient_norm = sums.gradient_norm / static_cast<double>(sums.steps),
              .order = fmt::format("{:016x}", sums.order)};
    for (Observer* const observer : observers_) observer->before_evaluation(*this);
}

// Calls Observer::on_failure() with the batch of the failed step. The batch is loaded again, because batches are not
// kept until the results of their steps are read. The loader returns the same batch for the same position.
void Trainer::end_run(const NumericError& error, const Sums& sums) {
    const auto& [place, numbers] = judged_;
    if (observers_.empty() || place.step == 0 || sums.submitted == 0) throw error;
    setup_.train.start(epoch_ - 1, position_after(sums, place.step - 1));
    const std::optional<data::Batch> batch = setup_.train.next();
    if (!batch) throw error;
    const FailedStep failed{.number = steps_before_ + place.step,
                            .epoch = epoch_,
                            .step = place.step,
                            .lr = place.lr,
                            .loss = numbers.loss,
                            .reason = error.what(),
                            .batch = *batch};
    std::string message = error.what();
    for (Observer* const observer : observers_) message += observer->on_failure(*this, failed);
    throw NumericError(message);
}

nlohmann::ordered_json Trainer::state() {
    nlohmann::ordered_json state{
        {"epoch", epoch_}, {"steps_before", steps_before_}, {"history", nlohmann::ordered_json::array()}};
    for (const EpochResult& result : history_) state["history"].push_back(to_json(result));
    if (sums_ != nullptr) {
        look(*sums_);
        state["sums"] = {{"seconds", seconds_since(sums_->start)},
                         {"steps", sums_->steps},
                         {"images", sums_->images},
                         {"correct", sums_->correct},
                         {"loss", sums_->loss},
                         {"gradient_norm", sums_->gradient_norm},
                         {"lr", sums_->lr},
                         {"order", sums_->order}};
    }
    state["metrics"] = metrics_.state();
    state["observers"] = nlohmann::ordered_json::object();
    for (const Observer* const observer : observers_) observer->save_state(state["observers"]);
    return state;
}

void Trainer::restore(const nlohmann::ordered_json& saved) {
    const nlohmann::ordered_json state = of_this_version(saved);
    std::vector<EpochResult> history;
    for (const auto& line : state.at("history")) history.push_back(epoch_result(line));
    const bool begun = state.contains("sums");
    const auto epoch = whole_number<std::int64_t>(state, "epoch"), done = std::ssize(history);
    RADIAL_CHECK(epoch == done + (begun ? 1 : 0), "the state is in epoch {} after {} completed epochs", epoch, done);
    // Snapshots of earlier versions lack this number; their epochs all had the same number of steps.
    const auto steps_before = state.contains("steps_before") ? whole_number<std::int64_t>(state, "steps_before")
                                                             : done * setup_.train.batches();
    constexpr std::int64_t most_steps = std::int64_t{1} << 53U;
    RADIAL_CHECK(steps_before >= 0 && steps_before <= most_steps, "the state is of {} steps", steps_before);
    std::unique_ptr<Sums> restored;
    if (begun) {
        restored = std::make_unique<Sums>();
        const auto& sums = state.at("sums");
        restored->resume_clock(sums.at("seconds"));
        restored->steps = restored->submitted = whole_number<std::int64_t>(sums, "steps");
        restored->images = whole_number<std::int64_t>(sums, "images");
        restored->correct = real_number(sums, "correct");
        restored->loss = real_number(sums, "loss");
        restored->gradient_norm = real_number(sums, "gradient_norm");
        restored->lr = real_number(sums, "lr");
        restored->order = whole_number<std::uint64_t>(sums, "order");
        const std::int64_t size = setup_.train.dataset().size();
        RADIAL_CHECK(restored->steps >= 0 && restored->steps <= restored->images && restored->images <= size,
                     "the state is of {} steps and {} images of an epoch of {} images", restored->steps,
                     restored->images, size);
        restored->before = {restored->steps, restored->images};
    }
    MetricMeans metrics;
    metrics.restore(state.at("metrics"));
    for (Observer* const observer : observers_) observer->restore_state(state.at("observers"));
    restored_ = state.at("observers");
    metrics_ = std::move(metrics);
    epoch_ = epoch;
    steps_before_ = steps_before;
    history_ = std::move(history);
    sums_ = std::move(restored);
}

bool Trainer::abandon_step() {
    if (!step_.abandon()) return false;
    if (sums_ != nullptr) sums_->submitted = sums_->steps;
    return true;
}

std::int64_t Trainer::steps() const { return steps_before_ + (sums_ != nullptr ? sums_->submitted : 0); }

bool Trainer::awaits_evaluation() const {
    return sums_ != nullptr && sums_->submitted == setup_.train.batches(sums_->before);
}

data::EpochPosition Trainer::position() const {
    return sums_ != nullptr ? position_after(*sums_, sums_->submitted) : data::EpochPosition{};
}

data::EpochPosition Trainer::position_after(const Sums& sums, std::int64_t steps) const {
    const data::EpochPosition& before = sums.before;
    const std::int64_t samples = before.samples + (steps - before.batches) * setup_.train.batch_size();
    return {steps, std::clamp<std::int64_t>(samples, 0, setup_.train.dataset().size())};
}

double Trainer::progress() const {
    if (sums_ == nullptr) return static_cast<double>(epoch_);
    const auto [steps, samples] = position_after(*sums_, sums_->submitted);
    const std::int64_t size = setup_.train.dataset().size();
    // The part is counted in steps, or in samples if earlier steps of the epoch had another batch size.
    const bool alike = sums_->before.samples == std::min(sums_->before.batches * setup_.train.batch_size(), size);
    const double part = alike ? static_cast<double>(steps) / static_cast<double>(setup_.train.batches())
                              : static_cast<double>(samples) / static_cast<double>(size);
    return static_cast<double>(epoch_ - 1) + std::min(part, 1.0);
}

void Trainer::submit(const data::Batch& batch, Sums& sums) {
    restored_ = nullptr;
    sums.lr = setup_.schedule(progress());
    const StepPlace place{epoch_, ++sums.submitted, batch.labels.size(0), sums.lr};
    try {
        step_.run(batch, place);
    } catch (const BadStep& bad) {
        judged_ = {.place = place, .numbers = {.loss = bad.loss()}};
        throw;
    }
    digest(sums.order, batch.indices);
    const bool first = epoch_ == 1 && sums.submitted == 1;  // read at once, so that problems are reported early
    if (step_.full() || first) look(sums);
}

// Reads the results of the steps since the last call.
void Trainer::look(Sums& sums) {
    const std::vector<TrainingStep::Finished> steps = step_.take();
    const double seconds = seconds_since(sums.start);
    for (const TrainingStep::Finished& step : steps) account(step, seconds, sums);
    if (!steps.empty()) show(sums);
}

void Trainer::account(const TrainingStep::Finished& step, double seconds, Sums& sums) {
    const auto& [place, numbers] = step;
    judged_ = step;
    step_.check(step);
    metrics_.add(numbers.metrics);
    sums.gradient_norm += numbers.gradient_norm;
    sums.correct += numbers.correct;
    sums.loss += numbers.loss * static_cast<double>(place.images);
    sums.images += place.images;
    ++sums.steps;
    const StepReport report{.step = steps_before_ + place.step,
                            .images = place.images,
                            .lr = place.lr,
                            .seconds = seconds,
                            .numbers = numbers};
    for (Observer* const observer : observers_) observer->on_step(*this, report);
}

void Trainer::show(const Sums& sums) {
    const std::int64_t steps = setup_.train.batches(sums.before), epochs_left = setup_.epochs - epoch_;
    const double step_seconds = seconds_since(sums.start) / static_cast<double>(sums.steps);
    const auto steps_left = static_cast<double>(steps - sums.steps + epochs_left * setup_.train.batches());
    const ProgressState state{
        .epoch = epoch_,
        .epochs = setup_.epochs,
        .step = sums.steps,
        .steps = steps,
        .loss = sums.mean_loss(),
        .accuracy = sums.accuracy(),
        .images_per_second = sums.images_per_second(),
        .seconds_left = steps_left * step_seconds + static_cast<double>(epochs_left + 1) * evaluation_seconds_};
    for (Observer* const observer : observers_) observer->on_progress(state);
}

}  // namespace radial::train
