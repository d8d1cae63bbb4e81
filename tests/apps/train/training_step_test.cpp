// Tests of one training step: parts of a batch, mixed batches, averages of weights, and steps that fail.
#include "../../catch.h"
#include "../../data/scratch.h"
#include "../../expect.h"
#include "../../losses/every_loss.h"

#include "radial/apps/train/classifier.h"
#include "radial/apps/train/run/failed_step.h"
#include "radial/apps/train/run/snapshots.h"
#include "radial/apps/train/training_step.h"
#include "radial/core/io/safetensors.h"
#include "radial/core/optim/sgd.h"
#include "radial/core/tensor/random.h"
#include "radial/layers/linear.h"
#include "radial/layers/sequential.h"

#include <array>
#include <limits>

namespace radial::test {
namespace {

constexpr std::int64_t samples = 10;

/// A network without batch norms, its loss and its optimizer, on which run() performs one step.
class Stepper {
public:
    explicit Stepper(std::int64_t accumulate, double average_decay = -1, double clip_norm = 0,
                     const std::string& loss = "rbf-softmax", const std::vector<double>& class_weights = {},
                     const LossSettings& settings = {}) {
        manual_seed(4);
        loss_ = make_loss(loss, 3, 2, settings);
        loss_->set_class_weights(class_weights);
        model_.add<Flatten>().add<Linear>(LinearOptions{.in_features = 12, .out_features = 2});
        model_.to(default_device());
        loss_->to(default_device());
        std::vector<NamedTensor> state = model_.averaged_state();
        optimizer_ = std::make_unique<Sgd>(parameters(), SgdOptions{.lr = 1});
        if (average_decay >= 0) average_ = std::make_unique<WeightAverage>(state, average_decay);
        step_ = std::make_unique<train::TrainingStep>(train::StepSetup{.model = model_,
                                                                       .loss = *loss_,
                                                                       .optimizer = *optimizer_,
                                                                       .clip_norm = clip_norm,
                                                                       .average = average_.get(),
                                                                       .accumulate = accumulate,
                                                                       .device = default_device()});
    }
    std::vector<Tensor> parameters() {
        std::vector<Tensor> all = model_.parameters();
        for (const Tensor& parameter : loss_->parameters()) all.push_back(parameter);
        return all;
    }
    train::StepNumbers run(const data::Batch& batch) {
        step_->run(batch, {.epoch = 1, .step = 1, .images = samples, .lr = 0.5});
        const auto finished = step_->take();
        for (const auto& step : finished) step_->check(step);
        return finished.at(0).numbers;
    }
    Sequential& model() { return model_; }
    Loss& loss() { return *loss_; }
    WeightAverage& average() { return *average_; }

private:
    Sequential model_;
    std::unique_ptr<Loss> loss_;
    std::unique_ptr<Optimizer> optimizer_;
    std::unique_ptr<WeightAverage> average_;
    std::unique_ptr<train::TrainingStep> step_;
};

data::Batch batch_of(const std::vector<std::int64_t>& labels) {
    Generator generator(9);
    const Tensor images = Tensor::empty({samples, 3, 2, 2}, DType::float32, Device{});
    normal_(images, 0, 1, generator);
    data::Batch batch{.images = images, .labels = Tensor::from(labels, {samples}, Device{}), .indices = {}};
    for (std::int64_t i = 0; i < samples; ++i) batch.indices.push_back(i);
    return batch;
}

const std::vector<std::int64_t> some_labels{0, 1, 2, 0, 1, 2, 0, 1, 2, 0}, other_labels{1, 1, 0, 2, 2, 2, 0, 0, 1, 1};

}  // namespace

TEST_CASE("The parts of a batch add up to the whole batch's step, the last and smaller one too") {
    Stepper whole(1);
    const train::StepNumbers expected = whole.run(batch_of(some_labels));
    for (const std::int64_t parts : {2, 3, 4, 10, 25}) {
        Stepper stepper(parts);
        const train::StepNumbers numbers = stepper.run(batch_of(some_labels));
        CHECK(numbers.loss == Approx(expected.loss).epsilon(1e-6));
        CHECK(numbers.correct == expected.correct);
        CHECK(numbers.metric("mean_kernel").value() == Approx(expected.metric("mean_kernel").value()).epsilon(1e-6));
        CHECK(numbers.gradient_norm == Approx(expected.gradient_norm).epsilon(1e-5));
        const std::vector<Tensor> one = stepper.parameters(), other = whole.parameters();
        for (std::size_t i = 0; i < one.size(); ++i) CHECK(relative_difference(one[i], other[i]) < 1e-6);
    }
}

TEST_CASE("Parts come to the whole batch's step with every loss, with class weights where it has them") {
    for (const LossUnderTest& entry : every_loss()) {
        for (const std::vector<double>& weights : {std::vector<double>{}, std::vector<double>{3, 1, 0.25}}) {
            if (!weights.empty() && !make_loss(entry.expression, 3, 2)->has_class_weights()) continue;
            Stepper whole(1, -1, 0, entry.expression, weights);
            const std::array expected{whole.run(batch_of(some_labels)), whole.run(batch_of(other_labels))};
            for (const std::int64_t parts : {3, 10}) {
                INFO(entry.expression << " in " << parts << " parts" << (weights.empty() ? "" : ", weighted"));
                Stepper stepper(parts, -1, 0, entry.expression, weights);
                const std::array numbers{stepper.run(batch_of(some_labels)), stepper.run(batch_of(other_labels))};
                for (std::size_t i = 0; i < 2; ++i) {
                    CHECK(numbers[i].loss == Approx(expected[i].loss).epsilon(1e-4).margin(1e-6));
                    CHECK(numbers[i].correct == expected[i].correct);
                    CHECK(numbers[i].gradient_norm == Approx(expected[i].gradient_norm).epsilon(1e-3).margin(1e-6));
                }
                const std::vector<NamedTensor> one = stepper.loss().state(), other = whole.loss().state();
                for (std::size_t i = 0; i < one.size(); ++i) {
                    INFO(one[i].name);
                    CHECK(relative_difference(one[i].tensor, other[i].tensor) < 1e-3);
                }
            }
        }
    }
}

TEST_CASE("Normalised features have the whole batch's statistics, in however many parts it is computed") {
    const LossSettings settings{{"normalise", 1}};
    Stepper whole(1, -1, 0, "rbf-softmax", {}, settings);
    const train::StepNumbers expected = whole.run(batch_of(some_labels));
    for (const std::int64_t parts : {3, 10}) {
        Stepper stepper(parts, -1, 0, "rbf-softmax", {}, settings);
        const train::StepNumbers numbers = stepper.run(batch_of(some_labels));
        CHECK(numbers.loss == Approx(expected.loss).epsilon(1e-5));
        CHECK(numbers.correct == expected.correct);
        CHECK(numbers.metric("mean_kernel").value() == Approx(expected.metric("mean_kernel").value()).epsilon(1e-5));
        CHECK(numbers.gradient_norm == Approx(expected.gradient_norm).epsilon(1e-4));
        const std::vector<NamedTensor> one = stepper.loss().state(), other = whole.loss().state();
        for (std::size_t i = 0; i < one.size(); ++i) CHECK(relative_difference(one[i].tensor, other[i].tensor) < 1e-5);
    }
}

TEST_CASE("A mixed batch's parts count by both its labels' class weights") {
    data::Batch mixed = batch_of(some_labels);
    mixed.other_labels = batch_of(other_labels).labels;
    mixed.share = Tensor::full({}, 0.3, DType::float32, Device{});
    const train::StepNumbers whole = Stepper(1, -1, 0, "softmax", {3, 1, 0.25}).run(mixed),
                             parts = Stepper(4, -1, 0, "softmax", {3, 1, 0.25}).run(mixed);
    CHECK(parts.loss == Approx(whole.loss).epsilon(1e-5));
    CHECK(parts.gradient_norm == Approx(whole.gradient_norm).epsilon(1e-5));
}

TEST_CASE("A mixed batch's loss and metrics are those of both labels, in their shares, in one part or several") {
    const train::StepNumbers one = Stepper(1).run(batch_of(some_labels)),
                             other = Stepper(1).run(batch_of(other_labels));
    data::Batch mixed = batch_of(some_labels);
    mixed.other_labels = batch_of(other_labels).labels;
    mixed.share = Tensor::full({}, 0.3, DType::float32, Device{});
    for (const std::int64_t parts : {1, 3}) {
        const train::StepNumbers numbers = Stepper(parts).run(mixed);
        CHECK(numbers.loss == Approx(0.3 * one.loss + 0.7 * other.loss).epsilon(1e-5));
        CHECK(
            numbers.metric("mean_kernel").value() ==
            Approx(0.3 * one.metric("mean_kernel").value() + 0.7 * other.metric("mean_kernel").value()).epsilon(1e-5));
    }
}

TEST_CASE("An average of weights starts as they are, follows them, and takes their place for a while") {
    Stepper stepper(1, 0.5);
    const Tensor weight = stepper.model().parameters().at(0);
    const Tensor before = weight.clone();
    stepper.run(batch_of(some_labels));
    const auto first = before.to_vector<double>(), now = weight.to_vector<double>();
    {
        const UseAverage use(&stepper.average());
        const auto averaged = weight.to_vector<double>();
        // The decay at the first update is 2 / 11 (WeightAverage), because that is below 0.5.
        for (std::size_t i = 0; i < now.size(); ++i)
            CHECK(averaged[i] == Approx(first[i] * 2 / 11 + now[i] * 9 / 11).margin(1e-6));
    }
    CHECK(differences(weight.to_vector<double>(), now) == "");
}

TEST_CASE("Averages of weights go on from their saved state") {
    Stepper one(1, 0.9), other(1, 0.9);
    one.run(batch_of(some_labels));
    other.average().load_state(one.average().state());
    other.model().load_state(one.model().state());
    one.average().update();
    other.average().update();
    const auto a = one.average().state(), b = other.average().state();
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i)
        CHECK(differences(a[i].tensor.to_vector<double>(), b[i].tensor.to_vector<double>()) == "");
    CHECK(error_of([&] { WeightAverage({}, 1.0); }) == "weight average: decay is 1, expected at least 0 and below 1");
}

TEST_CASE("A snapshot with averages of counters and flags, which older ones hold, is read without these", "[host]") {
    const Scratch scratch;
    train::Classifier classifier =
        train::build_classifier({.model = "lenetpp", .dim = 2, .loss = "triplet", .loss_settings = {}, .classes = 3});
    const auto averages = [&](bool older) {
        std::vector<NamedTensor> tensors;
        for (const auto& [name, tensor] : classifier.model->averaged_state())
            tensors.push_back({"model." + name, tensor});
        for (const auto& [name, tensor] : older ? classifier.loss->state() : classifier.loss->averaged_state())
            tensors.push_back({"loss." + name, tensor});
        return WeightAverage(std::move(tensors), 0.9);
    };
    const Sgd optimizer(classifier.parameters(), {.lr = 0.1});
    WeightAverage written = averages(true), read = averages(false);
    classifier.loss->forward(Tensor::full({2, 2}, 1.0), Tensor::from(std::vector<std::int64_t>{0, 2}, {2}));
    written.update();
    const train::Snapshots snapshots(scratch.path(), 1);
    snapshots.save(1, classifier, optimizer, {}, &written);
    Sgd other(classifier.parameters(), {.lr = 0.1});
    train::load_snapshot(snapshots.files().at(0), classifier, other, &read);
    const UseAverage use(&read);
    for (const auto& [name, tensor] : classifier.loss->state())
        if (name == "means.seen") CHECK(tensor.to_vector<double>() == std::vector<double>{1, 0, 1});
}

TEST_CASE("A gradient that is not finite ends the run, whether or not gradients are clipped") {
    data::Batch batch = batch_of(some_labels);
    batch.images.values<float>()[5] = std::numeric_limits<float>::infinity();
    for (const double clip_norm : {0.0, 1.0}) CHECK_THROWS_AS(Stepper(1, -1, clip_norm).run(batch), NumericError);
}

TEST_CASE("A failed step's file holds its batch and its numbers", "[host]") {
    const Scratch scratch;
    train::FailedStep failed{.number = 12,
                             .epoch = 2,
                             .step = 3,
                             .lr = 0.5,
                             .loss = INFINITY,
                             .reason = "it is over",
                             .batch = batch_of(some_labels)};
    failed.batch.other_labels = batch_of(other_labels).labels;
    failed.batch.share = Tensor::full({}, 0.25, DType::float32, Device{});
    const auto path = train::save_failed_step(scratch.path(), failed);
    CHECK(path.filename() == "failed-step-12.safetensors");
    const TensorFile file = read_safetensors(path);
    CHECK(differences(file.at("images").to_vector<float>(), failed.batch.images.to_vector<float>()) == "");
    CHECK(differences(file.at("labels").to_vector<std::int64_t>(), some_labels) == "");
    CHECK(differences(file.at("other_labels").to_vector<std::int64_t>(), other_labels) == "");
    CHECK(file.at("share").item() == 0.25);
    CHECK(differences(file.at("indices").to_vector<std::int64_t>(), failed.batch.indices) == "");
    CHECK(file.metadata.at("loss") == "inf");
    CHECK(file.metadata.at("step_of_epoch") == "3");
    CHECK(file.metadata.at("reason") == "it is over");
}

}  // namespace radial::test
