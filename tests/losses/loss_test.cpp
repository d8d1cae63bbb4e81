// Losses: registry, prediction, fused ops against their composition, save and load, exact error messages.
#include "../expect.h"
#include "radial/core/io/safetensors.h"
#include "radial/core/ops.h"
#include "radial/losses/functional.h"
#include "radial/losses/loss.h"
#include "radial/losses/rbf_softmax.h"
#include "radial/losses/softmax.h"

#include <cmath>
#include <filesystem>

namespace radial::test {
namespace {

Tensor random_feature(std::int64_t rows, std::int64_t dim, DType dtype = DType::float32) {
    const Tensor x = Tensor::empty({rows, dim}, dtype);
    Generator generator(7);
    normal_(x, 0, 0.3, generator);
    return x;
}

Tensor labels_below(std::int64_t rows, std::int64_t classes) {
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < rows; ++i) labels.push_back(3 * i % classes);
    return Tensor::from(labels, {rows});
}

/// The RBF-Softmax loss from elementary ops, by way of the [N, C, D] differences that the fused op avoids.
Tensor composed_rbf(const Tensor& feature, const Tensor& prototypes, const Tensor& labels, double scale, double gamma) {
    const std::int64_t rows = feature.size(0), classes = prototypes.size(0), dim = feature.size(1);
    const Tensor difference = reshape(feature, {rows, 1, dim}) - reshape(prototypes, {1, classes, dim});
    return cross_entropy(scale * exp(sum(square(difference), {2}) * (-1.0 / gamma)), labels);
}

}  // namespace

TEST_CASE("the registry lists the losses with their defaults") {
    CHECK(loss_registry().size() >= 20);
    CHECK(find_loss("softmax").defaults() == LossSettings{{"bias", true}, {"recompute", false}, {"smoothing", 0}});
    CHECK(find_loss("rbf-softmax").defaults().at("gamma") == 1);
    CHECK(find_loss("rbf-softmax").defaults().at("scale") == 2);
}

TEST_CASE("an unknown loss is an error that suggests the nearest") {
    const std::string expected =
        "no loss is called \"rbf-sofmax\"; did you mean rbf-softmax? The losses are softmax, rbf-softmax, ";
    CHECK(error_of([] { make_loss("rbf-sofmax", 10, 2); }).substr(0, expected.size()) == expected);
}

TEST_CASE("an unknown option of a loss is an error that suggests the nearest") {
    CHECK(error_of([] {
              make_loss("rbf-softmax", 10, 2, {{"gama", 1}});
          }) ==
          "rbf-softmax has no option \"gama\"; did you mean gamma? Its options are gamma, learn_gamma, "
          "learn_scale, margin, normalise, per_class_gamma, prototypes_per_class, reach, recompute, scale, smoothing, "
          "spread");
}

TEST_CASE("settings reach the loss that make_loss builds") {
    CHECK(make_loss("softmax", 10, 4)->parameter_count() == 10 * 4 + 10);
    CHECK(make_loss("softmax", 10, 4, {{"bias", 0}})->parameter_count() == 10 * 4);
    CHECK(error_of([] {
              make_loss("rbf-softmax", 10, 2, {{"gamma", -1}});
          }) == "RbfSoftmax: gamma is -1, expected above 0");
    CHECK(error_of([] {
              make_loss("rbf-softmax", 10, 2, {{"scale", 0}});
          }) == "RbfSoftmax: scale is 0, expected above 0");
}

TEST_CASE("losses refuse features, labels and sizes that do not fit") {
    RbfSoftmax rbf({.classes = 10, .dim = 32});
    Softmax softmax({.classes = 10, .dim = 32});
    const Tensor labels = labels_below(4, 10), narrow = random_feature(4, 8);
    CHECK(error_of([&] { rbf.forward(narrow, labels); }) == "RbfSoftmax: feature has dimension 8, prototypes have 32");
    CHECK(error_of([&] { rbf.logits(narrow); }) == "RbfSoftmax: feature has dimension 8, prototypes have 32");
    CHECK(error_of([&] { softmax.forward(narrow, labels); }) == "Softmax: feature has dimension 8, prototypes have 32");
    CHECK(error_of([&] { softmax.logits(Tensor::zeros({4})); }) == "Softmax: feature has shape [4], expected [N, 32]");
    CHECK(error_of([&] { rbf.forward(random_feature(4, 32), labels_below(3, 10)); }) ==
          "RbfSoftmax: labels are int64[3], expected int64[4]");
    CHECK(error_of([] { Softmax({.classes = 0}); }) == "Softmax: classes 0 and dim 32 must each be at least 1");
    CHECK(error_of([] { RbfSoftmax({.dim = 0}); }) == "RbfSoftmax: classes 10 and dim 0 must each be at least 1");
}

TEST_CASE("a label out of range is an error that names it and its sample") {
    const Tensor feature = random_feature(2, 4), labels = Tensor::from(std::vector<std::int64_t>{0, 10}, {2});
    CHECK(error_after([&] { make_loss("softmax", 10, 4)->forward(feature, labels); }) ==
          bad_index("softmax_loss: label 10 of sample 1 is outside [0, 10)", 10, 1, 10));
    CHECK(error_after([&] { make_loss("rbf-softmax", 10, 4)->forward(feature, labels); }) ==
          bad_index("rbf_softmax_loss: label 10 of sample 1 is outside [0, 10)", 10, 1, 10));
}

TEST_CASE("softmax and RBF-Softmax are the cross-entropy of their logits") {
    for (const std::string name : {"softmax", "rbf-softmax"}) {
        INFO(name);
        const auto loss = make_loss(name, 10, 8);
        const Tensor feature = random_feature(16, 8), labels = labels_below(16, 10);
        CHECK(loss->forward(feature, labels).item() ==
              Approx(cross_entropy(loss->logits(feature), labels).item()).epsilon(1e-5));
    }
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
        Tensor feature = random_feature(7, 5, DType::float64), other = feature.clone();
        RbfSoftmax loss({.classes = 4, .dim = 5, .scale = 3, .gamma = gamma});
        loss.to(DType::float64);
        Tensor prototypes = loss.prototypes().clone();
        for (Tensor* leaf : {&feature, &other, &prototypes}) leaf->set_requires_grad();
        const Tensor labels = labels_below(7, 4);
        const Tensor fused = loss.forward(feature, labels),
                     composed = composed_rbf(other, prototypes, labels, 3, gamma);
        fused.backward();
        composed.backward();
        CHECK(relative_difference(fused, composed) < 1e-10);
        CHECK(relative_difference(feature.grad(), other.grad()) < 1e-10);
        CHECK(relative_difference(loss.prototypes().grad(), prototypes.grad()) < 1e-10);
    }
}

TEST_CASE("the fused softmax loss has its composition's value and gradients in float64") {
    Tensor feature = random_feature(7, 5, DType::float64), other = feature.clone();
    Softmax loss({.classes = 4, .dim = 5});
    loss.to(DType::float64);
    const auto parameters = loss.parameters();
    Tensor weight = parameters[0].clone(), bias = parameters[1].clone();
    for (Tensor* leaf : {&feature, &other, &weight, &bias}) leaf->set_requires_grad();
    const Tensor labels = labels_below(7, 4);
    const Tensor fused = loss.forward(feature, labels), composed = cross_entropy(linear(other, weight, bias), labels);
    fused.backward();
    composed.backward();
    CHECK(relative_difference(fused, composed) < 1e-10);
    CHECK(relative_difference(feature.grad(), other.grad()) < 1e-10);
    CHECK(relative_difference(parameters[0].grad(), weight.grad()) < 1e-10);
    CHECK(relative_difference(parameters[1].grad(), bias.grad()) < 1e-10);
}

TEST_CASE("to MagFace a length above the upper one is the upper one, however far above", "[losses][magface]") {
    auto loss = make_loss("magface", 5, 4);
    const Tensor feature = random_feature(6, 4), labels = labels_below(6, 5);
    const auto at_length = [&](double length) { return loss->forward(unit_rows(feature) * length, labels).item(); };
    const double expected = at_length(110);
    for (const double length : {200.0, 1e5, 1e8, 1e12}) CHECK(at_length(length) == Approx(expected).epsilon(1e-5));
}

TEST_CASE("class weights make samples count as their classes do") {
    const Tensor feature = random_feature(4, 8), labels = Tensor::from(std::vector<std::int64_t>{0, 0, 1, 1}, {4});
    const auto loss = make_loss("arcface", 3, 8);
    const double all = loss->forward(feature, labels).item();
    loss->set_class_weights({1, 0, 1});
    CHECK(loss->forward(feature, labels).item() == Approx(loss->forward(feature.rows(0, 2), labels.rows(0, 2)).item()));
    loss->set_class_weights({});
    CHECK(loss->forward(feature, labels).item() == all);
}

TEST_CASE("class weights that do not fit are refused, and those of a loss that is no softmax") {
    const auto loss = make_loss("softmax", 3, 8);
    CHECK(error_of([&] { loss->set_class_weights({1, 2}); }) == "Softmax: 2 class weights, expected 3");
    CHECK(error_of([&] {
              loss->set_class_weights({1, -2, 1});
          }) == "Softmax: the weight of class 1 is -2, expected a number of at least 0");
    CHECK(error_of([&] { loss->set_class_weights({0, 0, 0}); }) == "Softmax: every class weight is 0");
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
