// Runs a training step, as a CUDA graph if possible, and checks its results.
#include "radial/apps/train/training_step.h"

#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"
#include "radial/core/optim/clip.h"
#include "radial/core/util/error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace radial::train {
namespace {

constexpr std::int64_t steps_between_looks = 32;

void check_loss(double loss, const StepPlace& place) {
    if (std::isfinite(loss)) return;
    throw BadStep(fmt::format("the loss is {} {}. Lower the learning rate, or clip the gradient's norm at 1",
                              std::abs(loss), place.str()),
                  loss);
}

/// Throws BadStep unless the norm is finite. An update with an infinite or NaN gradient would ruin the weights, even if
/// the gradient were clipped.
void check_norm(double norm, double loss, const StepPlace& place) {
    if (std::isfinite(norm)) return;
    throw BadStep(fmt::format("the gradient's norm is {}, {}. Lower the learning rate", std::abs(norm), place.str()),
                  loss);
}

/// x * weight, or x itself if the weight is 1.
Tensor weighted(const Tensor& x, double weight) { return weight == 1 ? x : x * weight; }

void add_to(Tensor& sum, const Tensor& x) { sum = sum.defined() ? sum + x : x; }

/// share * one + (1 - share) * other, all scalars.
Tensor mixture(const Tensor& one, const Tensor& other, const Tensor& share) {
    const Tensor part = cast(share.view(one.shape()), one.dtype());
    return part * one + (part * -1.0 + 1.0) * other;
}

/// The metrics of the last forward(), multiplied by `share`.
std::vector<LossMetric> metrics_of(const Loss& loss, double share, Device device) {
    const NoGrad no_grad;
    std::vector<LossMetric> metrics = loss.metrics();
    for (LossMetric& metric : metrics) {
        const Tensor& value = metric.value;
        RADIAL_CHECK(value.defined() && value.numel() == 1 && value.device() == device,
                     "the loss's metric \"{}\" is {}, expected a scalar on {}", metric.name,
                     value.defined() ? fmt::format("{} on {}", value.str(), value.device().str()) : "undefined",
                     device.str());
        metric.value = weighted(value.detach(), share);
    }
    return metrics;
}

/// Replaces each metric x by combined(x, y), where y is the metric of the same name in `others`. Throws Error when the
/// names differ, that is, when the loss reported other metrics in another forward pass of the step.
template <class F>
void combine(std::vector<LossMetric>& metrics, const std::vector<LossMetric>& others, const F& combined) {
    const bool same = std::ranges::equal(metrics, others, {}, &LossMetric::name, &LossMetric::name);
    RADIAL_CHECK(same,
                 "the loss has {} metrics after one forward pass and {} after another of the same step, expected "
                 "the same ones",
                 metrics.size(), others.size());
    for (std::size_t i = 0; i < metrics.size(); ++i) metrics[i].value = combined(metrics[i].value, others[i].value);
}

/// All parameters that are not frozen, in the order of a forward pass, regardless of the optimizer's groups.
std::vector<Tensor> all_parameters(const StepSetup& setup) {
    std::vector<Tensor> all = setup.model.parameters();
    for (const Tensor& parameter : setup.loss.parameters()) all.push_back(parameter);
    std::erase_if(all, [](const Tensor& parameter) { return !parameter.requires_grad(); });
    return all;
}

}  // namespace

std::string StepPlace::str() const { return fmt::format("at step {} of epoch {} (lr {})", step, epoch, lr); }

TrainingStep::TrainingStep(StepSetup setup, std::function<void(const std::string&)> note)
    : setup_(setup),
      note_(std::move(note)),
      looks_at_each_(setup_.device.kind == Device::Kind::cpu),
      log_(setup_.device, looks_at_each_ ? 1 : steps_between_looks) {
    RADIAL_CHECK(setup_.graph != GraphUse::on || !looks_at_each_, "a step on the CPU cannot run as a graph");
    RADIAL_CHECK(setup_.accumulate >= 1, "a batch is cut into {} parts, expected at least 1", setup_.accumulate);
    for (const ParameterGroup& group : setup_.optimizer.groups())
        parameters_.insert(parameters_.end(), group.parameters.begin(), group.parameters.end());
    if (setup_.ranks == nullptr || setup_.ranks->size() == 1) return;
    RADIAL_CHECK(setup_.graph != GraphUse::on, "a step on several ranks cannot run as a graph");
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
    } else {  // the last batch of an epoch may be smaller, and a graph has fixed shapes
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
    RADIAL_CHECK(setup_.graph != GraphUse::on, "steps cannot run as a graph: {}", recorded.graph->reason());
    if (note_) note_("steps are not run as a graph: " + recorded.graph->reason());
    graph_told_ = true;
}

TrainingStep::Samples TrainingStep::Samples::rows(std::int64_t begin, std::int64_t end) const {
    return {images.rows(begin, end), labels.rows(begin, end), mixed() ? other_labels.rows(begin, end) : Tensor(),
            share};
}

// Runs one step without waiting for a device. A graph records the work that this function submits to the device.
void TrainingStep::compute(const Samples& samples) {
    const std::int64_t count = samples.labels.size(0);
    const std::int64_t part = (count + setup_.accumulate - 1) / setup_.accumulate;
    StepPlace& place = submitted_.back();
    if (ranks_ != nullptr) ranks_->begin(count, place.epoch, place.step);
    setup_.optimizer.zero_grad();
    RankNumbers whole = part == count || setup_.loss.additive() ? in_parts(samples, part) : at_once(samples, part);
    if (ranks_ != nullptr) {
        whole = ranks_->finish(whole);
        place.images = ranks_->samples();
        if (looks_at_each_) check_loss(whole.loss.item(), place);  // the same loss, so all ranks throw or none
    }
    log_.set_metrics(whole.metrics);
    log_.set_loss(whole.loss);
    log_.set_correct(whole.correct);
    log_.set_gradient_norm(clip(whole.loss));
    setup_.optimizer.step();
}

// The losses of the parts add up to the loss of the batch, so each part can be differentiated on its own.
RankNumbers TrainingStep::in_parts(const Samples& samples, std::int64_t part) {
    const std::int64_t count = samples.labels.size(0);
    const Whole whole = whole_of(samples);
    RankNumbers sums;
    for (std::int64_t begin = 0; begin < count; begin += part) {
        const std::int64_t end = std::min(begin + part, count);
        const Samples some = part == count ? samples : samples.rows(begin, end);
        const RankNumbers judged = judge(feature_of(some.images), some, whole);
        differentiate(judged.loss, end == count ? Sending::meanwhile : Sending::none);
        const NoGrad no_grad;
        add_to(sums.loss, judged.loss.detach());
        add_to(sums.correct, judged.correct);
        if (begin == 0)
            sums.metrics = judged.metrics;
        else
            combine(sums.metrics, judged.metrics, [](const Tensor& sum, const Tensor& more) { return sum + more; });
    }
    return sums;
}

// Runs a step with a loss that needs the whole batch. The features of all parts, which are small, are passed to the
// loss at once. The network keeps no activations; each part is recomputed in the backward pass.
RankNumbers TrainingStep::at_once(const Samples& samples, std::int64_t part) {
    const std::int64_t count = samples.labels.size(0);
    const std::vector<Tensor> parameters = setup_.model.parameters();
    std::vector<Tensor> features;
    for (std::int64_t begin = 0; begin < count; begin += part) {
        features.push_back(recompute([this](const Tensor& images) { return feature_of(images); },
                                     samples.images.rows(begin, std::min(begin + part, count)), parameters));
    }
    RankNumbers judged = judge(concat(features, 0), samples, whole_of(samples));
    differentiate(judged.loss, Sending::afterwards);
    judged.loss = judged.loss.detach();
    return judged;
}

void TrainingStep::differentiate(const Tensor& loss, Sending sending) {
    if (ranks_ != nullptr) return ranks_->backward(loss, sending);
    if (looks_at_each_) check_loss(loss.item(), submitted_.back());
    loss.backward();
}

TrainingStep::Whole TrainingStep::whole_of(const Samples& samples) const {
    const auto weight_of = [this](const Tensor& labels) {
        Tensor weight = labels.defined() ? setup_.loss.batch_weight(labels) : Tensor();
        if (weight.defined() && ranks_ != nullptr) setup_.ranks->sum(weight);
        return weight;
    };
    return {.samples = samples.labels.size(0),
            .weight = weight_of(samples.labels),
            .other_weight = weight_of(samples.other_labels)};
}

Tensor TrainingStep::feature_of(const Tensor& images) const {
    return train::feature_of(setup_.model, images, setup_.precision);
}

// A mixed image has two labels. The loss, the metrics and the number of correct predictions are computed for both and
// averaged, weighted by the shares of the mixture.
RankNumbers TrainingStep::judge(const Tensor& feature, const Samples& samples, const Whole& whole) {
    RankNumbers judged = judge_by(feature, samples.labels, whole.weight, whole.samples), other;
    if (samples.mixed()) other = judge_by(feature, samples.other_labels, whole.other_weight, whole.samples);
    if (!data::are_classes(samples.labels)) {
        judged.correct = Tensor::full({}, std::numeric_limits<double>::quiet_NaN(), DType::float64, setup_.device);
    } else {
        const NoGrad no_grad;
        const Tensor predicted = argmax(setup_.loss.logits(feature.detach()));
        judged.correct = count_equal(predicted, samples.labels);
        if (samples.mixed()) other.correct = count_equal(predicted, samples.other_labels);
    }
    if (!samples.mixed()) return judged;
    judged.loss = mixture(judged.loss, other.loss, samples.share);
    const NoGrad no_grad;
    combine(judged.metrics, other.metrics,
            [&](const Tensor& one, const Tensor& two) { return mixture(one, two, samples.share); });
    judged.correct = mixture(judged.correct, other.correct, samples.share);
    return judged;
}

// Returns the loss and the metrics for these labels, multiplied by the part's share of the whole batch, so that their
// sums over all parts and ranks are the values of the whole batch. `weight` is the weight of the whole batch's labels,
// and `own` the number of the batch's samples on this rank.
RankNumbers TrainingStep::judge_by(const Tensor& feature, const Tensor& labels, const Tensor& weight,
                                   std::int64_t own) {
    Tensor loss = setup_.loss.forward(feature, labels);
    const std::int64_t all = ranks_ == nullptr ? own : ranks_->samples();
    const double share = static_cast<double>(labels.size(0)) / static_cast<double>(all);
    std::vector<LossMetric> metrics = metrics_of(setup_.loss, share, setup_.device);
    if (share == 1) return {.loss = loss, .correct = {}, .metrics = std::move(metrics)};
    if (!weight.defined()) return {.loss = weighted(loss, share), .correct = {}, .metrics = std::move(metrics)};
    const Tensor part = setup_.loss.batch_weight(labels) / (weight + std::numeric_limits<double>::min());
    return {.loss = loss * cast(part.view(loss.shape()), loss.dtype()), .correct = {}, .metrics = std::move(metrics)};
}

// Clips the gradients and returns their norm before clipping. On the CPU, throws BadStep if the norm is not finite, so
// that the weights do not change.
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
        throw BadStep(fmt::format("{}, {}. Lower the learning rate", error.what(), submitted_.back().str()),
                      loss.item());
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

}  // namespace radial::train
