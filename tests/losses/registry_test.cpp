// Tests of the registry of losses: names, options, and losses and regularisers that a program registers.
#include "../expect.h"
#include "radial/core/ops.h"
#include "radial/losses/functional.h"
#include "radial/losses/loss.h"
#include "radial/losses/rbf_softmax.h"
#include "radial/losses/sum_loss.h"

namespace radial::test {
namespace {

/// A softmax loss. Its logits are the first features, one per class, times `scale`.
class FirstFeatures : public Loss {
public:
    FirstFeatures(std::int64_t classes, double scale) : classes_(classes), scale_(scale) {}
    Tensor forward(const Tensor& feature, const Tensor& labels) override {
        return cross_entropy(logits(feature), labels);
    }
    Tensor logits(const Tensor& feature) override { return scale_ * slice(feature, 1, 0, classes_); }

private:
    std::int64_t classes_;
    double scale_;
};

struct SquaredMean : Regulariser {
    Tensor forward(const Tensor& feature, const Tensor&, const Tensor&) override { return mean(square(feature)); }
};

LossInfo first_features(const std::string& name) {
    return {.name = name,
            .formula = "-log softmax(scale x)[y]",
            .source = "this test",
            .options = {{.name = "scale", .value = 2}},
            .make = [](std::int64_t classes, std::int64_t, const LossSettings& settings) {
                return std::make_unique<FirstFeatures>(classes, settings.at("scale").number());
            }};
}

RegulariserInfo squared_mean(const std::string& name) {
    return {.name = name,
            .formula = "mean of x^2",
            .source = "this test",
            .options = {},
            .make = [](std::int64_t, std::int64_t, const LossSettings&) { return std::make_unique<SquaredMean>(); }};
}

/// Registers the loss and the regulariser during its lifetime.
struct Registered {
    Registered() {
        register_loss(first_features("first-features"));
        register_regulariser(squared_mean("squared-mean"));
    }
    ~Registered() {
        unregister_loss("first-features");
        unregister_regulariser("squared-mean");
    }
    Registered(const Registered&) = delete;
    Registered& operator=(const Registered&) = delete;
};

}  // namespace

TEST_CASE("a registered loss and regulariser are built by their names, with options, in sums", "[losses][registry]") {
    const Registered registered;
    const Tensor feature = Tensor::from(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3}),
                 labels = Tensor::from(std::vector<std::int64_t>{0, 1}, {2});
    const auto alone = make_loss("first-features", 2, 3, {{"scale", 3}});
    CHECK(alone->logits(feature).to_vector<float>() == std::vector<float>{3, 6, 12, 15});
    const auto sum = make_loss("first-features + 0.5 * squared-mean", 2, 3);
    const float expected = static_cast<float>(cross_entropy(2 * slice(feature, 1, 0, 2), labels).item() + 0.5 * 91 / 6);
    CHECK(static_cast<float>(sum->forward(feature, labels).item()) == Approx(expected));
    CHECK(loss_settings("first-features") == LossSettings{{"scale", 2}});
    CHECK(find_loss("first-features").source == "this test");
}

TEST_CASE("what was registered is gone when it is taken back", "[losses][registry]") {
    const std::size_t before = loss_registry().size();
    { const Registered registered; }
    CHECK(loss_registry().size() == before);
    CHECK_THAT(error_of([] { make_loss("first-features", 2, 3); }),
               ContainsSubstring("no loss is called \"first-features\""));
}

TEST_CASE("a loss that cannot be registered says why", "[losses][registry]") {
    CHECK(error_of([] { register_loss(first_features("softmax")); }) ==
          "there is a loss or regulariser called \"softmax\" already");
    CHECK(error_of([] { register_regulariser(squared_mean("softmax")); }) ==
          "there is a loss or regulariser called \"softmax\" already");
    CHECK(error_of([] { register_loss(first_features("two words")); }) ==
          "\"two words\" cannot be the name of a loss: expected a letter, then letters, digits, hyphens and "
          "underscores");
    CHECK(error_of([] {
              LossInfo info = first_features("nothing");
              info.make = nullptr;
              register_loss(info);
          }) == "the loss \"nothing\" has no function that makes it");
    CHECK(error_of([] { unregister_loss("softmax"); }) == "no loss called \"softmax\" was registered");
}

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

}  // namespace radial::test
