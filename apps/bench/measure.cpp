// Wall-clock timing, resident memory, and the training step: its model, loss, optimizer and batch.
#include "radial/apps/bench/bench.h"

#include "radial/core/autograd/autograd.h"
#include "radial/core/optim/sgd.h"
#include "radial/core/tensor/random.h"
#include "radial/models/cost.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace radial::bench {
namespace {

double quantile(const std::vector<double>& sorted, double q) {
    const double place = q * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

StepSetup completed(StepSetup setup) {
    const ModelInfo& info = train::model_named(setup.model);
    if (setup.dim == 0) setup.dim = info.dim;
    if (setup.image == 0) setup.image = info.image[1];
    if (setup.classes == 0) setup.classes = info.classes;
    return setup;
}

/// A batch of noise. The content of the images does not affect the timing, as long as the values are ordinary numbers.
Tensor noise(const Shape& shape, Device device) {
    const Tensor images = Tensor::empty(shape, DType::float32, device);
    normal_(images, 0, 1);
    return images;
}

Tensor labels_in_turn(std::int64_t batch, std::int64_t classes, Device device) {
    std::vector<std::int64_t> labels(static_cast<std::size_t>(batch));
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int64_t>(i) % classes;
    return Tensor::from(labels, {batch}, device);
}

}  // namespace

Times summarise(std::vector<double> milliseconds) {
    std::sort(milliseconds.begin(), milliseconds.end());
    return {.median = quantile(milliseconds, 0.5),
            .minimum = milliseconds.front(),
            .lower_quartile = quantile(milliseconds, 0.25),
            .upper_quartile = quantile(milliseconds, 0.75)};
}

Times measure(const std::function<void()>& work, std::int64_t warmup, std::int64_t repeats) {
    for (std::int64_t i = 0; i < warmup; ++i) work();
    std::vector<double> milliseconds;
    for (std::int64_t i = 0; i < repeats; ++i) {
        const auto start = std::chrono::steady_clock::now();
        work();
        const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
        milliseconds.push_back(elapsed.count());
    }
    return summarise(std::move(milliseconds));
}

std::int64_t peak_resident_bytes() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss * std::int64_t{1024};
}

TrainingStep::TrainingStep(StepSetup setup)
    : setup_(completed(std::move(setup))), device_(Device::parse(setup_.device)), precision_(setup_.precision) {
    RADIAL_CHECK(setup_.graph == "on" || setup_.graph == "off", "--graph is '{}', expected on or off", setup_.graph);
    train::use_precision(precision_, device_);
    classifier_ = train::build_classifier({.model = setup_.model,
                                           .model_settings = setup_.model_settings,
                                           .dim = setup_.dim,
                                           .loss = setup_.loss,
                                           .loss_settings = setup_.loss_settings,
                                           .classes = setup_.classes});
    classifier_.model->to(device_);
    classifier_.loss->to(device_);
    if (setup_.evaluate) {
        RADIAL_CHECK(setup_.graph == "off", "--evaluate: there is no graph to record, expected --graph off");
        classifier_.model->eval();
        classifier_.loss->eval();
    }
    optimizer_ = std::make_unique<Sgd>(classifier_.parameters(), SgdOptions{.lr = 0.001, .momentum = 0.9});
    const std::int64_t channels = train::model_named(setup_.model).image[0];
    images_ = noise({setup_.batch, channels, setup_.image, setup_.image}, device_);
    labels_ = labels_in_turn(setup_.batch, setup_.classes, device_);
    if (setup_.graph == "on") graph_ = std::make_unique<StepGraph>(device_, [this] { step(); });
}

void TrainingStep::set_batch(const Tensor& images, const Tensor& labels) {
    RADIAL_CHECK(graph_ == nullptr, "TrainingStep: a recorded step keeps its batch");
    images_ = images.to(device_);
    labels_ = labels.to(device_);
}

void TrainingStep::run() {
    if (graph_ == nullptr) return step();
    graph_->run();
    RADIAL_CHECK(graph_->reason().empty(), "--graph on: {}", graph_->reason());
}

void TrainingStep::evaluate() {
    const NoGrad guard;
    const Tensor feature = train::feature_of(*classifier_.model, images_, precision_);
    loss_ = classifier_.loss->forward(feature, labels_);
}

void TrainingStep::step() {
    if (setup_.evaluate) return evaluate();
    optimizer_->zero_grad();
    const Tensor feature = train::feature_of(*classifier_.model, images_, precision_);
    const Tensor loss = classifier_.loss->forward(feature, labels_);
    loss.backward();
    optimizer_->step();
    loss_ = loss.detach();
}

double TrainingStep::flops() const {
    // 2 operations per multiply-add: once forward, once for the gradient of the weights, and once for the gradient of
    // the input, which is not computed for the images. The multiply-adds of the head are the products of the feature
    // with one vector per class.
    const double passes = setup_.evaluate ? 1 : 3;
    double total = 2 * passes * static_cast<double>(setup_.dim * setup_.classes);
    bool first = true;
    for (const LayerCost& layer :
         layer_costs(*classifier_.model, {images_.size(1), images_.size(2), images_.size(3)})) {
        if (layer.multiply_adds == 0) continue;
        total += 2 * (first && !setup_.evaluate ? passes - 1 : passes) * static_cast<double>(layer.products());
        first = false;
    }
    return total * static_cast<double>(setup_.batch);
}

}  // namespace radial::bench
