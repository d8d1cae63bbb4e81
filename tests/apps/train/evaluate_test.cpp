// Tests of the values that an evaluation keeps for each sample, and of merging the evaluations of ranks.
#include "radial/apps/train/evaluate.h"
#include "../../expect.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/distributed/communicator.h"
#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/layers/linear.h"
#include "radial/layers/sequential.h"

#include <array>
#include <barrier>
#include <cmath>
#include <cstring>
#include <functional>
#include <set>
#include <span>
#include <thread>
#include <utility>

namespace radial::test {
namespace {

constexpr std::int64_t classes = 3, samples = 11, batch = 4;

/// Images of 1 by 2 pixels. The network returns the pixels as the feature.
data::ImageSet pairs_of_pixels() {
    Generator generator(5);
    std::vector<std::uint8_t> pixels;
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < samples; ++i) {
        labels.push_back(i % classes);
        for (int p = 0; p < 2; ++p) pixels.push_back(static_cast<std::uint8_t>(generator.below(256)));
    }
    return {
        Tensor::from(pixels, {samples, 1, 1, 2}, Device{}), Tensor::from(labels, {samples}, Device{}), {"a", "b", "c"}};
}

struct Evaluated {
    std::unique_ptr<Loss> loss;
    train::Evaluation evaluation;
    std::vector<double> features, prototypes;

    /// The squared distance of a sample to a prototype.
    double distance(std::int64_t sample, std::int64_t prototype) const {
        double sum = 0;
        for (std::int64_t d = 0; d < 2; ++d) {
            const double gap = features[static_cast<std::size_t>(2 * sample + d)] -
                               prototypes[static_cast<std::size_t>(2 * prototype + d)];
            sum += gap * gap;
        }
        return sum;
    }
    /// The smallest squared distance of a sample to the prototypes of its own class if `own`, otherwise to those of the
    /// other classes.
    double nearest(std::int64_t sample, bool own) const {
        const auto count = static_cast<std::int64_t>(prototypes.size()) / 2, each = count / classes;
        double least = HUGE_VAL;
        for (std::int64_t p = 0; p < count; ++p)
            if ((p / each == sample % classes) == own) least = std::min(least, distance(sample, p));
        return least;
    }
};

Evaluated evaluated(const std::string& name, const LossSettings& settings = {},
                    const std::function<void(Loss&)>& change = {}, std::int64_t at_a_time = batch,
                    const std::vector<double>& class_weights = {}) {
    manual_seed(4);
    Evaluated result;
    result.loss = make_loss(name, classes, 2, settings);
    result.loss->set_class_weights(class_weights);
    result.loss->to(default_device());
    if (change) change(*result.loss);
    Sequential model;
    model.add<Flatten>();
    data::Loader loader(pairs_of_pixels(), {.batch_size = at_a_time, .mean = {0.5F}, .std = {0.3F}});
    result.evaluation = train::evaluate(model, *result.loss, loader, default_device(), {.keep_features = true});
    result.features.assign(result.evaluation.features.begin(), result.evaluation.features.end());
    if (const Tensor rows = result.loss->prototypes(); rows.defined()) result.prototypes = rows.to_vector<double>();
    return result;
}

void check_distances(const Evaluated& found) {
    REQUIRE(found.evaluation.own_distances.size() == samples);
    REQUIRE(found.evaluation.nearest_distances.size() == samples);
    for (std::int64_t i = 0; i < samples; ++i) {
        const auto at = static_cast<std::size_t>(i);
        CHECK(found.evaluation.own_distances[at] == Approx(found.nearest(i, true)).epsilon(1e-4).margin(1e-5));
        CHECK(found.evaluation.nearest_distances[at] == Approx(found.nearest(i, false)).epsilon(1e-4).margin(1e-5));
    }
}

/// Two ranks of one process, each on its own thread.
class ThreadRank : public Communicator {
public:
    /// What the two ranks share.
    struct Exchange {
        std::array<std::string, 2> parts;
        std::barrier<> both{2};
    };
    ThreadRank(Exchange& exchange, int rank)
        : Communicator({.rank = rank, .size = 2, .local_rank = rank, .local_size = 2}), exchange_(exchange) {}
    std::vector<std::string> gather(const std::string& bytes) override {
        exchange_.parts.at(static_cast<std::size_t>(rank())) = bytes;
        exchange_.both.arrive_and_wait();
        std::vector<std::string> all{exchange_.parts.begin(), exchange_.parts.end()};
        exchange_.both.arrive_and_wait();
        return all;
    }
    void barrier() override { exchange_.both.arrive_and_wait(); }
    void end_together() override {}

protected:
    std::unique_ptr<PendingOperation> start_host_sum(const Tensor& x) override {
        const std::span<double> values(x.data<double>(), static_cast<std::size_t>(x.numel()));
        std::string own(values.size_bytes(), '\0');
        std::memcpy(own.data(), values.data(), own.size());
        const std::vector<std::string> all = gather(own);
        for (std::size_t i = 0; i < values.size(); ++i) {
            values[i] = 0;
            for (const std::string& part : all) {
                double value = 0;
                std::memcpy(&value, part.data() + i * sizeof value, sizeof value);
                values[i] += value;
            }
        }
        return std::make_unique<Done>();
    }
    void host_broadcast(const Tensor&, int) override {}

private:
    struct Done : PendingOperation {
        void wait() override {}
    };
    Exchange& exchange_;
};

}  // namespace

TEST_CASE("an evaluation keeps each sample's squared distances to its own and the nearest other prototype", "[apps]") {
    check_distances(evaluated("rbf-softmax"));
}

TEST_CASE("an evaluation uses the nearest of a class's prototypes", "[apps]") {
    const Evaluated found = evaluated("rbf-softmax", {{"prototypes_per_class", 3}});
    REQUIRE(found.prototypes.size() == 2 * 3 * classes);
    check_distances(found);
}

TEST_CASE("an evaluation keeps each sample's predicted class and its part in the softmax of the scores", "[apps]") {
    const Evaluated found = evaluated("rbf-softmax");
    const NoGrad no_grad;
    std::vector<float> rows(found.evaluation.features);
    const Tensor feature = Tensor::from(rows, {samples, 2});
    const auto part = exp(log_softmax(found.loss->logits(feature))).to_vector<double>();
    for (std::size_t i = 0; i < samples; ++i) {
        const auto begin = part.begin() + static_cast<std::ptrdiff_t>(i * classes);
        const auto best = std::max_element(begin, begin + classes);
        CHECK(found.evaluation.predicted[i] == best - begin);
        CHECK(found.evaluation.confidences[i] == Approx(*best).epsilon(1e-5));
        CHECK(found.evaluation.samples[i] == static_cast<std::int64_t>(i));
    }
}

TEST_CASE("an evaluation counts the samples whose class is among the k with the largest scores", "[apps]") {
    const Evaluated found = evaluated("rbf-softmax");
    const NoGrad no_grad;
    std::vector<float> rows(found.evaluation.features);
    const auto logits = found.loss->logits(Tensor::from(rows, {samples, 2})).to_vector<float>();
    REQUIRE(found.evaluation.label_ranks.size() == samples);
    for (std::size_t i = 0; i < samples; ++i) {
        const auto row = std::span(logits).subspan(i * classes, classes);
        const float own = row[static_cast<std::size_t>(found.evaluation.labels[i])];
        CHECK(found.evaluation.label_ranks[i] == std::ranges::count_if(row, [own](float z) { return z > own; }));
    }
    CHECK(found.evaluation.top_accuracy(1) == found.evaluation.accuracy());
    CHECK(found.evaluation.top_accuracy(2) > found.evaluation.accuracy());
    CHECK(found.evaluation.top_accuracy(2) < 1);
    CHECK(found.evaluation.top_accuracy(classes) == 1);
    CHECK(train::Evaluation{}.top_accuracy(5) == 0);
}

TEST_CASE("the confidences of an evaluation keep their digits where all scores are large", "[apps]") {
    const Evaluated found = evaluated("softmax", {}, [](Loss& loss) {
        const NoGrad no_grad;
        for (const auto& [name, tensor] : loss.state())
            tensor.copy_(name == "bias" ? Tensor::from<float>({16384, 16385, 16383}, {classes})
                                        : Tensor::zeros(tensor.shape()));
    });
    const double expected = 1 / (1 + std::exp(-1.0) + std::exp(-2.0));
    for (const float confidence : found.evaluation.confidences) CHECK(confidence == Approx(expected).epsilon(1e-6));
}

TEST_CASE("the loss of a set does not depend on the batches it is evaluated in", "[apps]") {
    const std::set<std::string> over_pairs = {
        "contrastive", "triplet", "supervised-contrastive", "multi-similarity", "circle", "proxy-anchor", "range"};
    for (const LossInfo& info : loss_registry()) {
        if (over_pairs.contains(info.name)) continue;
        INFO(info.name);
        for (const std::vector<double>& weights : {std::vector<double>{}, std::vector<double>{5, 1, 0}}) {
            const double whole = evaluated(info.name, {}, {}, samples, weights).evaluation.loss;
            for (const std::int64_t at_a_time : {1, 4})
                CHECK(evaluated(info.name, {}, {}, at_a_time, weights).evaluation.loss == Approx(whole).epsilon(1e-4));
        }
    }
}

TEST_CASE("with class weights the loss of a set is sum(w l) / sum(w)", "[apps]") {
    const std::vector<double> weights = {5, 1, 0.5};
    const Evaluated found = evaluated("softmax", {}, {}, batch, weights);
    const NoGrad no_grad;
    const Tensor feature = Tensor::from(found.evaluation.features, {samples, 2});
    const auto logs = log_softmax(found.loss->logits(feature)).to_vector<double>();
    double sum = 0, total = 0;
    for (std::int64_t i = 0; i < samples; ++i) {
        const auto label = i % classes;
        const double weight = weights[static_cast<std::size_t>(label)];
        sum -= weight * logs[static_cast<std::size_t>(i * classes + label)];
        total += weight;
    }
    CHECK(found.evaluation.loss == Approx(sum / total).epsilon(1e-5));
    CHECK(found.evaluation.weight == Approx(total));
}

TEST_CASE("a loss without prototypes leaves no distances", "[apps]") {
    // A loss that predicts with running means of the classes has them as prototypes; some losses of the registry have
    // no prototypes.
    for (const LossInfo& info : loss_registry()) {
        const Evaluated found = evaluated(info.name);
        INFO(info.name);
        CHECK(found.evaluation.own_distances.size() == (found.prototypes.empty() ? 0U : samples));
    }
}

TEST_CASE("the worst mistakes are the wrong ones by confidence", "[host]") {
    train::Evaluation evaluation;
    evaluation.labels = {0, 1, 2, 0, 1};
    evaluation.predicted = {1, 1, 0, 2, 0};
    evaluation.samples = {10, 11, 12, 13, 14};
    evaluation.confidences = {0.4F, 0.99F, 0.9F, NAN, 0.9F};
    const auto worst = train::worst_mistakes(evaluation, 3);
    REQUIRE(worst.size() == 3);
    CHECK(worst[0].sample == 12);
    CHECK(worst[0].truth == 2);
    CHECK(worst[0].predicted == 0);
    CHECK(worst[0].confidence == Approx(0.9));
    CHECK(worst[1].sample == 14);
    CHECK(worst[2].sample == 10);
    CHECK(train::worst_mistakes(evaluation, 9).size() == 4);
    CHECK(train::worst_mistakes(evaluation, 9).back().confidence == 0);
}

TEST_CASE("predictions over two views are those of the mean of both logits", "[evaluation]") {
    manual_seed(4);
    const std::unique_ptr<Loss> loss = make_loss("softmax", classes, 2, {});
    loss->to(default_device());
    Sequential model;
    model.add<Flatten>();
    data::Loader loader(pairs_of_pixels(), {.batch_size = batch, .mean = {0.5F}, .std = {0.3F}});
    const train::Evaluation one = train::evaluate(model, *loss, loader, default_device(), {.keep_features = true});
    const train::Evaluation two =
        train::evaluate(model, *loss, loader, default_device(), {.keep_features = true, .views = train::Views::two});
    CHECK(two.loss == one.loss);
    CHECK(two.features == one.features);
    // The mirror image swaps the two pixels, which are the feature.
    const NoGrad no_grad;
    std::vector<float> mirrored = one.features;
    for (std::size_t i = 0; i < mirrored.size(); i += 2) std::swap(mirrored[i], mirrored[i + 1]);
    const auto logits_of = [&](const std::vector<float>& features) {
        return loss->logits(Tensor::from(features, {samples, 2}));
    };
    const Tensor mean = 0.5 * logits_of(one.features) + 0.5 * logits_of(mirrored);
    CHECK(two.predicted == argmax(mean).to_vector<std::int64_t>());
    CHECK(two.predicted != one.predicted);
}

TEST_CASE("the evaluations of two ranks merge in the order of the data set", "[host]") {
    // The first rank has evaluated two samples of the first batch and one of the second.
    const auto part = [](double loss, std::vector<std::int64_t> indices) {
        train::Evaluation own;
        own.loss = loss;
        own.weight = own.total = std::ssize(indices);
        own.correct = 1;
        for (const std::int64_t i : indices) {
            own.labels.push_back(10 + i);
            own.predicted.push_back(20 + i);
            own.label_ranks.push_back(30 + i);
            own.confidences.push_back(static_cast<float>(i) / 8);
            for (int d = 0; d < 2; ++d) own.features.push_back(static_cast<float>(2 * i + d));
        }
        own.samples = std::move(indices);
        return own;
    };
    const std::array<train::Evaluation, 2> own = {part(1, {0, 1, 4}), part(3, {2, 3, 5, 6, 7})};
    std::array<train::Evaluation, 2> merged;
    ThreadRank::Exchange exchange;
    const auto run = [&](int rank) {
        ThreadRank ranks(exchange, rank);
        merged.at(static_cast<std::size_t>(rank)) =
            train::merge_evaluations(ranks, own.at(static_cast<std::size_t>(rank)));
    };
    std::thread other(run, 1);
    run(0);
    other.join();
    for (const train::Evaluation& whole : merged) {
        CHECK(whole.loss == (1.0 * 3 + 3.0 * 5) / 8);
        CHECK(whole.weight == 8);
        CHECK(whole.total == 8);
        CHECK(whole.correct == 2);
        CHECK(whole.samples == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7});
        CHECK(whole.labels == std::vector<std::int64_t>{10, 11, 12, 13, 14, 15, 16, 17});
        CHECK(whole.predicted == std::vector<std::int64_t>{20, 21, 22, 23, 24, 25, 26, 27});
        CHECK(whole.label_ranks == std::vector<std::int64_t>{30, 31, 32, 33, 34, 35, 36, 37});
        CHECK(whole.confidences == std::vector<float>{0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875});
        CHECK(whole.features == std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});
    }
}

}  // namespace radial::test
