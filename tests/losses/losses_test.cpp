// Losses: registry, prediction, fused ops against their composition, save and load, exact error messages.
#include "../expect.h"
#include "radial/core/checkpoint.h"
#include "radial/core/ops.h"
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
    CHECK(loss_registry().size() == 2);
    CHECK(find_loss("softmax").defaults == LossSettings{{"bias", 1}});
    CHECK(find_loss("rbf-softmax").defaults == LossSettings{{"gamma", 1}, {"scale", 2}});
}

TEST_CASE("an unknown loss is an error that suggests the nearest") {
    CHECK(error_of([] { make_loss("rbf-sofmax", 10, 2); }) ==
          "no loss is called \"rbf-sofmax\"; did you mean rbf-softmax? The losses are softmax, rbf-softmax");
}

TEST_CASE("an unknown option of a loss is an error that suggests the nearest") {
    CHECK(error_of([] {
              make_loss("rbf-softmax", 10, 2, {{"gama", 1}});
          }) == "rbf-softmax has no option \"gama\"; did you mean gamma? Its options are gamma, scale");
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

TEST_CASE("every loss gives a scalar, and logits whose cross-entropy it is") {
    for (const auto& info : loss_registry()) {
        INFO(info.name);
        const auto loss = make_loss(info.name, 10, 8);
        const Tensor feature = random_feature(16, 8), labels = labels_below(16, 10);
        const Tensor value = loss->forward(feature, labels), logits = loss->logits(feature);
        CHECK(value.numel() == 1);
        CHECK(logits.shape() == Shape{16, 10});
        CHECK(value.item() == Approx(cross_entropy(logits, labels).item()).epsilon(1e-5));
    }
}

TEST_CASE("a feature at a class's prototype is predicted as that class by RBF-Softmax") {
    RbfSoftmax loss({.classes = 10, .dim = 32});
    CHECK(loss.prototypes().shape() == Shape{10, 32});
    const auto predicted = argmax(loss.logits(loss.prototypes().detach())).to_vector<std::int64_t>();
    for (std::size_t i = 0; i < predicted.size(); ++i) CHECK(predicted[i] == static_cast<std::int64_t>(i));
}

TEST_CASE("mean_kernel is undefined before the first forward and then the mean of K to the own class") {
    RbfSoftmax loss({.classes = 2, .dim = 1, .gamma = 2});
    CHECK_FALSE(loss.mean_kernel().defined());
    loss.prototypes().copy_(Tensor::from(std::vector<float>{0, 1}, {2, 1}));
    loss.forward(Tensor::from(std::vector<float>{0, 3}, {2, 1}), Tensor::from(std::vector<std::int64_t>{0, 1}, {2}));
    REQUIRE(loss.mean_kernel().defined());
    CHECK(loss.mean_kernel().item() == Approx((1 + std::exp(-2.0)) / 2));
    CHECK_FALSE(Softmax({.classes = 2, .dim = 1}).mean_kernel().defined());
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

TEST_CASE("a loss read back from a file predicts as the one that was written") {
    const auto path = std::filesystem::temp_directory_path() / "radial-loss-round-trip.safetensors";
    for (const auto& info : loss_registry()) {
        INFO(info.name);
        const auto written = make_loss(info.name, 10, 8), read = make_loss(info.name, 10, 8);
        const Tensor feature = random_feature(5, 8);
        REQUIRE(written->logits(feature).to_vector<float>() != read->logits(feature).to_vector<float>());
        write_safetensors(path, {.tensors = written->state(), .metadata = {}});
        read->load_state(read_safetensors(path).tensors);
        CHECK(written->logits(feature).to_vector<float>() == read->logits(feature).to_vector<float>());
    }
    std::filesystem::remove(path);
}

}  // namespace radial::test
