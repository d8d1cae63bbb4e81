// Tests of RBF-Softmax: comparison with composed ops, its kernel, and normalised features with their statistics.
#include "radial/losses/rbf_softmax.h"
#include "every_loss.h"
#include "radial/core/backend/step_graph.h"
#include "radial/core/io/safetensors.h"
#include "radial/core/ops.h"
#include "radial/core/optim/optim.h"
#include "radial/losses/functional.h"
#include "radial/losses/loss.h"
#include "radial/losses/softmax.h"

#include <cmath>
#include <filesystem>

namespace radial::test {
namespace {

constexpr std::int64_t classes = 5, dim = 4;

RbfSoftmaxOptions options_of(double gamma = 1, double spread = 1) {
    return {.classes = classes, .dim = dim, .gamma = gamma, .normalise = true, .spread = spread};
}

double mean_squared_length(const Tensor& x) { return mean(sum(square(x), {1})).item(); }

/// The mean and the unbiased variance of each dimension over the batch, computed by plain sums.
std::pair<std::vector<double>, std::vector<double>> statistics_of(const Tensor& x) {
    const auto rows = static_cast<std::size_t>(x.size(0)), columns = static_cast<std::size_t>(x.size(1));
    const std::vector<double> values = x.to_vector<double>();
    std::vector<double> means(columns), variances(columns);
    for (std::size_t i = 0; i < values.size(); ++i) means[i % columns] += values[i] / static_cast<double>(rows);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double away = values[i] - means[i % columns];
        variances[i % columns] += away * away / static_cast<double>(rows - 1);
    }
    return {means, variances};
}

Tensor buffer_of(const Loss& loss, const std::string& name) {
    for (const NamedTensor& buffer : loss.named_buffers())
        if (buffer.name == name) return buffer.tensor;
    return {};
}

/// The derivative of the loss with respect to element `i` of x, by central differences.
double numeric(Loss& loss, const Tensor& x, std::size_t i, const Tensor& feature, const Tensor& labels) {
    const NoGrad no_grad;
    constexpr double step = 1e-5;
    const std::vector<double> centre = x.to_vector<double>();
    const auto at = [&](double t) {
        std::vector<double> moved = centre;
        moved[i] += t;
        x.copy_(Tensor::from(moved, x.shape(), Device{}));
        return loss.forward(feature, labels).item();
    };
    const double slope = (at(step) - at(-step)) / (2 * step);
    x.copy_(Tensor::from(centre, x.shape(), Device{}));
    return slope;
}

/// The RBF-Softmax loss composed of elementary ops. It stores the [N, C, D] differences, which the fused op does not.
Tensor composed_rbf(const Tensor& feature, const Tensor& prototypes, const Tensor& labels, double scale, double gamma) {
    const Tensor difference = reshape(feature, {feature.size(0), 1, feature.size(1)}) -
                              reshape(prototypes, {1, prototypes.size(0), prototypes.size(1)});
    return cross_entropy(scale * exp(sum(square(difference), {2}) * (-1.0 / gamma)), labels);
}

}  // namespace

TEST_CASE("normalised features have a mean squared length of spread^2 gamma, whatever their scale", "[losses]") {
    for (const double scale : {1e-2, 1.0, 1e4}) {
        RbfSoftmax loss(options_of(2.5, 1.4));
        const Tensor x = loss.in_prototype_space(feature_of(64, dim, DType::float32, scale) + 3 * scale);
        CHECK(mean_squared_length(x) == Approx(1.4 * 1.4 * 2.5).epsilon(0.15));
    }
}

TEST_CASE("a normalised feature's kernel is alive at any scale and dimension, where the paper's loss is dead",
          "[losses]") {
    for (const std::int64_t length : {2, 32, 2048}) {
        const Tensor labels = labels_of(16, 10), feature = feature_of(16, length, DType::float32, 30);
        const double start = std::exp(-1.5);  // exp(-spread^2 - 1/2)
        for (const double gamma : {0.5, 1.0, 16.0}) {
            RbfSoftmax loss({.classes = 10, .dim = length, .gamma = gamma, .normalise = true});
            loss.forward(feature, labels);
            INFO(length << " dimensions, gamma " << gamma);
            CHECK(metric_of(loss, "mean_kernel").item() > 0.6 * start);
            RbfSoftmax plain({.classes = 10, .dim = length, .gamma = gamma});
            plain.forward(feature, labels);
            CHECK(metric_of(plain, "mean_kernel").item() < 0.2);
            if (length > 2) CHECK(metric_of(plain, "mean_kernel").item() < 1e-30);
        }
    }
}

TEST_CASE("the loss of normalised features is the plain loss of the features in the prototypes' space", "[losses]") {
    const Tensor feature = feature_of(12, dim), labels = labels_of(12, classes);
    for (const bool training : {true, false}) {
        RbfSoftmax loss(options_of());
        loss.forward(feature_of(12, dim, DType::float32, 0.7, 8), labels);
        loss.train(training);
        const Tensor x = loss.in_prototype_space(feature);
        CHECK(relative_difference(loss.logits(feature), rbf_logits(x, loss.prototypes(), 2, 1)) < 1e-5);
        CHECK(loss.forward(feature, labels).item() ==
              Approx(rbf_softmax_loss(x, loss.prototypes(), labels, {.scale = 2, .gamma = 1}).item()));
    }
}

TEST_CASE("running statistics are the first batch's, and then move by a tenth", "[losses]") {
    RbfSoftmax loss(options_of());
    const Tensor first = feature_of(9, dim), second = feature_of(9, dim, DType::float32, 2, 8) + 1.0,
                 labels = labels_of(9, classes);
    loss.forward(first, labels);
    loss.forward(second, labels);
    const auto [means, variances] = statistics_of(first);
    const auto [later_means, later_variances] = statistics_of(second);
    const auto mean = buffer_of(loss, "running_mean").to_vector<double>(),
               variance = buffer_of(loss, "running_variance").to_vector<double>();
    for (std::size_t d = 0; d < mean.size(); ++d) {
        CHECK(mean[d] == Approx(0.9 * means[d] + 0.1 * later_means[d]).epsilon(1e-5).margin(1e-6));
        CHECK(variance[d] == Approx(0.9 * variances[d] + 0.1 * later_variances[d]).epsilon(1e-5));
    }
}

TEST_CASE("neither predictions nor the prototypes' space move the running statistics", "[losses]") {
    RbfSoftmax loss(options_of());
    const Tensor feature = feature_of(9, dim);
    loss.forward(feature, labels_of(9, classes));
    const auto before = buffer_of(loss, "running_mean").to_vector<double>();
    loss.logits(feature_of(9, dim, DType::float32, 5, 8));
    loss.in_prototype_space(feature_of(9, dim, DType::float32, 5, 9));
    loss.eval();
    loss.forward(feature_of(9, dim, DType::float32, 5, 10), labels_of(9, classes));
    CHECK(buffer_of(loss, "running_mean").to_vector<double>() == before);
}

TEST_CASE("weights' averages cover the running statistics and not the flag of the first batch", "[losses]") {
    const RbfSoftmax loss(options_of());
    CHECK(loss.named_buffers(BufferKind::statistic).size() == 2);
    CHECK(loss.named_buffers(BufferKind::state).size() == 1);
    CHECK(RbfSoftmax({.classes = classes, .dim = dim}).named_buffers().empty());
}

TEST_CASE("a loss of normalised features read back from a file goes on with its statistics", "[losses]") {
    const auto path = std::filesystem::temp_directory_path() / "radial-normalised-rbf.safetensors";
    const Tensor feature = feature_of(9, dim), labels = labels_of(9, classes);
    RbfSoftmax written(options_of()), read(options_of());
    written.forward(feature_of(9, dim, DType::float32, 3, 8), labels);
    write_safetensors(path, {.tensors = written.state(), .metadata = {}});
    read.load_state(read_safetensors(path).tensors);
    std::filesystem::remove(path);
    for (RbfSoftmax* loss : {&written, &read}) loss->forward(feature, labels);  // not the first batch for either
    CHECK(buffer_of(read, "running_mean").to_vector<float>() == buffer_of(written, "running_mean").to_vector<float>());
    written.eval();
    read.eval();
    CHECK(read.logits(feature).to_vector<float>() == written.logits(feature).to_vector<float>());
}

TEST_CASE("gradients through the normalisation agree with differences, in training and in evaluation",
          "[losses][gradcheck]") {
    for (const LossSettings& more :
         {LossSettings{}, LossSettings{{"reach", 3}}, LossSettings{{"learn_gamma", 1}, {"learn_scale", 1}}}) {
        for (const bool training : {true, false}) {
            LossSettings settings{{"normalise", 1}, {"gamma", 1.6}, {"scale", 4}, {"spread", 1.3}};
            settings.insert(more.begin(), more.end());
            manual_seed(11);
            const auto loss = make_loss("rbf-softmax", classes, dim, settings);
            loss->to(DType::float64);
            Tensor feature = feature_of(7, dim, DType::float64);
            const Tensor labels = labels_of(7, classes);
            loss->forward(feature, labels);
            loss->train(training);
            feature.set_requires_grad();
            loss->forward(feature, labels).backward();
            std::vector<Tensor> leaves = loss->parameters();
            leaves.push_back(feature);
            for (const Tensor& leaf : leaves) {
                const std::vector<double> gradient = leaf.grad().to_vector<double>();
                for (std::size_t i = 0; i < gradient.size(); ++i)
                    CHECK(gradient[i] == Approx(numeric(*loss, leaf, i, feature, labels)).epsilon(1e-5).margin(1e-8));
            }
        }
    }
}

TEST_CASE("a single sample cannot be normalised in training, and is by the running statistics in evaluation",
          "[losses]") {
    RbfSoftmax loss(options_of());
    CHECK(loss.smallest_batch() == 2);
    const std::string problem = "RbfSoftmax: a batch of 1 sample cannot be normalised in training, expected 2 or more";
    CHECK(error_of([&] { loss.forward(feature_of(1, dim), labels_of(1, classes)); }) == problem);
    CHECK(error_of([&] { loss.logits(feature_of(1, dim)); }) == problem);
    loss.forward(feature_of(9, dim), labels_of(9, classes));
    loss.eval();
    CHECK(std::isfinite(loss.forward(feature_of(1, dim), labels_of(1, classes)).item()));
    CHECK(make_loss("rbf-softmax", classes, dim)->smallest_batch() == 1);
    CHECK(make_loss("rbf-softmax + 0.1 * ring", classes, dim, {{"normalise", 1}})->smallest_batch() == 2);
}

TEST_CASE("a loss of normalised features is additive in evaluation alone", "[losses]") {
    RbfSoftmax loss(options_of());
    CHECK_FALSE(loss.additive());
    loss.eval();
    CHECK(loss.additive());
}

TEST_CASE("regularisers see features in the space of the prototypes that they are compared with", "[losses]") {
    const Tensor feature = feature_of(9, dim, DType::float32, 40), labels = labels_of(9, classes);
    manual_seed(5);
    const auto sum = make_loss("rbf-softmax + 1 * compact", classes, dim, {{"normalise", 1}});
    manual_seed(5);
    RbfSoftmax alone(options_of());
    const double head = alone.forward(feature, labels).item();
    const Tensor away = alone.in_prototype_space(feature) - gather_rows(alone.prototypes(), labels);
    CHECK(sum->forward(feature, labels).item() == Approx(head + mean_squared_length(away)).epsilon(1e-5));
}

TEST_CASE("features that are the same number everywhere are finite when normalised, gradients too", "[losses]") {
    for (const double value : {0.0, 1e-20, 1.0, 1e6}) {
        RbfSoftmax loss(options_of());
        Tensor feature = Tensor::full({6, dim}, value);
        feature.set_requires_grad();
        const Tensor y = loss.forward(feature, labels_of(6, classes));
        y.backward();
        CHECK(std::isfinite(y.item()));
        for (const double g : feature.grad().to_vector<double>()) CHECK(std::isfinite(g));
    }
}

TEST_CASE("normalised bfloat16 features have a float32 loss and bfloat16 gradients", "[losses]") {
    RbfSoftmax loss(options_of());
    Tensor feature = feature_of(10, dim).to(DType::bfloat16);
    feature.set_requires_grad();
    const Tensor value = loss.forward(feature, labels_of(10, classes));
    CHECK(value.dtype() == DType::float32);
    value.backward();
    CHECK(feature.grad().dtype() == DType::bfloat16);
    CHECK(loss.logits(feature).dtype() == DType::float32);
}

TEST_CASE("spread has to be above 0", "[losses]") {
    CHECK(error_of([] { RbfSoftmax(options_of(1, 0)); }) == "RbfSoftmax: spread is 0, expected above 0");
}

TEST_CASE("a step on normalised features runs as a graph on a device and trains as an eager one", "[losses][device]") {
    const Tensor labels = labels_of(10, classes);
    const auto train = [&](bool graph) {
        manual_seed(11);
        RbfSoftmax loss(options_of());
        loss.to(default_device());
        std::vector<Tensor> parameters = loss.parameters();
        Tensor feature = feature_of(10, dim);
        feature.set_requires_grad();
        parameters.push_back(feature);
        Sgd optimizer(parameters, {.lr = 0.1});
        const auto step = [&] {
            optimizer.zero_grad();
            loss.forward(feature, labels).backward();
            optimizer.step();
        };
        StepGraph recorded(default_device(), step);
        for (int i = 0; i < 5; ++i) graph ? recorded.run() : step();
        CHECK(recorded.reason().empty());
        CHECK(recorded.recorded() == graph);
        std::vector<double> state = feature.to_vector<double>();
        for (const double x : buffer_of(loss, "running_variance").to_vector<double>()) state.push_back(x);
        return state;
    };
    const std::vector<double> eager = train(false), graph = train(true);
    for (std::size_t i = 0; i < eager.size(); ++i) CHECK(graph[i] == Approx(eager[i]).epsilon(1e-5).margin(1e-6));
}

TEST_CASE("a feature at a class's prototype is predicted as that class by RBF-Softmax") {
    RbfSoftmax loss({.classes = 10, .dim = 32});
    CHECK(loss.prototypes().shape() == Shape{10, 32});
    const auto predicted = argmax(loss.logits(loss.prototypes().detach())).to_vector<std::int64_t>();
    for (std::size_t i = 0; i < predicted.size(); ++i) CHECK(predicted[i] == static_cast<std::int64_t>(i));
}

TEST_CASE("RBF-Softmax reports nothing before the first forward and then the mean of K to the own class") {
    RbfSoftmax loss({.classes = 2, .dim = 1, .gamma = 2});
    CHECK(loss.metrics().empty());
    loss.prototypes().copy_(Tensor::from(std::vector<float>{0, 1}, {2, 1}));
    loss.forward(Tensor::from(std::vector<float>{0, 3}, {2, 1}), Tensor::from(std::vector<std::int64_t>{0, 1}, {2}));
    REQUIRE(loss.metrics().size() == 1);
    CHECK(metric_of(loss, "mean_kernel").item() == Approx((1 + std::exp(-2.0)) / 2));
    CHECK_FALSE(loss.metrics()[0].description.empty());
    CHECK(Softmax({.classes = 2, .dim = 1}).metrics().empty());
}

TEST_CASE("the fused RBF-Softmax has its composition's value and gradients in float64") {
    for (const double gamma : {0.7, 1.0, 4.0}) {
        Tensor feature = feature_of(7, 5, DType::float64, 0.3), other = feature.clone();
        RbfSoftmax loss({.classes = 4, .dim = 5, .scale = 3, .gamma = gamma});
        loss.to(DType::float64);
        Tensor prototypes = loss.prototypes().clone();
        for (Tensor* leaf : {&feature, &other, &prototypes}) leaf->set_requires_grad();
        const Tensor labels = labels_of(7, 4);
        const Tensor fused = loss.forward(feature, labels),
                     composed = composed_rbf(other, prototypes, labels, 3, gamma);
        fused.backward();
        composed.backward();
        CHECK(relative_difference(fused, composed) < 1e-10);
        CHECK(relative_difference(feature.grad(), other.grad()) < 1e-10);
        CHECK(relative_difference(loss.prototypes().grad(), prototypes.grad()) < 1e-10);
    }
}

TEST_CASE("a kernel with reach is alive however far the features are, and a Gaussian near the prototype") {
    const Tensor labels = Tensor::from(std::vector<std::int64_t>{0}, {1});
    RbfSoftmax plain({.classes = 2, .dim = 1}), reaching({.classes = 2, .dim = 1, .reach = 4});
    const Tensor prototypes = Tensor::from(std::vector<float>{0, 1}, {2, 1});
    const auto gradient_at = [&](RbfSoftmax& loss, float place) {
        loss.prototypes().copy_(prototypes);
        Tensor feature = Tensor::from(std::vector<float>{place}, {1, 1});
        feature.set_requires_grad();
        loss.forward(feature, labels).backward();
        return std::abs(feature.grad().item());
    };
    CHECK(gradient_at(plain, 1000) == 0);
    CHECK(gradient_at(reaching, 1000) > 1e-7);
    CHECK(metric_of(reaching, "mean_kernel").item() == Approx(std::exp(-4)).epsilon(1e-3));
    gradient_at(plain, 0.01F);
    gradient_at(reaching, 0.01F);
    CHECK(metric_of(reaching, "mean_kernel").item() == Approx(metric_of(plain, "mean_kernel").item()).epsilon(1e-4));
}

}  // namespace radial::test
