// Tests of the scores with which losses distinguish samples of their classes from others.
#include "every_loss.h"

#include "radial/losses/losses.h"

#include <cmath>
#include <map>
#include <set>

namespace radial::test {
namespace {

constexpr std::int64_t classes = 5, dim = 4, rows = 9;

/// A loss after one batch of training, in evaluation mode.
std::unique_ptr<Loss> trained(const std::string& expression, const LossSettings& settings = {}) {
    manual_seed(11);
    auto loss = make_loss(expression, classes, dim, settings);
    loss->to(DType::float64);
    const NoGrad no_grad;
    loss->forward(feature_of(10, dim, DType::float64), labels_of(10, classes));
    loss->eval();
    return loss;
}

/// |x_i - w_j|^2 of every row and every prototype: [rows, prototypes].
std::vector<std::vector<double>> distances_of(const Tensor& x, const Tensor& w) {
    const std::vector<double> a = x.to_vector<double>(), b = w.to_vector<double>();
    std::vector<std::vector<double>> all;
    for (std::size_t i = 0; i < a.size(); i += dim) {
        all.emplace_back();
        for (std::size_t j = 0; j < b.size(); j += dim) {
            double sum = 0;
            for (std::size_t d = 0; d < dim; ++d) sum += (a[i + d] - b[j + d]) * (a[i + d] - b[j + d]);
            all.back().push_back(sum);
        }
    }
    return all;
}

double least(const std::vector<double>& values) { return *std::min_element(values.begin(), values.end()); }

/// The only score of a loss. Fails the test if there are others or if it has another name.
std::vector<double> only_score(Loss& loss, const std::string& name, const Tensor& feature) {
    const std::vector<LossScore> scores = loss.scores(feature);
    REQUIRE(scores.size() == 1);
    CHECK(scores[0].name == name);
    CHECK_FALSE(scores[0].description.empty());
    REQUIRE(scores[0].values.shape() == Shape({rows}));
    return scores[0].values.to_vector<double>();
}

}  // namespace

TEST_CASE("the score of RBF-Softmax is the kernel of the nearest prototype", "[losses][scores]") {
    const Tensor x = feature_of(rows, dim, DType::float64, 0.7, 3);
    for (const std::int64_t each : {1, 3}) {
        const auto loss = trained("rbf-softmax", {{"gamma", 1.7}, {"scale", 6}, {"prototypes_per_class", each}});
        const auto score = only_score(*loss, "kernel", x);
        const auto expected = distances_of(x, loss->prototypes());
        for (std::size_t i = 0; i < rows; ++i) CHECK(score[i] == Approx(std::exp(-least(expected[i]) / 1.7)));
    }
}

TEST_CASE("a kernel is that of normalised features, and with reach that of the wider Gaussian", "[losses][scores]") {
    const Tensor x = feature_of(rows, dim, DType::float64, 3, 3);
    const auto normalised = trained("rbf-softmax", {{"normalise", true}});
    const auto near = distances_of(normalised->in_prototype_space(x), normalised->prototypes());
    const auto kernel = only_score(*normalised, "kernel", x);
    for (std::size_t i = 0; i < rows; ++i) CHECK(kernel[i] == Approx(std::exp(-least(near[i]))));
    const auto reaching = trained("rbf-softmax", {{"reach", 2}});
    const auto far = distances_of(x, reaching->prototypes());
    const auto reached = only_score(*reaching, "kernel", x);
    for (std::size_t i = 0; i < rows; ++i)
        CHECK(reached[i] == Approx(std::exp(-least(far[i]) / (1 + least(far[i]) / 2))));
}

TEST_CASE("the score of an RBF network is its largest unit", "[losses][scores]") {
    const Tensor x = feature_of(rows, dim, DType::float64, 0.7, 3);
    const auto loss = trained("rbf-network", {{"units_per_class", 2}});
    const auto score = only_score(*loss, "kernel", x);
    std::map<std::string, Tensor> parameters;
    for (const auto& [name, parameter] : loss->named_parameters()) parameters[name] = parameter;
    const auto far = distances_of(x, parameters.at("centres"));
    const auto log_widths = parameters.at("log_widths").to_vector<double>();
    for (std::size_t i = 0; i < rows; ++i) {
        double largest = 0;
        for (std::size_t m = 0; m < log_widths.size(); ++m)
            largest = std::max(largest, std::exp(-far[i][m] / std::exp(log_widths[m])));
        CHECK(score[i] == Approx(largest));
    }
}

TEST_CASE("losses of distances score by the negative distance to the nearest prototype", "[losses][scores]") {
    const Tensor x = feature_of(rows, dim, DType::float64, 0.7, 3);
    const std::vector<std::pair<std::string, LossSettings>> losses = {
        {"cpl", {{"gamma", 3}}},
        {"cpl", {{"prototypes_per_class", 3}}},
        {"g-cpl", {}},
        {"triplet", {{"normalise", false}}},
        {"contrastive", {{"normalise", false}}},
    };
    for (const auto& [name, settings] : losses) {
        INFO(name);
        const auto loss = trained(name, settings);
        const auto score = only_score(*loss, "distance", x);
        const auto far = distances_of(x, loss->prototypes());
        for (std::size_t i = 0; i < rows; ++i) CHECK(score[i] == Approx(-least(far[i])));
    }
}

TEST_CASE("ProxyNCA measures the distance between unit vectors", "[losses][scores]") {
    const Tensor x = feature_of(rows, dim, DType::float64, 0.7, 3);
    const auto loss = trained("proxy-nca", {{"scale", 9}});
    const auto score = only_score(*loss, "distance", x);
    const auto unit = [](const Tensor& v) { return v / sqrt(sum(square(v), {1}, true)); };
    const NoGrad no_grad;
    const auto far = distances_of(unit(x), unit(loss->prototypes()));
    for (std::size_t i = 0; i < rows; ++i) CHECK(score[i] == Approx(-least(far[i])));
}

TEST_CASE("L-GM scores by the largest log density, to which a learned variance belongs", "[losses][scores]") {
    const Tensor x = feature_of(rows, dim, DType::float64, 0.7, 3);
    const auto plain = trained("lgm");
    const auto far = distances_of(x, plain->prototypes());
    const auto score = only_score(*plain, "likelihood", x);
    for (std::size_t i = 0; i < rows; ++i) CHECK(score[i] == Approx(-0.5 * least(far[i])));

    const auto diagonal = trained("lgm", {{"covariance", "diagonal"}});
    for (const auto& [name, parameter] : diagonal->named_parameters()) {
        if (name != "log_variances") continue;
        Generator generator(5);
        normal_(parameter, 0, 0.5, generator);
    }
    const auto logits = diagonal->logits(x).to_vector<double>();
    const auto density = only_score(*diagonal, "likelihood", x);
    for (std::size_t i = 0; i < rows; ++i) {
        const auto begin = logits.begin() + static_cast<std::ptrdiff_t>(i) * classes;
        CHECK(density[i] == Approx(*std::max_element(begin, begin + classes)));
    }
}

TEST_CASE("a sum has the scores of its first term, and losses without distances have none", "[losses][scores]") {
    const Tensor x = feature_of(rows, dim, DType::float64, 0.7, 3);
    const auto sum = trained("rbf-softmax + 0.1 * ring"), alone = trained("rbf-softmax");
    CHECK(only_score(*sum, "kernel", x) == only_score(*alone, "kernel", x));
    for (const char* const name : {"softmax", "cosface", "supervised-contrastive", "center"}) {
        INFO(name);
        CHECK(trained(name)->scores(x).empty());
    }
}

TEST_CASE("the scores of every loss are finite, one a sample, and independent of the batch", "[losses][scores]") {
    const Tensor x = feature_of(rows, dim, DType::float64, 0.7, 3);
    for (const LossUnderTest& entry : every_loss()) {
        INFO(entry.expression);
        const auto loss = trained(entry.expression);
        const NoGrad no_grad;
        const std::vector<LossScore> whole = loss->scores(x), part = loss->scores(x.rows(2, 4));
        REQUIRE(part.size() == whole.size());
        std::set<std::string> names = {"probability", "energy"};
        for (std::size_t s = 0; s < whole.size(); ++s) {
            CHECK(names.insert(whole[s].name).second);
            CHECK(part[s].name == whole[s].name);
            REQUIRE(whole[s].values.shape() == Shape({rows}));
            const auto all = whole[s].values.to_vector<double>(), two = part[s].values.to_vector<double>();
            for (const double value : all) CHECK(std::isfinite(value));
            CHECK(two[0] == Approx(all[2]));
            CHECK(two[1] == Approx(all[3]));
        }
    }
}

TEST_CASE("features of another dimension have no score", "[losses][scores]") {
    const Tensor wrong = feature_of(2, dim + 1);
    for (const char* const name : {"rbf-softmax", "rbf-network", "cpl", "lgm", "proxy-nca"}) {
        const auto loss = make_loss(name, classes, dim);
        CHECK(error_of([&] { loss->scores(wrong); }).ends_with(": feature has dimension 5, prototypes have 4"));
    }
}

}  // namespace radial::test
