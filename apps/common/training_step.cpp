// Submitting a step, as a graph where that can be, and judging what it came to.
#include "radial/apps/common/training_step.h"

#include "radial/core/autograd.h"
#include "radial/core/error.h"
#include "radial/core/metrics.h"
#include "radial/core/ops.h"

#include <cmath>
#include <limits>
#include <utility>

namespace radial::apps {
namespace {

constexpr std::int64_t steps_between_looks = 32;

void check_loss(double loss, const StepPlace& place) {
    if (std::isfinite(loss)) return;
    throw NumericError(fmt::format("the loss is {} {}. Lower --lr, or set --clip-norm 1", std::abs(loss), place.str()));
}

}  // namespace

std::string StepPlace::str() const { return fmt::format("at step {} of epoch {} (lr {})", step, epoch, lr); }

TrainingStep::TrainingStep(StepSetup setup, Progress& progress)
    : setup_(std::move(setup)),
      progress_(progress),
      looks_at_each_(setup_.device.kind == Device::Kind::cpu),
      log_(setup_.device, looks_at_each_ ? 1 : steps_between_looks) {
    RADIAL_CHECK(setup_.graph != GraphUse::on || !looks_at_each_, "--graph on: a step on the CPU is not recorded");
    for (const ParameterGroup& group : setup_.optimizer.groups())
        parameters_.insert(parameters_.end(), group.parameters.begin(), group.parameters.end());
}

void TrainingStep::run(const data::Batch& batch, const StepPlace& place) {
    setup_.optimizer.set_lr(place.lr);
    submitted_.push_back(place);
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
}

void TrainingStep::run_graph(const data::Batch& batch) {
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
void TrainingStep::compute(const Tensor& images, const Tensor& labels) {
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

Tensor TrainingStep::clip() const {
    if (setup_.clip_norm <= 0) return clip_gradients(parameters_, std::numeric_limits<double>::infinity());
    if (!looks_at_each_) return clip_gradients(parameters_, setup_.clip_norm);
    try {
        return Tensor::full({}, clip_gradient_norm(parameters_, setup_.clip_norm), DType::float64, setup_.device);
    } catch (const NumericError& error) {
        throw NumericError(fmt::format("{}, {}. Lower --lr", error.what(), submitted_.back().str()));
    }
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
    const double norm = step.numbers.gradient_norm;
    if (setup_.clip_norm <= 0 || std::isfinite(norm)) return;
    throw NumericError(
        fmt::format("clip_gradient_norm: the norm is {}, {}. Lower --lr", std::abs(norm), step.place.str()));
}

}  // namespace radial::apps
