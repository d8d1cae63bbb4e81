// One training step after another: forward, loss, backward, clip, update.
#include "radial/apps/common/trainer.h"

#include "radial/core/autograd.h"
#include "radial/core/error.h"
#include "radial/core/memory/allocator.h"
#include "radial/core/metrics.h"
#include "radial/core/ops.h"

#include <cmath>
#include <limits>
#include <utility>

namespace radial::apps {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// FNV-1a over 64-bit words.
void digest(std::uint64_t& hash, std::span<const std::int64_t> values) {
    for (const std::int64_t value : values) hash = (hash ^ static_cast<std::uint64_t>(value)) * 0x100000001B3;
}

constexpr std::int64_t steps_between_looks = 32;

}  // namespace

/// Totals over an epoch's steps.
struct Trainer::Sums {
    Clock::time_point start = Clock::now();
    std::int64_t submitted = 0;          ///< steps
    std::int64_t steps = 0, images = 0;  ///< that the host has looked at, as all below
    double correct = 0;
    double loss = 0;           ///< times images
    double gradient_norm = 0;  ///< over steps
    double lr = 0;             ///< at the last step
    std::uint64_t order = 0xCBF29CE484222325;

    double mean_loss() const { return loss / static_cast<double>(images); }
    double accuracy() const { return correct / static_cast<double>(images); }
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

EpochResult epoch_result(const nlohmann::ordered_json& line) {
    const auto or_nothing = [&](const char* key) {
        return line.at(key).is_null() ? std::nullopt : std::optional<double>(line.at(key).get<double>());
    };
    return {.epoch = line.at("epoch"),
            .train_loss = line.at("train_loss"),
            .train_accuracy = line.at("train_accuracy"),
            .test_loss = line.at("test_loss"),
            .test_accuracy = line.at("test_accuracy"),
            .best_accuracy = line.at("best_accuracy"),
            .best_epoch = line.at("best_epoch"),
            .mean_kernel = or_nothing("mean_kernel"),
            .initial_mean_kernel = or_nothing("initial_mean_kernel"),
            .images_per_second = line.at("images_per_second"),
            .seconds = line.at("seconds"),
            .lr = line.at("lr"),
            .gradient_norm = line.at("gradient_norm"),
            .peak_bytes = line.at("peak_bytes"),
            .order = line.at("order")};
}

Trainer::Trainer(TrainerSetup setup, Progress& progress)
    : setup_(std::move(setup)),
      progress_(progress),
      kernel_(setup_.allow_dead_kernel),
      looks_at_each_(setup_.device.kind == Device::Kind::cpu),
      log_(setup_.device, looks_at_each_ ? 1 : steps_between_looks) {
    RADIAL_CHECK(setup_.graph != GraphUse::on || !looks_at_each_, "--graph on: a step on the CPU is not recorded");
    for (const ParameterGroup& group : setup_.optimizer.groups())
        parameters_.insert(parameters_.end(), group.parameters.begin(), group.parameters.end());
}

Trainer::~Trainer() = default;

EpochResult Trainer::run_epoch() {
    if (sums_ == nullptr) {
        ++epoch_;
        sums_ = std::make_unique<Sums>();
    }
    Sums& sums = *sums_;
    setup_.model.train();
    setup_.loss.train();
    reset_peak_memory(setup_.device);
    setup_.train.start(epoch_ - 1, sums.submitted);
    while (const auto batch = setup_.train.next()) {
        submit(*batch, sums);
        if (setup_.between_steps) setup_.between_steps(*this);
    }
    look(sums);
    RADIAL_CHECK(sums.images > 0, "training: the data set holds no samples");
    EpochResult result{.epoch = epoch_,
                       .train_loss = sums.mean_loss(),
                       .train_accuracy = sums.accuracy(),
                       .mean_kernel = kernel_.end_epoch(),
                       .initial_mean_kernel = kernel_.initial(),
                       .images_per_second = sums.images_per_second(),
                       .lr = sums.lr,
                       .gradient_norm = sums.gradient_norm / static_cast<double>(sums.steps),
                       .order = fmt::format("{:016x}", sums.order)};
    const Clock::time_point evaluation_start = Clock::now();
    evaluation_ =
        evaluate(setup_.model, setup_.loss, setup_.test, setup_.device, setup_.keep_features, setup_.precision);
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
    sums_.reset();
    return result;
}

nlohmann::ordered_json Trainer::state() {
    nlohmann::ordered_json state{{"epoch", epoch_}, {"history", nlohmann::ordered_json::array()}};
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
    state["kernel"] = kernel_.state();
    return state;
}

void Trainer::restore(const nlohmann::ordered_json& state) {
    epoch_ = state.at("epoch");
    history_.clear();
    for (const auto& line : state.at("history")) history_.push_back(epoch_result(line));
    kernel_.restore(state.at("kernel"));
    sums_.reset();
    if (!state.contains("sums")) return;
    const auto& sums = state.at("sums");
    sums_ = std::make_unique<Sums>();
    sums_->start -=
        std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(sums.at("seconds").get<double>()));
    sums_->steps = sums_->submitted = sums.at("steps");
    sums_->images = sums.at("images");
    sums_->correct = sums.at("correct");
    sums_->loss = sums.at("loss");
    sums_->gradient_norm = sums.at("gradient_norm");
    sums_->lr = sums.at("lr");
    sums_->order = sums.at("order");
}

std::int64_t Trainer::steps() const {
    const std::int64_t finished = std::ssize(history_) * setup_.train.batches();
    return finished + (sums_ != nullptr ? sums_->submitted : 0);
}

void Trainer::submit(const data::Batch& batch, Sums& sums) {
    const auto epochs_done = static_cast<double>(epoch_ - 1);
    const double part = static_cast<double>(sums.submitted) / static_cast<double>(setup_.train.batches());
    setup_.optimizer.set_lr(setup_.schedule(epochs_done + part));
    sums.lr = setup_.optimizer.lr();
    submitted_.push_back({++sums.submitted, batch.labels.numel(), sums.lr});

    const bool possible = !looks_at_each_ && setup_.graph != GraphUse::off;
    if (possible && !images_.defined()) {
        images_ = Tensor::empty(batch.images.shape(), batch.images.dtype(), setup_.device, batch.images.layout());
        labels_ = Tensor::empty(batch.labels.shape(), batch.labels.dtype(), setup_.device);
    }
    if (possible && batch.images.shape() == images_.shape())
        run_graph(batch);
    else  // an epoch's last batch may be smaller, and a graph has fixed shapes
        compute(batch.images.to(setup_.device), batch.labels.to(setup_.device));
    log_.keep();
    digest(sums.order, batch.indices);
    const bool first = epoch_ == 1 && sums.submitted == 1;  // what is wrong from the start is told at once
    if (log_.full() || first) look(sums);
}

void Trainer::run_graph(const data::Batch& batch) {
    if (graph_ == nullptr) graph_ = std::make_unique<StepGraph>(setup_.device, [this] { compute(images_, labels_); });
    images_.copy_(batch.images);
    labels_.copy_(batch.labels);
    graph_->run();
    if (graph_->reason().empty() || graph_told_) return;
    RADIAL_CHECK(setup_.graph != GraphUse::on, "--graph on: {}", graph_->reason());
    progress_.line("steps are not run as a graph: " + graph_->reason());
    graph_told_ = true;
}

// One step, without waiting on a device. What it computes there is what a graph records.
void Trainer::compute(const Tensor& images, const Tensor& labels) {
    const Tensor feature = feature_of(setup_.model, images, setup_.precision);
    const Tensor loss = setup_.loss.forward(feature, labels);
    log_.set_loss(loss);
    log_.set_kernel(setup_.loss.mean_kernel());
    if (looks_at_each_) check_loss(loss.item(), submitted_.back());
    {
        const NoGrad no_grad;
        log_.set_correct(count_equal(argmax(setup_.loss.logits(feature.detach())), labels));
    }
    setup_.optimizer.zero_grad();
    loss.backward();
    log_.set_gradient_norm(clip());
    setup_.optimizer.step();
}

Tensor Trainer::clip() const {
    if (setup_.clip_norm <= 0) return clip_gradients(parameters_, std::numeric_limits<double>::infinity());
    if (!looks_at_each_) return clip_gradients(parameters_, setup_.clip_norm);
    try {
        return Tensor::full({}, clip_gradient_norm(parameters_, setup_.clip_norm), DType::float64, setup_.device);
    } catch (const NumericError& error) {
        throw NumericError(fmt::format("{}, {}. Lower --lr", error.what(), place(submitted_.back())));
    }
}

// Reads what the steps since the last look came to.
void Trainer::look(Sums& sums) {
    const std::vector<StepNumbers> numbers = log_.take();
    const std::vector<Submitted> steps = std::exchange(submitted_, {});
    for (std::size_t i = 0; i < numbers.size(); ++i) account(steps[i], numbers[i], sums);
    if (!numbers.empty()) show(sums);
}

void Trainer::account(const Submitted& step, const StepNumbers& numbers, Sums& sums) {
    check_loss(numbers.loss, step);
    if (numbers.kernel && epoch_ == 1 && step.step == 1) {
        progress_.line(fmt::format("mean kernel at the first step: {:.3g}", *numbers.kernel));
        if (*numbers.kernel < dead_kernel) progress_.line("warning: " + dead_kernel_message(*numbers.kernel, 0));
    }
    kernel_.add(numbers.kernel);
    if (setup_.clip_norm > 0 && !std::isfinite(numbers.gradient_norm)) {
        throw NumericError(fmt::format("clip_gradient_norm: the norm is {}, {}. Lower --lr",
                                       std::abs(numbers.gradient_norm), place(step)));
    }
    sums.gradient_norm += numbers.gradient_norm;
    sums.correct += numbers.correct;
    sums.loss += numbers.loss * static_cast<double>(step.images);
    sums.images += step.images;
    ++sums.steps;
}

void Trainer::check_loss(double loss, const Submitted& step) const {
    if (std::isfinite(loss)) return;
    throw NumericError(fmt::format("the loss is {} {}. Lower --lr, or set --clip-norm 1", std::abs(loss), place(step)));
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

std::string Trainer::place(const Submitted& step) const {
    return fmt::format("at step {} of epoch {} (lr {})", step.step, epoch_, step.lr);
}

}  // namespace radial::apps
