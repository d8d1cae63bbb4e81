// Tests of losses over pairs of a batch: gradients, special cases, prediction with class means, messages.
#include "radial/losses/pair_losses.h"
#include "../core/gradcheck.h"
#include "batches.h"
#include "radial/core/backend/step_graph.h"
#include "radial/losses/functional.h"
#include "radial/losses/loss.h"
#include "radial/losses/regularisers.h"

#include <cmath>

namespace radial::test {
namespace {

constexpr std::int64_t classes = 4, dim = 3;

const std::vector<std::string> pair_losses = {"contrastive", "triplet", "supervised-contrastive", "multi-similarity",
                                              "circle"};

std::map<std::string, Tensor> state_of(const Module& module) {
    std::map<std::string, Tensor> state;
    for (const auto& [name, tensor] : module.state()) state[name] = tensor;
    return state;
}

/// Describes the error of the gradient with respect to the feature, for a loss in its initial state; "" if there is
/// none.
std::string feature_gradient_problem(const std::string& name, const LossSettings& settings) {
    RandomInputs random(29);
    const auto loss = make_loss(name, classes, dim, settings);
    loss->to(DType::float64);
    loss->eval();
    const Tensor labels = label_list({0, 1, 0, 2, 1, 0, 3});
    return gradient_problem([&](const auto& in) { return loss->forward(in[0], labels); },
                            {random.tensor({7, dim}, -1, 1)}, {.step = 1e-4});
}

std::string setting_error(const std::string& name, const LossSettings& settings, std::int64_t width = dim) {
    return error_of([&] { make_loss(name, classes, width, settings); });
}

}  // namespace

TEST_CASE("losses over pairs have the gradients of their differences with any options", "[losses][pairs][gradcheck]") {
    const std::vector<std::pair<std::string, LossSettings>> losses = {
        {"contrastive", {{"margin", 1.3}}},
        {"contrastive", {{"power", 1}, {"positive_margin", 0.2}, {"normalise", 1}, {"over_nonzero", 1}}},
        {"triplet", {{"margin", 0.7}}},
        {"triplet", {{"miner", "hard"}, {"soft", true}, {"normalise", false}}},
        {"triplet", {{"miner", "semi-hard"}, {"margin", 0.9}, {"over_nonzero", false}}},
        {"supervised-contrastive", {{"temperature", 0.4}}},
        {"multi-similarity", {{"mining", 0}, {"beta", 7}, {"alpha", 3}, {"base", 0.1}}},
        {"multi-similarity", {{"beta", 7}, {"epsilon", 0.23}}},
        {"circle", {{"gamma", 5}, {"margin", 0.3}, {"through_weights", 1}}},
        {"proxy-anchor", {{"alpha", 6}, {"delta", 0.2}}},
        {"softmax + range", {{"alpha", 0.3}, {"beta", 0.2}, {"margin", 50}, {"k", 3}}},
        {"range", {{"alpha", 0.4}, {"beta", 0.7}, {"margin", 60}, {"k", 1}}},
    };
    for (const auto& [name, settings] : losses) {
        INFO(name);
        CHECK(feature_gradient_problem(name, settings) == "");
    }
}

TEST_CASE("losses over pairs are 0, without a gradient, where there are no terms", "[losses][pairs]") {
    RandomInputs random(7);
    const Tensor feature = random.tensor({4, dim}, -1, 1, DType::float32);
    for (const auto& [name, labels] :
         std::vector<std::pair<std::string, std::vector<std::int64_t>>>{{"triplet", {0, 1, 2, 3}},
                                                                        {"triplet", {2, 2, 2, 2}},
                                                                        {"supervised-contrastive", {0, 1, 2, 3}},
                                                                        {"multi-similarity", {0, 1, 2, 3}},
                                                                        {"circle", {0, 1, 2, 3}},
                                                                        {"circle", {2, 2, 2, 2}}}) {
        INFO(name);
        const Result result = run(*make_loss(name, classes, dim), feature, label_list(labels));
        CHECK(result.value == 0);
        CHECK(result.gradient == std::vector<double>(4 * dim, 0.0));
    }
    for (const std::string& name : pair_losses) {
        INFO(name << ", one sample");
        const Result result = run(*make_loss(name, classes, dim), feature.rows(0, 1), label_list({1}));
        CHECK(result.value == 0);
        CHECK(result.gradient == std::vector<double>(dim, 0.0));
    }
}

TEST_CASE("losses over pairs stay finite at equal, zero and huge features", "[losses][pairs]") {
    RandomInputs random(8);
    const Tensor ordinary = random.tensor({2, dim}, -1, 1, DType::float32);
    for (const std::string name :
         {"contrastive", "triplet", "supervised-contrastive", "multi-similarity", "circle", "proxy-anchor", "range"}) {
        INFO(name);
        const auto loss = make_loss(name, classes, dim);
        for (const Tensor& half : {ordinary, Tensor::zeros({2, dim}), ordinary * 1e8}) {
            const Result result = run(*loss, concat({half, half}, 0), label_list({0, 1, 0, 2}));
            CHECK(std::isfinite(result.value));
            for (const double g : result.gradient) CHECK(std::isfinite(g));
        }
    }
}

TEST_CASE("circle's weights are constants to its gradient unless they are asked to be more", "[losses][pairs]") {
    RandomInputs random(9);
    const Tensor feature = random.tensor({5, dim}, -1, 1, DType::float32), labels = label_list({0, 1, 0, 1, 2});
    const Result published = run(*make_loss("circle", classes, dim, {{"gamma", 8}}), feature, labels);
    const Result through =
        run(*make_loss("circle", classes, dim, {{"gamma", 8}, {"through_weights", 1}}), feature, labels);
    CHECK(published.value == through.value);
    CHECK(published.gradient != through.gradient);
}

TEST_CASE("class means start at a class's first batch and then follow at the momentum", "[losses][pairs][means]") {
    const auto loss = make_loss("contrastive", 3, 2, {{"momentum", 0.25}});
    loss->forward(matrix({1, 2, 3, 6, 5, 5}, 2), label_list({2, 2, 0}));
    const auto state = state_of(*loss);
    CHECK(state.at("means.mean").to_vector<double>() == std::vector<double>{5, 5, 0, 0, 2, 4});
    CHECK(state.at("means.seen").to_vector<double>() == std::vector<double>{1, 0, 1});
    loss->forward(matrix({6, 0, 9, 9}, 2), label_list({2, 1}));
    CHECK(state.at("means.mean").to_vector<double>() == std::vector<double>{5, 5, 9, 9, 3, 3});
    loss->eval();
    loss->forward(matrix({100, 100}, 2), label_list({0}));
    CHECK(loss->prototypes().to_vector<double>() == std::vector<double>{5, 5, 9, 9, 3, 3});
}

TEST_CASE("losses over pairs predict the class of the nearest mean, and none that was not seen",
          "[losses][pairs][means]") {
    const std::vector<std::int64_t> labels = {3, 0, 1};
    const Tensor feature = matrix({0.1F, 5, 0, 4, 0.2F, 0, -3, -3, 1}, dim);
    for (const std::string& name : pair_losses) {
        INFO(name);
        const auto loss = make_loss(name, classes, dim);
        loss->forward(feature, label_list(labels));
        const Tensor logits = loss->logits(feature * 0.9);
        CHECK(differences(argmax(logits).to_vector<std::int64_t>(), labels) == "");
        CHECK(logits.to_vector<float>()[2] == static_cast<float>(ClassMeans::unseen_logit));
        CHECK(logits.to_vector<float>()[2] < logits.to_vector<float>()[0]);
    }
}

TEST_CASE("a bfloat16 feature trains losses over pairs in float32", "[losses][pairs]") {
    RandomInputs random(10);
    const Tensor wide = random.tensor({6, dim}, -1, 1, DType::float32), labels = label_list({0, 1, 0, 1, 2, 2});
    for (const std::string name :
         {"contrastive", "triplet", "supervised-contrastive", "multi-similarity", "circle", "proxy-anchor", "range"}) {
        INFO(name);
        const auto loss = make_loss(name, classes, dim);
        Tensor narrow = cast(wide, DType::bfloat16);
        narrow.set_requires_grad();
        const Tensor value = loss->forward(narrow, labels);
        CHECK(value.dtype() == DType::float32);
        value.backward();
        CHECK(narrow.grad().dtype() == DType::bfloat16);
        CHECK(value.item() == Approx(loss->forward(cast(narrow.detach(), DType::float32), labels).item()));
    }
}

TEST_CASE("losses over pairs refuse options that make no sense", "[losses][pairs]") {
    CHECK(setting_error("contrastive", {{"margin", -1}}) == "Contrastive: margin is -1, expected at least 0");
    CHECK(setting_error("contrastive", {{"positive_margin", -1}}) ==
          "Contrastive: positive_margin is -1, expected at least 0");
    CHECK(setting_error("contrastive", {{"power", 3}}) == "Contrastive: power is 3, expected 1 or 2");
    CHECK(setting_error("contrastive", {{"momentum", 0}}) ==
          "Contrastive: momentum is 0, expected above 0 and at most 1");
    CHECK(setting_error("triplet", {{"margin", -1}}) == "Triplet: margin is -1, expected at least 0");
    CHECK(setting_error("triplet", {{"miner", 4}}) ==
          "triplet: miner is 4, expected one of all, hard, semi-hard, distance-weighted");
    CHECK(setting_error("triplet", {{"miner", "hrad"}}) ==
          "triplet: miner is hrad, expected one of all, hard, semi-hard, distance-weighted; did you mean hard?");
    CHECK(setting_error("triplet", {{"miner", "distance-weighted"}, {"normalise", false}}) ==
          "Triplet: the distance-weighted miner needs normalise, which is off");
    CHECK(setting_error("triplet", {{"miner", "distance-weighted"}}, 1) ==
          "Triplet: the distance-weighted miner needs a dim of at least 2, which is 1");
    CHECK(setting_error("triplet", {{"miner", "distance-weighted"}, {"cutoff", 0}}) ==
          "Triplet: cutoff 0 and furthest 1.4 must each be above 0");
    CHECK(setting_error("supervised-contrastive", {{"temperature", 0}}) ==
          "SupervisedContrastive: temperature is 0, expected above 0");
    CHECK(setting_error("multi-similarity", {{"alpha", 0}}) == "MultiSimilarity: alpha is 0, expected above 0");
    CHECK(setting_error("multi-similarity", {{"beta", -2}}) == "MultiSimilarity: beta is -2, expected above 0");
    CHECK(setting_error("circle", {{"gamma", 0}}) == "Circle: gamma is 0, expected above 0");
    CHECK(setting_error("circle", {{"margin", INFINITY}}) == "circle: margin is inf, expected a finite number");
    CHECK(setting_error("proxy-anchor", {{"alpha", 0}}) == "ProxyAnchor: alpha is 0, expected above 0");
    CHECK(setting_error("range", {{"beta", -1}}) == "Range: beta is -1, expected at least 0");
    CHECK(setting_error("range", {{"margin", -1}}) == "Range: margin is -1, expected at least 0");
    CHECK(setting_error("range", {{"k", 0}}) == "Range: largest is 0, expected at least 1");
    CHECK(error_of([] { Triplet({.classes = 0}); }) == "Triplet: classes 0 and dim 32 must each be at least 1");
}

TEST_CASE("losses over pairs refuse features and labels that do not fit", "[losses][pairs]") {
    const auto loss = make_loss("triplet", classes, dim);
    const Tensor feature = Tensor::full({2, dim}, 1);
    CHECK(error_of([&] {
              loss->forward(Tensor::zeros({2, 5}), label_list({0, 1}));
          }) == "Triplet: feature has dimension 5, prototypes have 3");
    CHECK(error_of([&] { loss->forward(feature, label_list({0})); }) ==
          "Triplet: labels are int64[1], expected int64[2]");
    CHECK(error_after([&] {
              loss->forward(feature, label_list({0, 4}));
          }) == bad_index("triplet_loss: label 4 of sample 1 is outside [0, 4)", 4, 1, 4));
    CHECK(error_after([&] {
              make_loss("proxy-anchor", classes, dim)->forward(feature, label_list({-1, 1}));
          }) == bad_index("proxy_anchor_loss: label -1 of sample 0 is outside [0, 4)", -1, 0, 4));
}

TEST_CASE("ops over pairs refuse matrices and labels that do not fit", "[ops][pairs]") {
    const Tensor square = Tensor::zeros({2, 2}), broad = Tensor::zeros({2, 3});
    const Tensor two = label_list({0, 1}), three = label_list({0, 1, 1});
    CHECK(error_of([&] { contrastive_loss(broad, {.rows = two}); }) ==
          "contrastive_loss: distances are [2, 3], expected a square without the columns' labels");
    CHECK(error_of([&] { triplet_loss(broad, {.rows = three, .columns = three}); }) ==
          "triplet_loss: the rows' labels are int64[3], expected int64[2]");
    CHECK(error_of([&] { circle_loss(broad, {.rows = two, .columns = two}); }) ==
          "circle_loss: the columns' labels are int64[2], expected int64[3]");
    CHECK(error_of([&] { supervised_contrastive_loss(square, {}); }) ==
          "supervised_contrastive_loss: the rows' labels are undefined");
    CHECK(error_of([&] { range_intra_loss(broad, two); }) ==
          "range_intra_loss: distances are [2, 3], expected [N, N] with N at least 1");
    CHECK(error_of([&] { distances(square, broad); }) == "distances: x has dimension 2, w has 3");
    CHECK(error_of([&] { update_class_means(broad, Tensor::zeros({2}), square, two, 0.1); }) ==
          "update_class_means: means are [2, 3] and seen is [2], expected [C, 2] and [C]");
}

TEST_CASE("losses over pairs are recorded as graphs that move their class means", "[losses][pairs][device]") {
    RandomInputs random(13);
    const Tensor labels = random.labels(9, classes);
    Tensor feature = random.tensor({9, dim}, -1, 1, DType::float32);
    feature.set_requires_grad();
    for (const std::string name :
         {"contrastive", "triplet", "supervised-contrastive", "multi-similarity", "circle", "proxy-anchor", "range"}) {
        INFO(name);
        check_recorded_steps(name, classes, dim, feature, labels);
    }
}

}  // namespace radial::test
