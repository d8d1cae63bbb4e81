// Tests of charts, tables of confusion, the report page, progress lines and formatted times.
#include "radial/apps/report/report.h"
#include "../../expect.h"
#include "radial/apps/report/charts.h"
#include "radial/apps/train/console/progress.h"

#include <cmath>

namespace radial::test {
namespace {

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

/// Samples with this confusion matrix: rows are true classes, columns are predicted classes.
struct Samples {
    std::vector<std::int64_t> labels, predicted;
    std::int64_t classes = 0;

    explicit Samples(const std::vector<std::vector<int>>& counts) : classes(std::ssize(counts)) {
        for (std::int64_t truth = 0; truth < classes; ++truth)
            for (std::int64_t guess = 0; guess < classes; ++guess)
                add(truth, guess, counts[static_cast<std::size_t>(truth)][static_cast<std::size_t>(guess)]);
    }
    explicit Samples(std::int64_t of) : classes(of) {}
    void add(std::int64_t truth, std::int64_t guess, std::int64_t count) {
        labels.insert(labels.end(), static_cast<std::size_t>(count), truth);
        predicted.insert(predicted.end(), static_cast<std::size_t>(count), guess);
    }
    train::Confusion confusion() const { return {labels, predicted, classes}; }
    void into(train::Evaluation& evaluation) const {
        evaluation.labels = labels;
        evaluation.predicted = predicted;
        evaluation.classes = classes;
    }
};

train::ReportContent one_epoch() {
    train::EpochResult epoch;
    epoch.epoch = epoch.best_epoch = 1;
    epoch.test_accuracy = epoch.best_accuracy = 0.5;
    train::ReportContent content;
    content.title = "<a & b>";
    content.history = {epoch};
    content.epochs_planned = 1;
    content.evaluation.correct = 2;
    content.evaluation.total = 4;
    Samples({{1, 1}, {1, 1}}).into(content.evaluation);
    content.class_names = {"cat", "dog"};
    content.dim = 3;
    content.settings = {{"lr", "0.1"}};
    return content;
}

}  // namespace

TEST_CASE("ticks are round numbers within the interval", "[host]") {
    CHECK(train::round_ticks(0, 1, 5) == std::vector<double>{0, 0.2, 0.4, 0.6000000000000001, 0.8, 1});
    CHECK(train::round_ticks(-3, 12, 3) == std::vector<double>{0, 5, 10});
    CHECK(train::round_ticks(97, 203, 3) == std::vector<double>{100, 150, 200});
}

TEST_CASE("a chart of one epoch is a single point without infinite coordinates", "[host]") {
    const std::string svg = train::line_chart({{"loss", {0.5}}}, false);
    CHECK(count(svg, "<circle") == 1);
    CHECK(count(svg, "nan") + count(svg, "inf") == 0);
}

TEST_CASE("a chart of equal values has no infinite coordinates", "[host]") {
    for (const double value : {0.0, 1.0}) {
        const std::string svg = train::line_chart({{"accuracy", {value, value, value}}}, true);
        CHECK(count(svg, "<circle") == 3);
        CHECK(count(svg, "nan") + count(svg, "inf") == 0);
    }
}

TEST_CASE("a scatter has a dot a point and a marker a prototype", "[host]") {
    const std::vector<float> points = {0, 0, 1, 1, 2, 0}, prototypes = {0, 1, 2, 1};
    const std::vector<std::int64_t> labels = {0, 1, 1};
    const std::string svg =
        train::scatter_chart({.points = points, .labels = labels, .prototypes = prototypes, .class_names = {"a", "b"}});
    CHECK(count(svg, "h0") == 3);
    CHECK(count(svg, "class=\"prototype\"") == 2);
}

TEST_CASE("a scatter of points in one place has no infinite coordinates", "[host]") {
    const std::vector<float> points = {1, 1, 1, 1};
    const std::vector<std::int64_t> labels = {0, 0};
    const std::string svg =
        train::scatter_chart({.points = points, .labels = labels, .prototypes = {}, .class_names = {"a"}});
    CHECK(count(svg, "nan") + count(svg, "inf") == 0);
}

TEST_CASE("a confusion table shows every count and the share found", "[host]") {
    const std::string html = train::confusion_table(Samples({{3, 1}, {0, 7}}).confusion(), {"cat", "dog"});
    CHECK(count(html, "1 of 4 images of cat taken for dog") == 1);
    CHECK(count(html, ">75.0%<") == 1);
    CHECK(count(html, ">100.0%<") == 1);
}

TEST_CASE("a class without test images has a row in the confusion table", "[host]") {
    const std::string html = train::confusion_table(Samples({{0, 0}, {0, 5}}).confusion(), {"cat", "dog"});
    CHECK(count(html, ">0.0%<") == 1);
    CHECK(count(html, "nan") == 0);
}

TEST_CASE("lines of different length and with gaps share a chart", "[host]") {
    const std::string svg =
        train::line_chart({{"long", {1, NAN, 3, 4}}, {"short", {2, INFINITY}}, {"none", {}}}, false);
    CHECK(count(svg, "<circle") == 4);
    CHECK(count(svg, "nan") + count(svg, "inf") == 0);
    CHECK(count(svg, "L") == 1);  // of the four points, only 3 and 4 are adjacent
}

TEST_CASE("the ninth line of a chart is told from the first by dashes", "[host]") {
    CHECK(train::line_style(0) == "s0");
    CHECK(train::line_style(8) == "s0 dashed");
}

TEST_CASE("the most confused pairs are those with the largest counts, then shares", "[host]") {
    //                     a  b  c
    const Samples samples({{5, 2, 3},    // a
                           {2, 0, 0},    // b
                           {0, 1, 9}});  // c
    const std::string html = train::confused_pairs(samples.confusion(), {"a", "b", "c"}, 3);
    const std::vector<std::string> rows = {"<tr><td>a</td><td>c</td><td>3</td><td>30.0%</td></tr>",
                                           "<tr><td>b</td><td>a</td><td>2</td><td>100.0%</td></tr>",
                                           "<tr><td>a</td><td>b</td><td>2</td><td>20.0%</td></tr>"};
    CHECK(count(html, "<tr><td>") == 3);
    CHECK(html.find(rows[0]) < html.find(rows[1]));
    CHECK(html.find(rows[1]) < html.find(rows[2]));
    CHECK(count(html, rows[2]) == 1);
    CHECK(train::confused_pairs(Samples({{3, 0}, {0, 4}}).confusion(), {"a", "b"}, 3).empty());
}

TEST_CASE("accuracies by class are bars, lowest first", "[host]") {
    const std::string html = train::class_accuracy(Samples({{3, 1}, {2, 2}}).confusion(), {"cat", "dog"});
    CHECK(count(html, "2 of 4 images") == 1);
    CHECK(html.find("<span>dog</span>") < html.find("<span>cat</span>"));
    CHECK(count(html, "<b>75.0%</b>") == 1);
}

TEST_CASE("a class without test images has no accuracy", "[host]") {
    const std::string html = train::class_accuracy(Samples({{0, 0}, {1, 0}}).confusion(), {"cat", "dog"});
    CHECK(count(html, "<b>–</b>") == 1);
    CHECK(html.find("<span>dog</span>") < html.find("<span>cat</span>"));
}

TEST_CASE("confusion among a hundred thousand classes takes memory for its samples alone", "[host]") {
    constexpr std::int64_t classes = 100'000;
    Samples samples(classes);
    samples.add(7, 99'999, 2);
    samples.add(99'999, 99'999, 1);
    samples.add(7, 7, 1);
    const train::Confusion confusion = samples.confusion();
    CHECK(confusion.cells().size() == 3);
    CHECK(confusion.total(7) == 3);
    CHECK(confusion.count(7, 99'999) == 2);
    CHECK(confusion.count(7, 8) == 0);
    CHECK(confusion.count(99'999, 99'999) == 1);
    CHECK(confusion.total(0) == 0);
    CHECK(confusion.row(7).front().predicted == 7);
}

TEST_CASE("confusion refuses a class that is not there, and samples without a prediction", "[host]") {
    const std::vector<std::int64_t> one = {3}, two = {0, 1}, negative = {-1};
    CHECK(error_of([&] { train::Confusion(one, one, 3); }) == "confusion: class 3 is outside [0, 3)");
    CHECK(error_of([&] { train::Confusion(one, negative, 4); }) == "confusion: class -1 is outside [0, 4)");
    CHECK(error_of([&] { train::Confusion(one, two, 4); }) == "confusion: 1 true classes and 2 predicted ones");
}

TEST_CASE("a report shows ten classes as a table, a hundred as a map, a thousand as pairs", "[host]") {
    for (const std::size_t classes : {10, 100, 1000}) {
        INFO(classes);
        train::ReportContent content = one_epoch();
        content.class_names.clear();
        for (std::size_t c = 0; c < classes; ++c) content.class_names.push_back(fmt::format("class number {}", c));
        const auto number = static_cast<std::int64_t>(classes);
        Samples samples(number);
        for (std::int64_t c = 0; c < number; ++c) {
            samples.add(c, c, c % 7);
            samples.add(c, (c + 1) % number, 3);
        }
        samples.into(content.evaluation);
        const std::string page = train::report_page(content);
        CHECK(count(page, "<table class=\"confusion") == (classes == 10 ? 1 : 0));
        CHECK(count(page, "<svg class=\"map\"") == (classes == 100 ? 1 : 0));
        CHECK(count(page, "<h2>Most confused classes</h2>") == (classes == 10 ? 0 : 1));
        CHECK(count(page, "class number 5<") >= 1);
        CHECK(count(page, fmt::format("All {} classes", classes)) == (classes == 10 ? 0 : 1));
        CHECK(page.size() < 600'000);
    }
}

TEST_CASE("a report shows the calibration of the confidences and the top-5 accuracy of six classes", "[host]") {
    train::ReportContent content = one_epoch();
    CHECK(count(train::report_page(content), "Calibration") == 0);  // this evaluation has no confidences
    content.class_names = {"a", "b", "c", "d", "e", "f"};
    content.evaluation.classes = 6;
    content.evaluation.confidences = {0.95F, 0.95F, 0.3F, 0.5F};
    content.evaluation.label_ranks = {0, 5, 1, 0};
    const std::string page = train::report_page(content);
    CHECK(count(page, "Top-5 test accuracy, last epoch</span><b>75.00%</b>") == 1);
    CHECK(count(page, "Expected calibration error: 0.4250.") == 1);
    CHECK(count(page, "<rect class=\"bin\"") == 3);
    CHECK(count(page, "<title>2 images with confidence 93.3% to 100.0% (mean 95.0%): 50.0% correct</title>") == 1);
}

TEST_CASE("a report shows the worst mistakes with their pictures and names", "[host]") {
    train::ReportContent content = one_epoch();
    content.class_names = {"cat", "<dog>"};
    content.mistakes.push_back({{.sample = 7, .truth = 0, .predicted = 1, .confidence = 0.9994},
                                train::png_of(Tensor::zeros({3, 4, 4}, DType::uint8, Device{}), 128)});
    const std::string page = train::report_page(content);
    CHECK(count(page, "<img src=\"data:image/png;base64,iVBORw0KGgo") == 1);
    CHECK(count(page, "taken for <b>&lt;dog&gt;</b>") == 1);
    CHECK(count(page, "99.94%") == 1);
    CHECK(count(page, "test image 7, 4 x 4 pixels") == 1);
    content.mistakes.clear();
    CHECK(count(train::report_page(content), "Worst mistakes") == 0);
}

TEST_CASE("a report escapes what it is given", "[host]") {
    const std::string page = train::report_page(one_epoch());
    CHECK(count(page, "<a & b>") == 0);
    CHECK(count(page, "<h1>&lt;a &amp; b&gt;</h1>") == 1);
}

TEST_CASE("a report of an unfinished run says how far it is", "[host]") {
    train::ReportContent content = one_epoch();
    content.epochs_planned = 8;
    CHECK(count(train::report_page(content), "(epoch 1 of 8 done)") == 2);
}

TEST_CASE("a progress line shows loss, accuracy, speed and time left", "[host]") {
    const train::ProgressState state{.epoch = 2,
                                     .epochs = 8,
                                     .step = 1,
                                     .steps = 4,
                                     .loss = 0.5,
                                     .accuracy = 0.9,
                                     .images_per_second = 1500,
                                     .seconds_left = 67};
    CHECK(train::format_progress(state, 0) ==
          "epoch 2/8   25%  loss 0.5000  accuracy 90.00%  1500 images/s  1:07 left");
    CHECK(train::format_progress(state, 8) ==
          "epoch 2/8 [==>     ]  25%  loss 0.5000  accuracy 90.00%  1500 images/s  1:07 left");
}

TEST_CASE("durations are written as clocks show them", "[host]") {
    CHECK(train::format_duration(7.4) == "0:07");
    CHECK(train::format_duration(750) == "12:30");
    CHECK(train::format_duration(3723) == "1:02:03");
    CHECK(train::format_duration(-1) == "0:00");
}

}  // namespace radial::test
