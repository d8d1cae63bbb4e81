// Tests of the search for a learning rate: the curve, where it ends, and the command.
#include "radial/apps/train/rate_search.h"
#include "../../expect.h"
#include "../program.h"
#include "radial/apps/report/rate_page.h"
#include "radial/core/ops.h"
#include "radial/core/optim/sgd.h"
#include "radial/data/data.h"
#include "radial/layers/layers.h"
#include "radial/losses/losses.h"

#include <limits>

namespace radial::test {
namespace {

using train::RateCurve;
using train::RateSearchOptions;

/// A network with one weight, 0 at first, on samples x = 1 with the target 1: the loss is (w - 1)^2.
struct OneWeight {
    OneWeight()
        : net({.in_features = 1, .out_features = 1, .bias = false}),
          set(std::make_shared<data::TensorSet>(Tensor::full({4, 1}, 1), Tensor::full({4, 1}, 1))),
          loader(set, {.batch_size = 2, .workers = 0}) {
        net.parameters().front().detach().fill_(0);
    }

    RateCurve search(const RateSearchOptions& options) {
        MeanSquaredError loss;
        Sgd optimizer(net.parameters(), {.lr = 1});
        return train::search_rate({.model = net, .loss = loss, .optimizer = optimizer}, loader, options);
    }

    Linear net;
    std::shared_ptr<data::TensorSet> set;
    data::Loader loader;
};

RateCurve curve_of(const std::vector<double>& losses) {
    RateCurve curve;
    double lr = 1e-3;
    for (const double loss : losses) {
        curve.points.push_back({.lr = lr, .loss = loss, .smoothed = loss});
        lr *= 10;
    }
    return curve;
}

}  // namespace

TEST_CASE("a search raises the rate by the same factor in every step", "[host][train]") {
    OneWeight task;
    const RateCurve curve = task.search({.first = 1e-4, .last = 1e-1, .steps = 4});
    REQUIRE(curve.points.size() == 4);
    for (std::size_t i = 0; i < 4; ++i)
        CHECK(curve.points[i].lr == Approx(1e-4 * std::pow(10, static_cast<double>(i))));
    CHECK_FALSE(curve.diverged);
}

TEST_CASE("the losses of a search are those of gradient descent with its rates", "[host][train]") {
    OneWeight task;
    const RateCurve curve = task.search({.first = 1e-3, .last = 0.1, .steps = 3, .smoothing = 0.5});
    double w = 0, average = 0, weight = 0;
    for (const train::RatePoint& point : curve.points) {
        const double loss = (w - 1) * (w - 1);
        CHECK(point.loss == Approx(loss).epsilon(1e-6));
        average = 0.5 * average + 0.5 * loss;
        weight = 0.5 * weight + 0.5;
        CHECK(point.smoothed == Approx(average / weight).epsilon(1e-6));
        w -= point.lr * 2 * (w - 1);
    }
}

TEST_CASE("a search ends when the loss grows without bound", "[host][train]") {
    OneWeight task;
    const RateCurve curve = task.search({.first = 0.1, .last = 1e6, .steps = 50});
    CHECK(curve.diverged);
    CHECK(curve.points.size() < 50);
    CHECK(std::isfinite(curve.points.back().smoothed));
}

TEST_CASE("the steepest fall is over the logarithm of the rate", "[host][train]") {
    const RateCurve curve = curve_of({2.3, 2.2, 1.5, 1.2, 4});
    CHECK(curve.steepest() == Approx(1e-1));
    CHECK(curve.lowest() == Approx(1));
}

TEST_CASE("a curve that never falls has no steepest fall", "[host][train]") {
    CHECK(std::isnan(curve_of({1, 1, 2}).steepest()));
    CHECK(std::isnan(curve_of({1, 0.5}).steepest()));
    CHECK(std::isnan(RateCurve{}.lowest()));
}

TEST_CASE("a search says which option is wrong", "[host][train]") {
    OneWeight task;
    const auto error = [&](const RateSearchOptions& options) { return error_of([&] { task.search(options); }); };
    CHECK(error({.first = 0}) == "search_rate: rates from 0 to 10, expected a positive one and a larger one");
    CHECK(error({.first = 1, .last = std::numeric_limits<double>::infinity()}) ==
          "search_rate: rates from 1 to inf, expected a positive one and a larger one");
    CHECK(error({.steps = 1}) == "search_rate: 1 steps, expected at least 2");
    CHECK(error({.smoothing = 1}) == "search_rate: smoothing is 1, expected in [0, 1)");
    CHECK(error({.divergence = 1}) == "search_rate: divergence is 1, expected above 1");
}

TEST_CASE("the page of a search names its rates", "[host][report]") {
    const std::string page = train::rate_page(curve_of({2.3, 2.2, 1.5, 1.2, 4}), "LeNets++");
    CHECK(page.find("falls fastest at 0.1 (the vertical line) and is lowest at 1.") != std::string::npos);
    CHECK(page.find("LeNets++") != std::string::npos);
    CHECK(train::rate_page(curve_of({1, 1, 2}), "x").find("It never falls.") != std::string::npos);
}

TEST_CASE("train --find-lr writes the curve and leaves a run in its folder alone", "[host][cli]") {
    const TemporaryFolder folder;
    write_patterns(folder / "data", 200, 20);
    const std::string run = (folder / "run").string();
    const std::string arguments = "train --threads 2 --epochs 1 --data " + (folder / "data").string() + " --out " + run;
    REQUIRE(run_program("radial-mnist", arguments).status == 0);
    const std::string before = read_text(folder / "run" / "metrics.jsonl");
    const ProgramResult result = run_program("radial-mnist", arguments + " --find-lr --batch 10");
    CHECK(result.error == "");
    CHECK(result.out.find("the loss falls fastest at --lr ") != std::string::npos);
    CHECK(result.out.find("curve: " + run + "/find-lr.html\n") != std::string::npos);
    CHECK(read_text(folder / "run" / "find-lr.html").find("<svg") != std::string::npos);
    const std::string lines = read_text(folder / "run" / "find-lr.jsonl");
    CHECK(nlohmann::json::parse(lines.substr(0, lines.find('\n'))).at("lr") == 1e-5);
    CHECK(read_text(folder / "run" / "metrics.jsonl") == before);
    CHECK(run_program("radial-mnist", "train --resume " + run + " --find-lr").status == 2);
}

}  // namespace radial::test
