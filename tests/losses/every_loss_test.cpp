// Tests for all losses and regularisers of the registries, including new entries.
#include "every_loss.h"
#include "../timing.h"
#include "batches.h"
#include "radial/core/backend/step_graph.h"
#include "radial/core/io/safetensors.h"
#include "radial/core/ops.h"
#include "radial/core/optim/optim.h"
#include "radial/core/optim/weight_average.h"
#include "radial/losses/functional.h"

#include <cmath>
#include <filesystem>
#include <iostream>
#include <set>

namespace radial::test {
namespace {

constexpr std::int64_t classes = 5, dim = 4;

double value_of(Loss& loss, const Tensor& feature, const Tensor& labels) {
    manual_seed(3);  // some losses draw random numbers
    const NoGrad no_grad;
    return loss.forward(feature, labels).item();
}

/// The derivative of the loss along `direction`, by central differences of fourth order.
double numeric(Loss& loss, const Tensor& x, const std::vector<double>& direction, const Tensor& feature,
               const Tensor& labels) {
    constexpr double step = 2e-5;
    const std::vector<double> centre = x.to_vector<double>();
    const auto at = [&](double t) {
        std::vector<double> moved = centre;
        for (std::size_t i = 0; i < moved.size(); ++i) moved[i] += t * direction[i];
        x.copy_(Tensor::from(moved, x.shape(), Device{}));
        return value_of(loss, feature, labels);
    };
    const double slope = (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
    x.copy_(Tensor::from(centre, x.shape(), Device{}));
    return slope;
}

/// The largest error of the gradient of x, relative to the largest finite difference.
double gradient_error(Loss& loss, const Tensor& x, const Tensor& feature, const Tensor& labels) {
    const std::vector<double> gradient =
        x.grad().defined() ? x.grad().to_vector<double>() : std::vector<double>(static_cast<std::size_t>(x.numel()));
    double worst = 0, scale = 1e-3;
    const std::size_t step = std::max<std::size_t>(1, gradient.size() / 24);
    for (std::size_t i = 0; i < gradient.size(); i += step) {
        std::vector<double> direction(gradient.size());
        direction[i] = 1;
        const double expected = numeric(loss, x, direction, feature, labels);
        worst = std::max(worst, std::abs(gradient[i] - expected));
        scale = std::max(scale, std::abs(expected));
    }
    return worst / scale;
}

/// Whether the value and the gradients of feature and parameters are all finite.
bool all_finite(Loss& loss, const Tensor& given, const Tensor& labels) {
    Tensor feature = given.clone();
    feature.set_requires_grad();
    const Tensor value = loss.forward(feature, labels);
    if (!std::isfinite(value.item())) return false;
    if (value.requires_grad()) value.backward();
    std::vector<Tensor> gradients{feature.grad()};
    for (const Tensor& parameter : loss.parameters()) gradients.push_back(parameter.grad());
    for (const Tensor& gradient : gradients) {
        if (!gradient.defined()) continue;
        for (const double g : gradient.to_vector<double>())
            if (!std::isfinite(g)) return false;
    }
    return true;
}

Tensor rows_of(const std::vector<Tensor>& parts) { return concat(parts, 0); }

}  // namespace

TEST_CASE("gradients of every loss agree with differences, in its features and its parameters", "[losses]") {
    for (const LossUnderTest& entry : every_loss()) {
        manual_seed(11);
        const auto loss = make_loss(entry.expression, classes, dim, entry.smooth);
        loss->to(DType::float64);
        Tensor feature = feature_of(10, dim, DType::float64);
        const Tensor labels = labels_of(10, classes);
        loss->forward(feature, labels);  // initialises state that depends on the first batch
        loss->eval();
        feature.set_requires_grad();
        manual_seed(3);
        loss->forward(feature, labels).backward();
        INFO(entry.expression);
        CHECK(gradient_error(*loss, feature, feature, labels) < 1e-6);
        for (const auto& [name, parameter] : loss->named_parameters()) {
            INFO(name);
            CHECK(gradient_error(*loss, parameter, feature, labels) < 1e-6);
        }
    }
}

TEST_CASE("every loss is finite, gradients too, on the batches that break losses", "[losses]") {
    const Tensor some = feature_of(6, dim), labels = labels_of(6, classes);
    const Tensor alike = Tensor::zeros({6}, DType::int64), zeros = Tensor::zeros({1, dim});
    const std::vector<std::tuple<std::string, Tensor, Tensor>> batches = {
        {"one sample", feature_of(1, dim), labels_of(1, classes)},
        {"all of one class", some, alike},
        {"every sample of a class of its own", feature_of(5, dim), labels_of(5, classes)},
        {"a zero feature", rows_of({zeros, feature_of(5, dim)}), labels},
        {"nothing but zero features", Tensor::zeros({6, dim}), labels},
        {"equal features", rows_of({some.rows(0, 3), some.rows(0, 3)}), labels},
        {"equal features of one class", rows_of({some.rows(0, 3), some.rows(0, 3)}), alike},
        {"squared distances of about 1e6", feature_of(6, dim, DType::float32, 500), labels},
        {"squared distances of about 1e-12", feature_of(6, dim, DType::float32, 1e-6), labels},
    };
    for (const LossUnderTest& entry : every_loss()) {
        for (const auto& [name, feature, of] : batches) {
            manual_seed(11);
            const auto loss = make_loss(entry.expression, classes, dim);
            INFO(entry.expression << " on " << name);
            CHECK(all_finite(*loss, feature, of));  // the first batch
            CHECK(all_finite(*loss, feature, of));
        }
    }
}

TEST_CASE("every loss adds to the gradients that are there", "[losses]") {
    for (const LossUnderTest& entry : every_loss()) {
        INFO(entry.expression);
        const auto loss = make_loss(entry.expression, classes, dim);
        Tensor feature = feature_of(8, dim);
        const Tensor labels = labels_of(8, classes);
        loss->forward(feature, labels);
        loss->eval();
        feature.set_requires_grad();
        std::vector<std::vector<double>> once;
        for (int round = 0; round < 2; ++round) {
            manual_seed(3);
            loss->forward(feature, labels).backward();
            std::vector<Tensor> leaves = loss->parameters();
            leaves.push_back(feature);
            for (std::size_t i = 0; i < leaves.size(); ++i) {
                if (!leaves[i].grad().defined()) continue;
                const std::vector<double> gradient = leaves[i].grad().to_vector<double>();
                if (round == 0) {
                    once.push_back(gradient);
                    continue;
                }
                const std::vector<double> first = once.front();
                once.erase(once.begin());
                for (std::size_t k = 0; k < first.size(); ++k)
                    CHECK(gradient[k] == Approx(2 * first[k]).epsilon(1e-5).margin(1e-7));
            }
        }
    }
}

TEST_CASE("every loss predicts [N, classes] logits, and as many prototypes for each class where it has any",
          "[losses]") {
    for (const LossUnderTest& entry : every_loss()) {
        INFO(entry.expression);
        const auto loss = make_loss(entry.expression, classes, dim);
        const Tensor feature = feature_of(10, dim);
        CHECK(loss->forward(feature, labels_of(10, classes)).numel() == 1);
        CHECK(loss->logits(feature).shape() == Shape{10, classes});
        const Tensor prototypes = loss->prototypes();
        if (!prototypes.defined()) continue;
        CHECK(prototypes.size(0) % classes == 0);
        CHECK(prototypes.size(1) == dim);
    }
}

TEST_CASE("every loss read back from a file predicts and measures as the one that was written", "[losses]") {
    const auto path = std::filesystem::temp_directory_path() / "radial-every-loss.safetensors";
    const Tensor feature = feature_of(10, dim), labels = labels_of(10, classes);
    for (const LossUnderTest& entry : every_loss()) {
        INFO(entry.expression);
        const auto written = make_loss(entry.expression, classes, dim),
                   read = make_loss(entry.expression, classes, dim);
        written->forward(feature_of(10, dim, DType::float32, 0.7, 8), labels);  // the first batch initialises state
        write_safetensors(path, {.tensors = written->state(), .metadata = {}});
        read->load_state(read_safetensors(path).tensors);
        CHECK(differences(written->logits(feature).to_vector<float>(), read->logits(feature).to_vector<float>()) == "");
        CHECK(value_of(*written, feature, labels) == value_of(*read, feature, labels));
    }
    std::filesystem::remove(path);
}

TEST_CASE("an average of every loss's state leaves counters and flags as they are, and predicts", "[losses]") {
    for (const LossUnderTest& entry : every_loss()) {
        INFO(entry.expression);
        const auto loss = make_loss(entry.expression, classes, dim);
        WeightAverage average(loss->averaged_state(), 0.9);
        const Tensor feature = feature_of(10, dim), labels = labels_of(10, classes);
        for (int step = 0; step < 3; ++step) {
            loss->forward(feature, labels);
            average.update();
        }
        std::vector<std::vector<double>> before;
        for (const NamedTensor& state : loss->named_buffers(BufferKind::state))
            before.push_back(state.tensor.to_vector<double>());
        const UseAverage use(&average);
        std::size_t at = 0;
        for (const NamedTensor& state : loss->named_buffers(BufferKind::state)) {
            INFO(state.name);
            CHECK(state.tensor.to_vector<double>() == before[at++]);
        }
        // If the flag that a class was seen were averaged to a half, the logit would be about -1e29.
        for (const double logit : loss->logits(feature).to_vector<double>()) CHECK(std::abs(logit) < 1e4);
    }
}

TEST_CASE("the parts of a batch make up the loss of every additive loss, also as classes count", "[losses]") {
    const Tensor feature = feature_of(11, dim, DType::float64), labels = labels_of(11, classes);
    for (const LossUnderTest& entry : every_loss()) {
        for (const std::vector<double>& weights : {std::vector<double>{}, std::vector<double>{3, 1, 0.5, 2, 0}}) {
            INFO(entry.expression << (weights.empty() ? "" : ", classes count differently"));
            const auto loss = make_loss(entry.expression, classes, dim);
            loss->to(DType::float64);
            loss->forward(feature, labels);  // initialises state that depends on the first batch
            if (!loss->additive() || (!weights.empty() && !loss->has_class_weights())) continue;
            loss->set_class_weights(weights);
            double sum = 0, total = 0;
            for (const auto& [begin, end] : {std::pair(0, 1), std::pair(1, 4), std::pair(4, 11)}) {
                const Tensor part = labels.rows(begin, end), weight = loss->batch_weight(part);
                CHECK(weight.defined() != weights.empty());
                const double counted = weights.empty() ? end - begin : weight.item();
                sum += counted * loss->forward(feature.rows(begin, end), part).item();
                total += counted;
            }
            CHECK(loss->forward(feature, labels).item() == Approx(sum / total).epsilon(1e-9));
        }
    }
}

TEST_CASE("a loss is additive where it neither compares samples nor follows the batches", "[losses]") {
    const std::set<std::string> not_additive = {"center",
                                                "sphereface",
                                                "adacos",
                                                "curricularface",
                                                "contrastive",
                                                "triplet",
                                                "supervised-contrastive",
                                                "multi-similarity",
                                                "circle",
                                                "proxy-anchor",
                                                "range"};
    for (const LossInfo& info : loss_registry()) {
        INFO(info.name);
        const auto loss = make_loss(info.name, classes, dim);
        loss->forward(feature_of(10, dim), labels_of(10, classes));
        CHECK(loss->additive() == !not_additive.contains(info.name));
    }
    CHECK(make_loss("adacos", classes, dim, {{"dynamic", 0}})->additive());
    CHECK(make_loss("softmax + 0.1 * compact + 0.1 * exclusive", classes, dim)->additive());
    CHECK_FALSE(make_loss("softmax + 0.01 * triplet", classes, dim)->additive());
    // The first batch determines the initial state of these losses.
    CHECK_FALSE(make_loss("ring", classes, dim)->additive());
    CHECK_FALSE(make_loss("rbf-network", classes, dim)->additive());
}

TEST_CASE("every loss takes bfloat16 features beside its float32 state", "[losses]") {
    for (const LossUnderTest& entry : every_loss()) {
        INFO(entry.expression);
        const auto loss = make_loss(entry.expression, classes, dim);
        Tensor feature = feature_of(10, dim).to(DType::bfloat16);
        feature.set_requires_grad();
        const Tensor value = loss->forward(feature, labels_of(10, classes));
        CHECK(value.dtype() == DType::float32);
        CHECK(std::isfinite(value.item()));
        value.backward();
        CHECK(feature.grad().dtype() == DType::bfloat16);
        CHECK(loss->logits(feature).shape() == Shape{10, classes});
    }
}

TEST_CASE("every loss refuses a feature of another dimension and labels of another number", "[losses]") {
    for (const LossUnderTest& entry : every_loss()) {
        INFO(entry.expression);
        const auto loss = make_loss(entry.expression, classes, dim);
        CHECK(error_of([&] {
                  loss->forward(feature_of(4, dim + 1), labels_of(4, classes));
              }).find("feature has dimension 5") != std::string::npos);
        CHECK(error_of([&] {
                  loss->forward(feature_of(4, dim), labels_of(3, classes));
              }).find("labels are int64[3], expected int64[4]") != std::string::npos);
        CHECK(error_of([&] { loss->logits(feature_of(4, dim + 1)); }).find("feature has dimension 5") !=
              std::string::npos);
    }
}

TEST_CASE("a step with every loss runs as a graph on a device and trains as an eager one", "[losses][device]") {
    for (const LossUnderTest& entry : every_loss()) {
        INFO(entry.expression);
        const Tensor labels = labels_of(10, classes);
        const auto train = [&](bool graph) {
            manual_seed(11);
            const auto loss = make_loss(entry.expression, classes, dim);
            loss->to(default_device());
            std::vector<Tensor> parameters = loss->parameters();
            Tensor feature = feature_of(10, dim);
            feature.set_requires_grad();
            parameters.push_back(feature);
            Sgd optimizer(parameters, {.lr = 0.01});
            const auto step = [&] {
                optimizer.zero_grad();
                loss->forward(feature, labels).backward();
                optimizer.step();
            };
            StepGraph recorded(default_device(), step);
            for (int i = 0; i < 5; ++i) graph ? recorded.run() : step();
            CHECK(recorded.reason().empty());
            CHECK(recorded.recorded() == graph);
            return feature.to_vector<double>();
        };
        const std::vector<double> eager = train(false), graph = train(true);
        for (std::size_t i = 0; i < eager.size(); ++i) CHECK(graph[i] == Approx(eager[i]).epsilon(1e-5).margin(1e-6));
    }
}

TEST_CASE("composed losses' training steps are recorded as graphs that move what they keep", "[losses][device]") {
    for (const std::string name :
         {"center", "ring", "rbf-network", "g-cpl", "lgm", "cos-softmax", "g-softmax", "soft-triple", "proxy-nca"}) {
        INFO(name);
        auto [feature, labels] = batch_of(7);
        feature.set_requires_grad();
        check_recorded_steps(name, 6, 4, feature, labels);
    }
}

// The case is hidden, and is tagged [slow] so that "~[slow]" does not select it. radial-tests "[speed]" prints the
// times for each device.
TEST_CASE("the time of every loss at the sizes of training", "[.][speed][slow]") {
    constexpr std::int64_t rows = 256, width = 128, many = 500;
    std::cout << fmt::format("{:32} {:>12} {:>12}  microseconds on {}\n", "loss", "forward", "and backward",
                             default_device().str());
    for (const LossUnderTest& entry : every_loss()) {
        const auto loss = make_loss(entry.expression, many, width);
        loss->to(default_device());
        Tensor feature = feature_of(rows, width);
        const Tensor labels = labels_of(rows, many / 10);
        const double forward = microseconds([&] {
            const NoGrad guard;
            loss->forward(feature, labels);
        });
        feature.set_requires_grad();
        const double both = microseconds([&] {
            loss->zero_grad();
            feature.clear_grad();
            loss->forward(feature, labels).backward();
        });
        std::cout << fmt::format("{:32} {:12.1f} {:12.1f}\n", entry.expression, forward, both);
        CHECK(forward > 0);
    }
}

}  // namespace radial::test
