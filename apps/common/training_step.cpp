// Submitting a step, as a graph where that can be, and judging what it came to.
#include "radial/apps/common/training_step.h"

#include "radial/core/autograd.h"
#include "radial/core/error.h"
#include "radial/core/metrics.h"
#include "radial/core/ops.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace radial::apps {
namespace {

constexpr std::int64_t steps_between_looks = 32;

void check_loss(double loss, const StepPlace& place) {
    if (std::isfinite(loss)) return;
    throw BadStep(fmt::format("the loss is {} {}. Lower --lr, or set --clip-norm 1", std::abs(loss), place.str()),
                  loss);
}

/// Weights that follow such a gradient are lost, whether or not it is clipped.
void check_norm(double norm, double loss, const StepPlace& place) {
    if (std::isfinite(norm)) return;
    throw BadStep(fmt::format("the gradient's norm is {}, {}. Lower --lr", std::abs(norm), place.str()), loss);
}

/// x * weight; x itself where that is the same.
Tensor weighted(const Tensor& x, double weight) { return weight == 1 ? x : x * weight; }

void add_to(Tensor& sum, const Tensor& x) { sum = sum.defined() ? sum + x : x; }

/// share * one + (1 - share) * other, all scalars.
Tensor mixture(const Tensor& one, const Tensor& other, const Tensor& share) {
    const Tensor part = cast(share.view(one.shape()), one.dtype());
    return part * one + (part * -1.0 + 1.0) * other;
}

/// In the order in which a forward pass reaches them, whatever groups the optimizer has.
std::vector<Tensor> all_parameters(const StepSetup& setup) {
    std::vector<Tensor> all = setup.model.parameters();
    for (const Tensor& parameter : setup.loss.parameters()) all.push_back(parameter);
    return all;
}

}  // namespace

std::string StepPlace::str() const { return fmt::format("at step {} of epoch {} (lr {})", step, epoch, lr); }

TrainingStep::TrainingStep(StepSetup setup, Progress& progress)
    : setup_(setup),
      progress_(progress),
      looks_at_each_(setup_.device.kind == Device::Kind::cpu),
      log_(setup_.device, looks_at_each_ ? 1 : steps_between_looks) {
    RADIAL_CHECK(setup_.graph != GraphUse::on || !looks_at_each_, "--graph on: a step on the CPU is not recorded");
    RADIAL_CHECK(setup_.accumulate >= 1, "--accumulate: {} parts of a batch, expected at least 1", setup_.accumulate);
    for (const ParameterGroup& group : setup_.optimizer.groups())
        parameters_.insert(parameters_.end(), group.parameters.begin(), group.parameters.end());
    if (setup_.ranks == nullptr || setup_.ranks->size() == 1) return;
    RADIAL_CHECK(setup_.graph != GraphUse::on, "--graph on: a step on several ranks is not recorded");
    setup_.graph = GraphUse::off;
    ranks_ = std::make_unique<RankStep>(*setup_.ranks, setup_.model, setup_.loss, all_parameters(setup_), setup_.device,
                                        setup_.rank_options);
}

void TrainingStep::run(const data::Batch& batch, const StepPlace& place) {
    setup_.optimizer.set_lr(place.lr);
    submitted_.push_back(place);
    const bool possible = !looks_at_each_ && setup_.graph != GraphUse::off;
    Recorded& recorded = recorded_[batch.other_labels.defined() ? 1 : 0];
    if (possible && !recorded.samples.images.defined()) {
        const auto on_device = [this](const Tensor& host) {
            return host.defined() ? Tensor::empty(host.shape(), host.dtype(), setup_.device, host.layout()) : Tensor();
        };
        recorded.samples = {on_device(batch.images), on_device(batch.labels), on_device(batch.other_labels),
                            on_device(batch.share)};
    }
    if (possible && batch.images.shape() == recorded.samples.images.shape()) {
        run_graph(recorded, batch);
    } else {  // an epoch's last batch may be smaller, and a graph has fixed shapes
        const auto moved = [this](const Tensor& host) { return host.defined() ? host.to(setup_.device) : Tensor(); };
        compute({moved(batch.images), moved(batch.labels), moved(batch.other_labels), moved(batch.share)});
    }
    log_.keep();
    if (setup_.average != nullptr) setup_.average->update();
}

void TrainingStep::run_graph(Recorded& recorded, const data::Batch& batch) {
    if (recorded.graph == nullptr)
        recorded.graph = std::make_unique<StepGraph>(setup_.device, [&] { compute(recorded.samples); });
    recorded.samples.images.copy_(batch.images);
    recorded.samples.labels.copy_(batch.labels);
    if (recorded.samples.mixed()) {
        recorded.samples.other_labels.copy_(batch.other_labels);
        recorded.samples.share.copy_(batch.share);
    }
    recorded.graph->run();
    if (recorded.graph->reason().empty() || graph_told_) return;
    RADIAL_CHECK(setup_.graph != GraphUse::on, "--graph on: {}", recorded.graph->reason());
    progress_.line("steps are not run as a graph: " + recorded.graph->reason());
    graph_told_ = true;
}

TrainingStep::Samples TrainingStep::Samples::rows(std::int64_t begin, std::int64_t end) const {
    return {images.rows(begin, end), labels.rows(begin, end), mixed() ? other_labels.rows(begin, end) : Tensor(),
            share};
}

// One step, without waiting on a device. What it computes there is what a graph records.
void TrainingStep::compute(const Samples& samples) {
    const std::int64_t count = samples.labels.numel();
    const std::int64_t part = (count + setup_.accumulate - 1) / setup_.accumulate;
    StepPlace& place = submitted_.back();
    if (ranks_ != nullptr) ranks_->begin(count, place.epoch, place.step);
    setup_.optimizer.zero_grad();
    RankNumbers whole;
    for (std::int64_t begin = 0; begin < count; begin += part) {
        const std::int64_t end = std::min(begin + part, count);
        // A part counts by its samples, so that the gradient is the mean over all of them.
        const double weight = static_cast<double>(end - begin) / static_cast<double>(count);
        RankNumbers judged = judge(weight == 1 ? samples : samples.rows(begin, end));
        const Tensor loss = weighted(judged.loss, weight);
        if (ranks_ != nullptr) {
            ranks_->backward(loss, end == count);
        } else {
            if (looks_at_each_) check_loss(loss.item(), place);
            loss.backward();
        }
        const NoGrad no_grad;
        add_to(whole.loss, loss.detach());
        if (judged.kernel.defined()) add_to(whole.kernel, weighted(judged.kernel, weight));
        add_to(whole.correct, judged.correct);
    }
    if (ranks_ != nullptr) {
        whole = ranks_->finish(whole);
        place.images = ranks_->samples();
        if (looks_at_each_) check_loss(whole.loss.item(), place);  // the same on every rank
    }
    log_.set_loss(whole.loss);
    log_.set_kernel(whole.kernel);
    log_.set_correct(whole.correct);
    log_.set_gradient_norm(clip(whole.loss));
    setup_.optimizer.step();
}

// A mixed image has two labels: loss, kernel and right predictions are by both, in the shares of the mixture.
RankNumbers TrainingStep::judge(const Samples& samples) {
    const Tensor feature = feature_of(setup_.model, samples.images, setup_.precision);
    RankNumbers judged{
        .loss = setup_.loss.forward(feature, samples.labels), .kernel = setup_.loss.mean_kernel(), .correct = {}};
    RankNumbers other;
    if (samples.mixed())
        other = {.loss = setup_.loss.forward(feature, samples.other_labels),
                 .kernel = setup_.loss.mean_kernel(),
                 .correct = {}};
    {
        const NoGrad no_grad;
        const Tensor predicted = argmax(setup_.loss.logits(feature.detach()));
        judged.correct = count_equal(predicted, samples.labels);
        if (samples.mixed()) other.correct = count_equal(predicted, samples.other_labels);
    }
    if (!samples.mixed()) return judged;
    judged.loss = mixture(judged.loss, other.loss, samples.share);
    const NoGrad no_grad;
    if (judged.kernel.defined()) judged.kernel = mixture(judged.kernel, other.kernel, samples.share);
    judged.correct = mixture(judged.correct, other.correct, samples.share);
    return judged;
}

// On the CPU what is not finite ends the step before the weights have changed.
Tensor TrainingStep::clip(const Tensor& loss) const {
    const bool clips = setup_.clip_norm > 0;
    if (!looks_at_each_ || !clips) {
        const double most = clips ? setup_.clip_norm : std::numeric_limits<double>::infinity();
        const Tensor norm = clip_gradients(parameters_, most);
        if (looks_at_each_) check_norm(norm.item(), loss.item(), submitted_.back());
        return norm;
    }
    try {
        return Tensor::full({}, clip_gradient_norm(parameters_, setup_.clip_norm), DType::float64, setup_.device);
    } catch (const NumericError& error) {
        throw BadStep(fmt::format("{}, {}. Lower --lr", error.what(), submitted_.back().str()), loss.item());
    }
}

bool TrainingStep::abandon() {
    submitted_.clear();
    return looks_at_each_ && ranks_ != nullptr && ranks_->undo();
}

std::vector<TrainingStep::Finished> TrainingStep::take() {
    const std::vector<StepNumbers> numbers = log_.take();
    const std::vector<StepPlace> places = std::exchange(submitted_, {});
    std::vector<Finished> steps;
    for (std::size_t i = 0; i < numbers.size(); ++i) steps.push_back({places[i], numbers[i]});
    return steps;
}

void TrainingStep::check(const Finished& step) const {
    check_loss(step.numbers.loss, step.place);
    check_norm(step.numbers.gradient_norm, step.numbers.loss, step.place);
}

}  // namespace radial::apps
