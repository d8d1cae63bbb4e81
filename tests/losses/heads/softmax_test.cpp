// Tests of cross-entropy and of the fused losses softmax_loss and rbf_softmax_loss: gradients, comparison with composed
// ops, precision, and error messages.
#include "../../core/gradcheck.h"
#include "radial/core/memory/transfer.h"
#include "radial/losses/functional.h"

namespace radial::test {
namespace {

const std::vector<std::pair<std::int64_t, std::int64_t>> sizes = {{1, 1}, {1, 5}, {3, 2}, {5, 7}, {8, 10}, {2, 33}};

/// A loss of feature [N, D] and class vectors [C, D].
struct Head {
    std::string name;
    std::function<Tensor(const Tensor& feature, const Tensor& classes, const Tensor& labels)> loss;
};
const std::vector<Head> heads = {
    {"cross_entropy", [](const auto& x, const auto& w, const auto& y) { return cross_entropy(linear(x, w), y, 0.1); }},
    {"softmax_loss", [](const auto& x, const auto& w, const auto& y) { return softmax_loss(x, w, {}, y); }},
    {"rbf_softmax_loss",
     [](const auto& x, const auto& w, const auto& y) { return rbf_softmax_loss(x, w, y, {.scale = 4, .gamma = 3}); }},
};

/// The loss and the gradients of both inputs.
std::vector<Tensor> loss_and_gradients(const Head& head, Tensor feature, Tensor classes, const Tensor& labels) {
    feature = feature.clone().set_requires_grad();
    classes = classes.clone().set_requires_grad();
    const Tensor loss = head.loss(feature, classes, labels);
    (loss * 3.0).backward();
    return {loss.detach(), feature.grad(), classes.grad()};
}

}  // namespace

TEST_CASE("gradients of cross_entropy agree with differences, with any smoothing") {
    RandomInputs random(92);
    for (const auto& [n, c] : sizes) {
        for (const double smoothing : {0.0, 0.1, 0.5}) {
            INFO(n << " rows of " << c << ", smoothing " << smoothing);
            const Tensor labels = random.labels(n, c);
            const TensorFunction f = [=](const auto& in) { return cross_entropy(in[0], labels, smoothing); };
            CHECK(gradient_problem(f, {random.tensor({n, c}, -3, 3)}) == "");
        }
    }
}

TEST_CASE("gradients of softmax_loss agree with differences, with and without bias") {
    RandomInputs random(93);
    for (const auto& [n, c] : sizes) {
        for (const std::int64_t d : {1, 3, 16}) {
            INFO(n << " features of " << d << ", " << c << " classes");
            const Tensor labels = random.labels(n, c);
            const Tensor x = random.tensor({n, d}), w = random.tensor({c, d}), b = random.tensor({c});
            CHECK(gradient_problem([=](const auto& in) { return softmax_loss(in[0], in[1], in[2], labels); },
                                   {x, w, b}) == "");
            CHECK(gradient_problem([=](const auto& in) { return softmax_loss(in[0], in[1], {}, labels); }, {x, w}) ==
                  "");
        }
    }
}

TEST_CASE("cross_entropy is the mean of -log_softmax at the labels") {
    RandomInputs random(95);
    const Tensor logits = random.tensor({6, 5}, -4, 4), labels = random.labels(6, 5);
    const double plain = -mean(pick(log_softmax(logits), labels)).item();
    const double even = -mean(log_softmax(logits)).item();
    CHECK(cross_entropy(logits, labels).item() == Approx(plain).epsilon(1e-12));
    CHECK(cross_entropy(logits, labels, 0.2).item() == Approx(0.8 * plain + 0.2 * even).epsilon(1e-12));
}

TEST_CASE("softmax_loss is the cross-entropy of a linear layer, gradients included") {
    RandomInputs random(96);
    const Tensor labels = random.labels(7, 5);
    const auto run = [&](bool fused) {
        RandomInputs same(97);
        std::vector<Tensor> leaves{same.tensor({7, 3}), same.tensor({5, 3}), same.tensor({5})};
        for (Tensor& leaf : leaves) leaf.set_requires_grad();
        const Tensor loss = fused ? softmax_loss(leaves[0], leaves[1], leaves[2], labels)
                                  : cross_entropy(linear(leaves[0], leaves[1], leaves[2]), labels);
        loss.backward();
        return std::vector<Tensor>{loss.detach(), leaves[0].grad(), leaves[1].grad(), leaves[2].grad()};
    };
    const auto fused = run(true), composed = run(false);
    for (std::size_t i = 0; i < fused.size(); ++i) CHECK(relative_difference(fused[i], composed[i]) < 1e-12);
}

TEST_CASE("log_softmax and cross_entropy do not overflow on large logits") {
    const Tensor logits = Tensor::from<float>({1000, -1000, 0}, {1, 3});
    CHECK(log_softmax(logits).to_vector<double>() == std::vector<double>{0, -2000, -1000});
    CHECK(cross_entropy(logits, Tensor::from<std::int64_t>({1}, {1})).item() == 2000);
}

TEST_CASE("float32 loses no digits over 100,000 classes") {
    RandomInputs random(100);
    const Tensor feature = random.tensor({3, 4}), classes = random.tensor({100003, 4});
    const Tensor labels = random.labels(3, 100003);
    for (const Head& head : heads) {
        INFO(head.name);
        const auto wide = loss_and_gradients(head, feature, classes, labels);
        const auto narrow = loss_and_gradients(head, feature.to(DType::float32), classes.to(DType::float32), labels);
        CHECK(narrow[0].item() == Approx(wide[0].item()).epsilon(1e-6));
        CHECK(relative_difference(narrow[1], wide[1]) < 2e-5);
        CHECK(relative_difference(narrow[2], wide[2]) < 2e-5);
    }
    const Tensor logits = random.tensor({2, 100003}, -3, 3);
    CHECK(relative_difference(log_softmax(logits.to(DType::float32)), log_softmax(logits)) < 1e-6);
}

TEST_CASE("losses of bfloat16 features are those of the same numbers in float32") {
    RandomInputs random(101);
    const Tensor feature = random.tensor({9, 8}).to(DType::bfloat16);
    const Tensor classes = random.tensor({7, 8}, -1, 1, DType::float32), labels = random.labels(9, 7);
    for (std::size_t i = 1; i < heads.size(); ++i) {
        INFO(heads[i].name);
        const auto mixed = loss_and_gradients(heads[i], feature, classes, labels);
        const auto plain = loss_and_gradients(heads[i], feature.to(DType::float32), classes, labels);
        CHECK(mixed[0].dtype() == DType::float32);
        CHECK(mixed[0].item() == plain[0].item());
        CHECK(mixed[1].dtype() == DType::bfloat16);
        CHECK(differences(mixed[1].to_vector<double>(), plain[1].to(DType::bfloat16).to_vector<double>()) == "");
        CHECK(differences(mixed[2].to_vector<double>(), plain[2].to_vector<double>()) == "");
    }
    CHECK(differences(rbf_logits(feature, classes, 4, 3).to_vector<double>(),
                      rbf_logits(feature.to(DType::float32), classes, 4, 3).to_vector<double>()) == "");
}

TEST_CASE("cross_entropy of bfloat16 logits is computed in float32 and gives them a gradient of their type") {
    RandomInputs random(102);
    const Tensor values = random.tensor({6, 5}, -4, 4).to(DType::bfloat16), labels = random.labels(6, 5);
    const auto run = [&](DType dtype) {
        Tensor logits = values.to(dtype).clone().set_requires_grad();
        const Tensor loss = cross_entropy(logits, labels, 0.1);
        backward(loss, Tensor::full({}, 0.5));
        return std::pair{loss.detach(), logits.grad()};
    };
    const auto mixed = run(DType::bfloat16), plain = run(DType::float32);
    CHECK(mixed.first.item() == plain.first.item());
    CHECK(mixed.second.dtype() == DType::bfloat16);
    CHECK(differences(mixed.second.to_vector<double>(), plain.second.to(DType::bfloat16).to_vector<double>()) == "");
}

TEST_CASE("on a device a label out of range costs only its own sample, and the next wait tells of it", "[device]") {
    const Device device = default_device();
    RandomInputs random(104);
    const Tensor feature = random.tensor({3, 4}, -1, 1, DType::float32);
    const Tensor classes = random.tensor({10, 4}, -1, 1, DType::float32);
    for (const std::int64_t wrong : {std::int64_t{10}, std::int64_t{-1}, std::int64_t{1} << 40}) {
        const Tensor labels = Tensor::from<std::int64_t>({0, wrong, 1}, {3});
        for (const Head& head : heads) {
            INFO(head.name << ", label " << wrong);
            const auto results = loss_and_gradients(head, feature, classes, labels);
            CHECK(error_of([&] { synchronize(device); }) ==
                  fmt::format("{}: index {} of sample 1 is outside [0, 10)", device.str(), wrong));
            CHECK(std::isnan(results[0].item()));
            CHECK(results[1].rows(1, 2).to_vector<double>() == std::vector<double>(4, 0.0));
            const auto right = loss_and_gradients(head, feature, classes, Tensor::from<std::int64_t>({0, 5, 1}, {3}));
            for (const std::int64_t row : {0, 2})
                CHECK(relative_difference(results[1].rows(row, row + 1), right[1].rows(row, row + 1)) < 1e-6);
            for (const double value : results[2].to_vector<double>()) CHECK(std::isfinite(value));
        }
    }
}

TEST_CASE("a label out of range is named with its sample") {
    const Tensor logits = Tensor::zeros({3, 10}), feature = Tensor::zeros({3, 2}), weight = Tensor::zeros({10, 2});
    const Tensor high = Tensor::from<std::int64_t>({0, 10, 1}, {3}), low = Tensor::from<std::int64_t>({0, 1, -1}, {3});
    CHECK(error_after([&] { cross_entropy(logits, high); }) ==
          bad_index("cross_entropy: label 10 of sample 1 is outside [0, 10)", 10, 1, 10));
    CHECK(error_after([&] { cross_entropy(logits, low); }) ==
          bad_index("cross_entropy: label -1 of sample 2 is outside [0, 10)", -1, 2, 10));
    CHECK(error_after([&] { softmax_loss(feature, weight, {}, high); }) ==
          bad_index("softmax_loss: label 10 of sample 1 is outside [0, 10)", 10, 1, 10));
    CHECK(error_after([&] { rbf_softmax_loss(feature, weight, low, {.scale = 2, .gamma = 1}); }) ==
          bad_index("rbf_softmax_loss: label -1 of sample 2 is outside [0, 10)", -1, 2, 10));
}

TEST_CASE("losses of what does not fit say what it is") {
    const Tensor logits = Tensor::zeros({3, 10}), feature = Tensor::zeros({3, 2}), weight = Tensor::zeros({10, 2});
    const Tensor labels = Tensor::zeros({3}, DType::int64), wide = Tensor::zeros({10, 5});
    CHECK(error_of([&] { cross_entropy(logits, Tensor::zeros({4}, DType::int64)); }) ==
          "cross_entropy: labels are int64[4], expected int64[3]");
    CHECK(error_of([&] { cross_entropy(logits, Tensor::zeros({3})); }) ==
          "cross_entropy: labels are float32[3], expected int64[3]");
    CHECK(error_of([&] { cross_entropy(logits, labels, 1.5); }) ==
          "cross_entropy: smoothing is 1.5, expected within [0, 1]");
    CHECK(error_of([&] { softmax_loss(feature, wide, {}, labels); }) ==
          "softmax_loss: feature has dimension 2, weight expects 5");
    CHECK(error_of([&] { rbf_softmax_loss(feature, wide, labels, {.scale = 2, .gamma = 1}); }) ==
          "rbf_softmax_loss: feature has dimension 2, prototypes expect 5");
    CHECK(error_of([&] { rbf_softmax_loss(feature, weight, labels, {.scale = 0, .gamma = 1}); }) ==
          "rbf_softmax_loss: scale is 0, expected above 0");
    CHECK(error_of([&] { rbf_softmax_loss(feature, weight, labels, {.scale = 2, .gamma = -1}); }) ==
          "rbf_softmax_loss: gamma is -1, expected above 0");
    CHECK(error_of([&] { rbf_logits(feature, wide, 2, 1); }) ==
          "rbf_logits: feature has dimension 2, prototypes expect 5");
    CHECK(error_of([&] { rbf_logits(feature, weight, 2, NAN); }) == "rbf_logits: gamma is nan, expected above 0");
    CHECK(error_of([&] { rbf_logits(Tensor::zeros({2}), weight, 2, 1); }) ==
          "rbf_logits: feature is [2], expected [N, D]");
}

}  // namespace radial::test
