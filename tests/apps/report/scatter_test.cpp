// Tests of scatter charts of features and prototypes, for one run and for several side by side.
#include "../../expect.h"
#include "../program.h"
#include "radial/apps/report/charts.h"
#include "radial/train.h"

namespace radial::test {
namespace {

/// Features at the corners of the square from (-10, -10) to (10, 10), and the given prototypes.
struct Square {
    std::vector<float> points = {-10, -10, 10, 10, -10, 10, 10, -10};
    std::vector<std::int64_t> labels = {0, 1, 2, 3};
    std::vector<float> prototypes;
    explicit Square(std::vector<float> of) : prototypes(std::move(of)) {}

    train::Scatter scatter() const {
        return {.points = points, .labels = labels, .prototypes = prototypes, .class_names = {"a", "b", "c", "d"}};
    }
    train::ScatterView view() const { return view_of(scatter()); }
    std::string note() const { return describe(view(), scatter()); }
};

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

ProgramResult scatter(const std::string& arguments) {
    return run_program("radial-prototypes", "scatter --threads 2 " + arguments);
}

}  // namespace

TEST_CASE("prototypes among the features are drawn where they lie", "[host]") {
    const Square square({-9, 9, 5, 0, 0, -5, 1, 1});
    const train::ScatterView view = square.view();
    CHECK_FALSE(view.rays);
    CHECK(view.half == Approx(10.5));
    for (std::size_t c = 0; c < 4; ++c) {
        CHECK(view.marks[c].at_place);
        CHECK(view.marks[c].x == square.prototypes[2 * c]);
        CHECK(view.marks[c].y == square.prototypes[2 * c + 1]);
    }
    CHECK(square.note() == "Numbered circles are the prototypes.");
    CHECK(count(scatter_chart(square.scatter()), "class=\"ray\"") == 0);
}

TEST_CASE("several prototypes of a class carry the class's number", "[host]") {
    const Square square({1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8});
    const std::string chart = scatter_chart(square.scatter());
    for (const std::string name : {"a", "b", "c", "d"}) CHECK(count(chart, "prototype of " + name + " ") == 2);
}

TEST_CASE("a prototype a little outside the features widens the chart", "[host]") {
    const train::ScatterView view = Square({14, 0, 5, 0, 0, -5, 1, 1}).view();
    CHECK(view.marks[0].at_place);
    CHECK(view.x == Approx(2));
    CHECK(view.half == Approx(12 * 1.05));
}

TEST_CASE("a prototype far outside is drawn at the edge, in its direction, and does not squash the chart", "[host]") {
    const Square square({1000, 500, 5, 0, 0, -5, 1, 1});
    const train::ScatterView view = square.view();
    CHECK(view.half == Approx(10.5));
    CHECK_FALSE(view.marks[0].at_place);
    CHECK(view.marks[0].x == Approx(0.94 * 10.5));
    CHECK(view.marks[0].y == Approx(0.94 * 10.5 / 2));
    CHECK(view.marks[1].at_place);
    CHECK(square.note() ==
          "Numbered circles are the prototypes. Dashed ones at the edge lie further out, in that direction: 0.");
    CHECK(count(scatter_chart(square.scatter()), "class=\"prototype far\"") == 1);
}

TEST_CASE("prototypes that are all tiny beside the features are drawn as directions", "[host]") {
    const Square square({0.1F, 0, -0.1F, 0, 0, 0.2F, 0, 0});
    const train::ScatterView view = square.view();
    CHECK(view.rays);
    CHECK(view.half == Approx(10.5));
    CHECK(view.marks[0].x == Approx(0.94 * 10.5));
    CHECK(view.marks[1].x == Approx(-0.94 * 10.5));
    CHECK(view.marks[2].y == Approx(0.94 * 10.5));
    CHECK(std::hypot(view.marks[3].x, view.marks[3].y) == 0);  // a zero vector has no direction and stays at the origin
    CHECK(
        square.note() ==
        "Numbered rays are the prototypes' directions from the origin. Their lengths, up to 0.2, would not show beside "
        "the features', up to 14.1.");
    CHECK(count(scatter_chart(square.scatter()), "class=\"ray\"") == 4);
}

TEST_CASE("prototypes that are mostly far outside are drawn as directions", "[host]") {
    const train::ScatterView view = Square({1000, 0, -1000, 0, 0, 1000, 1, 1}).view();
    CHECK(view.rays);
    CHECK(view.half == Approx(10.5));
}

TEST_CASE("a chart that keeps places is wide enough for every prototype", "[host]") {
    for (const std::vector<float>& prototypes :
         {std::vector<float>{1000, 500, 5, 0, 0, -5, 1, 1}, {0.1F, 0, -0.1F, 0, 0, 0.2F, 0, 0}}) {
        const Square square(prototypes);
        train::Scatter scatter = square.scatter();
        scatter.keep_places = true;
        const train::ScatterView view = view_of(scatter);
        CHECK_FALSE(view.rays);
        for (std::size_t c = 0; c < 4; ++c) {
            CHECK(view.marks[c].at_place);
            CHECK(view.marks[c].x == prototypes[2 * c]);
            CHECK(view.marks[c].y == prototypes[2 * c + 1]);
            CHECK(std::abs(view.marks[c].x - view.x) < view.half);
        }
        CHECK(describe(view, scatter) == "Numbered circles are the prototypes.");
        CHECK(count(scatter_chart(scatter), "class=\"prototype\"") == 4);
    }
}

TEST_CASE("directions start at the origin even when the features do not reach it", "[host]") {
    Square square({0.1F, 0, -0.1F, 0});
    for (float& value : square.points) value += 100;
    const train::ScatterView view = square.view();
    CHECK(view.rays);
    CHECK(view.x - view.half < 0);
    CHECK(view.y - view.half < 0);
}

TEST_CASE("a loss without prototypes is said to have none", "[host]") {
    CHECK(Square({}).note() == "The loss has no prototypes.");
    CHECK(Square({}).view().half == Approx(10.5));
}

TEST_CASE("values that are not finite leave no mark that is not finite", "[host]") {
    Square square({NAN, 0, INFINITY, 1, 5, 5, 1, 1});
    square.points[0] = NAN;
    square.points[3] = INFINITY;
    const std::string chart = scatter_chart(square.scatter());
    // The attributes that place marks must not contain NaN or infinity; the titles of prototypes may.
    CHECK(count(chart, "\"nan\"") + count(chart, "\"inf\"") + count(chart, "Mnan") + count(chart, "Minf") == 0);
    CHECK(count(chart, "h0") == 2);
}

TEST_CASE("runs are drawn side by side on one page with their losses, settings and accuracies", "[host]") {
    const TemporaryFolder folder;
    write_patterns(folder / "data", 40, 20);
    const std::string data = " --data " + (folder / "data").string();
    const auto train = [&](const std::string& name, const std::string& arguments) {
        const ProgramResult result =
            run_program("radial-mnist", "train --epochs 1 --batch 20 --threads 2 --out '" + (folder / name).string() +
                                            "' " + arguments + data);
        INFO(result.error);
        REQUIRE(result.status == 0);
    };
    train("a & b", "--dim 2 --loss 'rbf-softmax + 0.5 * softmax' --loss.gamma 2");
    train("soft", "--dim 2 --loss softmax");
    const std::string page_file = (folder / "page.html").string();
    const ProgramResult result =
        scatter("'" + (folder / "a & b").string() + "' " + (folder / "soft").string() + " --out " + page_file + data);
    INFO(result.error);
    REQUIRE(result.status == 0);
    CHECK(result.out.ends_with("page: " + page_file + "\n"));
    const std::string page = read_text(page_file);
    CHECK(count(page, "<svg") == 2);
    CHECK(count(page, "class=\"dots\"") == 2 * 10);
    CHECK(count(page, "class=\"prototype") == 2 * 10);
    CHECK(count(page, "<h2>rbf-softmax + 0.5 * softmax</h2>") == 1);
    CHECK(count(page, "<h2>softmax</h2>") == 1);
    CHECK(count(page, "rbf-softmax.gamma 2") == 1);
    CHECK(count(page, "/a &amp; b<br>") == 1);
    const double accuracy = read_metrics(folder / "soft").back().at("test_accuracy");
    CHECK(count(page, fmt::format("<b>{:.2f}%</b> of 20 test images right", 100 * accuracy)) >= 1);
    for (const char* outside : {"http:", "https:", "<script", "<link", "url("}) CHECK(count(page, outside) == 0);
}

TEST_CASE("features of more dimensions are drawn along their principal components, each prototype once", "[host]") {
    const TemporaryFolder folder;
    write_patterns(folder / "data", 40, 20);
    const std::string data = " --data " + (folder / "data").string(), run = (folder / "wide").string();
    REQUIRE(run_program("radial-mnist", "train --dim 5 --epochs 1 --batch 20 --threads 2 --out " + run + data).status ==
            0);
    const ProgramResult result = scatter(run + " --out " + (folder / "page.html").string() + data);
    INFO(result.error);
    REQUIRE(result.status == 0);
    const std::string page = read_text(folder / "page.html");

    const train::Classifier classifier = train::load_classifier(folder / "wide/checkpoint.safetensors");
    const data::DatasetInfo& mnist = data::dataset_registry().at("mnist");
    data::Loader loader(mnist.read(folder / "data", false), {.batch_size = 128, .mean = mnist.mean, .std = mnist.std});
    const train::Evaluation found =
        train::evaluate(*classifier.model, *classifier.loss, loader, Device{}, {.keep_features = true});
    const train::PrincipalComponents axes = train::principal_components(found.features, 5, 2);
    CHECK(count(page, fmt::format("Projected from 5 dimensions onto the first two principal components of the "
                                  "features, which explain {:.1f}% and {:.1f}% of their variance.",
                                  100 * axes.explained[0], 100 * axes.explained[1])) == 1);
    const std::vector<float> places = axes.project(classifier.loss->prototypes().to_vector<float>());
    CHECK(count(page, "class=\"prototype") == 10);
    for (std::size_t c = 0; c < 10; ++c) {
        CHECK(count(page, fmt::format("prototype of {} ({:.3g}, {:.3g})<", c, places[2 * c], places[2 * c + 1])) == 1);
    }
}

TEST_CASE("what cannot be drawn is named", "[host]") {
    const TemporaryFolder folder;
    write_patterns(folder / "data", 20, 10);
    const std::string data = " --data " + (folder / "data").string(), run = (folder / "narrow").string();
    REQUIRE(run_program("radial-mnist", "train --dim 1 --epochs 1 --threads 2 --out " + run + data).status == 0);
    const ProgramResult narrow = scatter(run + data);
    CHECK(narrow.status == 1);
    CHECK(narrow.first_error() ==
          "radial-prototypes scatter: " + run + ": its feature has one dimension, a scatter needs 2 or more");
    const ProgramResult missing = scatter("/nonexistent/run" + data);
    CHECK(missing.status == 1);
    CHECK(missing.first_error().starts_with("radial-prototypes scatter: /nonexistent/run"));
    const ProgramResult none = scatter(data);
    CHECK(none.status == 2);
    CHECK(none.first_error() == "radial-prototypes scatter: RUN is required");
}

}  // namespace radial::test
