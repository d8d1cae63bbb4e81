// Tests of losses composed of ops: gradients with options other than the defaults, and error messages.
#include "../core/gradcheck.h"
#include "radial/core/autograd/node.h"
#include "radial/losses/loss.h"
#include "radial/losses/regularisers.h"

namespace radial::test {
namespace {

constexpr std::int64_t classes = 5, dim = 3;

/// The loss as a function of the feature and of its own parameters. It copies the given values to the parameters and
/// returns their gradients.
TensorFunction as_function(Loss& loss, const Tensor& labels) {
    return [&loss, labels](const std::vector<Tensor>& inputs) {
        const std::vector<Tensor> parameters = loss.parameters();
        for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i].copy_(inputs[i + 1].detach());
        Tensor feature = inputs[0].clone();
        feature.set_requires_grad();
        loss.zero_grad();
        const Tensor value = loss.forward(feature, labels);
        if (!grad_enabled()) return value;
        value.backward();
        Grads grads = {feature.grad()};
        for (const Tensor& parameter : parameters) grads.push_back(parameter.grad().clone());
        return record("loss", value.clone(), inputs, [grads](const Tensor& dy, Needs) {
            Grads scaled;
            for (const Tensor& grad : grads) scaled.push_back(mul(grad, dy));
            return scaled;
        });
    };
}

std::string loss_gradient_problem(const std::string& name, const LossSettings& settings) {
    RandomInputs random(17);
    const auto loss = make_loss(name, classes, dim, settings);
    loss->to(DType::float64);
    loss->eval();  // in evaluation mode the loss does not update its buffers
    std::vector<Tensor> inputs = {random.distinct({6, dim})};
    for (const Tensor& parameter : loss->parameters()) inputs.push_back(random.distinct(parameter.shape()));
    return gradient_problem(as_function(*loss, random.labels(6, classes)), inputs);
}

/// The message of the error that make_loss() throws for these settings.
std::string setting_error(const std::string& name, const LossSettings& settings, std::int64_t count = classes) {
    return error_of([&] { make_loss(name, count, dim, settings); });
}

}  // namespace

TEST_CASE("composed losses have the gradients of their differences with any options", "[losses][gradcheck]") {
    const std::vector<std::pair<std::string, LossSettings>> losses = {
        {"center", {{"lambda", 0.7}, {"alpha", 0.2}, {"bias", 0}}},
        {"ring", {{"lambda", 0.7}}},
        {"cpl", {{"gamma", 0.7}, {"prototypes_per_class", 2}, {"smoothing", 0.1}}},
        {"g-cpl", {{"gamma", 0.7}, {"lambda", 0.3}}},
        {"g-cpl", {{"gamma", 0.7}, {"lambda", 0.3}, {"prototypes_per_class", 3}}},
        {"rbf-network", {{"units_per_class", 2}, {"smoothing", 0.2}}},
        {"rbf-network", {{"units_per_class", 1}, {"squared_error", 1}, {"smoothing", 0.2}}},
        {"lgm", {{"alpha", 0.3}, {"lambda", 0.6}}},
        {"lgm", {{"alpha", 0.3}, {"lambda", 0.6}, {"covariance", 1}, {"smoothing", 0.1}}},
        {"cos-softmax", {{"epsilon", 0.1}}},
        {"g-softmax", {{"alpha", 2.5}, {"smoothing", 0.1}}},
        {"focal", {{"gamma", 1}}},
        {"focal", {{"gamma", 3.5}, {"bias", 0}}},
        {"soft-triple", {{"centres_per_class", 3}, {"lambda", 3}, {"gamma", 0.6}, {"delta", 0.2}, {"tau", 0.8}}},
        {"soft-triple", {{"centres_per_class", 4}, {"lambda", 3}, {"gamma", 0.6}, {"delta", 0.2}, {"tau", 0.8}}},
        {"proxy-nca", {{"scale", 2.5}, {"smoothing", 0.1}}},
        {"proxy-nca", {{"scale", 2.5}, {"own_in_denominator", 1}}},
    };
    for (const auto& [name, settings] : losses) {
        INFO(name);
        CHECK(loss_gradient_problem(name, settings) == "");
    }
}

TEST_CASE("composed losses refuse options that make no sense", "[losses]") {
    CHECK(setting_error("center", {{"alpha", 1.5}}) == "Center: alpha is 1.5, expected within [0, 1]");
    CHECK(setting_error("center", {{"lambda", -1}}) == "center: lambda is -1, expected a number of at least 0");
    CHECK(setting_error("ring", {{"lambda", NAN}}) == "ring: lambda is nan, expected a finite number");
    CHECK(setting_error("rbf-softmax", {{"scale", INFINITY}}) == "rbf-softmax: scale is inf, expected a finite number");
    CHECK(setting_error("cpl", {{"gamma", 0}}) == "Cpl: gamma is 0, expected above 0");
    CHECK(setting_error("cpl", {{"prototypes_per_class", 0}}) == "Cpl: prototypes_per_class is 0, expected at least 1");
    CHECK(setting_error("g-cpl", {{"prototypes_per_class", 1.5}}) ==
          "g-cpl: prototypes_per_class is 1.5, expected a whole number");
    CHECK(setting_error("rbf-network", {{"units_per_class", 0}}) ==
          "RbfNetwork: units_per_class is 0, expected at least 1");
    CHECK(setting_error("lgm", {{"alpha", -0.5}}) == "Lgm: alpha is -0.5, expected a number of at least 0");
    CHECK(setting_error("lgm", {{"lambda", -0.5}}) == "Lgm: lambda is -0.5, expected a number of at least 0");
    CHECK(setting_error("lgm", {{"covariance", 2}}) == "lgm: covariance is 2, expected one of identity, diagonal");
    CHECK(setting_error("cos-softmax", {{"scale", -1}}) ==
          "CosSoftmax: scale is -1, expected above 0, or 0 for the rule");
    CHECK(setting_error("cos-softmax", {{"epsilon", 0}}) == "CosSoftmax: epsilon is 0, expected in (0, 1]");
    CHECK(setting_error("cos-softmax", {}, 1) ==
          "CosSoftmax: the rule for the scale expects at least 2 classes, not 1");
    CHECK(setting_error("g-softmax", {{"alpha", -1}}) == "GSoftmax: alpha is -1, expected a number of at least 0");
    CHECK(setting_error("focal", {{"gamma", -1}}) == "Focal: gamma is -1, expected a number of at least 0");
    CHECK(setting_error("soft-triple", {{"centres_per_class", 0}}) ==
          "SoftTriple: centres_per_class is 0, expected at least 1");
    CHECK(setting_error("soft-triple", {{"lambda", 0}}) == "SoftTriple: lambda is 0, expected above 0");
    CHECK(setting_error("soft-triple", {{"gamma", 0}}) == "SoftTriple: gamma is 0, expected above 0");
    CHECK(setting_error("soft-triple", {{"delta", -1}}) == "SoftTriple: delta is -1, expected a number of at least 0");
    CHECK(setting_error("soft-triple", {{"tau", -1}}) == "SoftTriple: tau is -1, expected a number of at least 0");
    CHECK(setting_error("proxy-nca", {{"scale", 0}}) == "ProxyNca: scale is 0, expected above 0");
    CHECK(setting_error("proxy-nca", {}, 1) == "ProxyNca: classes is 1, expected at least 2");
    CHECK(setting_error("g-softmax", {{"smoothing", 2}}) == "GSoftmax: smoothing is 2, expected within [0, 1]");
}

TEST_CASE("composed losses refuse features that do not fit, and name themselves", "[losses]") {
    const std::vector<std::pair<std::string, std::string>> losses = {{"cpl", "Cpl"},
                                                                     {"rbf-network", "RbfNetwork"},
                                                                     {"lgm", "Lgm"},
                                                                     {"cos-softmax", "CosSoftmax"},
                                                                     {"g-softmax", "GSoftmax"},
                                                                     {"soft-triple", "SoftTriple"},
                                                                     {"proxy-nca", "ProxyNca"}};
    const Tensor wide = Tensor::zeros({2, 7}), fits = Tensor::zeros({2, dim});
    const Tensor labels = Tensor::from(std::vector<std::int64_t>{0, 1, 2}, {3});
    for (const auto& [name, prefix] : losses) {
        const auto loss = make_loss(name, classes, dim);
        const std::string expected = prefix + ": feature has dimension 7, prototypes have 3";
        CHECK(error_of([&] { loss->forward(wide, labels); }) == expected);
        CHECK(error_of([&] { loss->logits(wide); }) == expected);
        CHECK(error_of([&] { loss->forward(fits, labels); }) == prefix + ": labels are int64[3], expected int64[2]");
    }
}

}  // namespace radial::test
