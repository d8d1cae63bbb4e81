// Charts, progress lines and times as text.
#include "radial/apps/common/report.h"
#include "../expect.h"
#include "radial/apps/common/charts.h"
#include "radial/apps/common/progress.h"

namespace radial::test {
namespace {

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

apps::ReportContent one_epoch() {
    apps::EpochResult epoch;
    epoch.epoch = epoch.best_epoch = 1;
    epoch.test_accuracy = epoch.best_accuracy = 0.5;
    apps::ReportContent content;
    content.title = "<a & b>";
    content.history = {epoch};
    content.epochs_planned = 1;
    content.evaluation.correct = 2;
    content.evaluation.total = 4;
    content.evaluation.confusion = {1, 1, 1, 1};
    content.class_names = {"cat", "dog"};
    content.dim = 3;
    content.settings = {{"lr", "0.1"}};
    return content;
}

}  // namespace

TEST_CASE("ticks are round numbers within the interval", "[host]") {
    CHECK(apps::round_ticks(0, 1, 5) == std::vector<double>{0, 0.2, 0.4, 0.6000000000000001, 0.8, 1});
    CHECK(apps::round_ticks(-3, 12, 3) == std::vector<double>{0, 5, 10});
    CHECK(apps::round_ticks(97, 203, 3) == std::vector<double>{100, 150, 200});
}

TEST_CASE("a chart of one epoch is a single point without infinite coordinates", "[host]") {
    const std::string svg = apps::line_chart({{"loss", {0.5}}}, false);
    CHECK(count(svg, "<circle") == 1);
    CHECK(count(svg, "nan") + count(svg, "inf") == 0);
}

TEST_CASE("a chart of equal values has no infinite coordinates", "[host]") {
    for (const double value : {0.0, 1.0}) {
        const std::string svg = apps::line_chart({{"accuracy", {value, value, value}}}, true);
        CHECK(count(svg, "<circle") == 3);
        CHECK(count(svg, "nan") + count(svg, "inf") == 0);
    }
}

TEST_CASE("a scatter has a dot a point and a marker a prototype", "[host]") {
    const std::vector<float> points = {0, 0, 1, 1, 2, 0}, prototypes = {0, 1, 2, 1};
    const std::vector<std::int64_t> labels = {0, 1, 1};
    const std::string svg =
        apps::scatter_chart({.points = points, .labels = labels, .prototypes = prototypes, .class_names = {"a", "b"}});
    CHECK(count(svg, "h0") == 3);
    CHECK(count(svg, "class=\"prototype\"") == 2);
}

TEST_CASE("a scatter of points in one place has no infinite coordinates", "[host]") {
    const std::vector<float> points = {1, 1, 1, 1};
    const std::vector<std::int64_t> labels = {0, 0};
    const std::string svg =
        apps::scatter_chart({.points = points, .labels = labels, .prototypes = {}, .class_names = {"a"}});
    CHECK(count(svg, "nan") + count(svg, "inf") == 0);
}

TEST_CASE("a confusion table shows every count and the share found", "[host]") {
    const std::vector<std::int64_t> confusion = {3, 1, 0, 7};
    const std::string html = apps::confusion_table(confusion, {"cat", "dog"});
    CHECK(count(html, "1 of 4 images of cat taken for dog") == 1);
    CHECK(count(html, ">75.0%<") == 1);
    CHECK(count(html, ">100.0%<") == 1);
}

TEST_CASE("a class without test images has a row in the confusion table", "[host]") {
    const std::string html = apps::confusion_table(std::vector<std::int64_t>{0, 0, 0, 5}, {"cat", "dog"});
    CHECK(count(html, ">0.0%<") == 1);
    CHECK(count(html, "nan") == 0);
}

TEST_CASE("a report escapes what it is given", "[host]") {
    const std::string page = apps::report_page(one_epoch());
    CHECK(count(page, "<a & b>") == 0);
    CHECK(count(page, "<h1>&lt;a &amp; b&gt;</h1>") == 1);
}

TEST_CASE("a report of an unfinished run says how far it is", "[host]") {
    apps::ReportContent content = one_epoch();
    content.epochs_planned = 8;
    CHECK(count(apps::report_page(content), "(epoch 1 of 8 done)") == 2);
}

TEST_CASE("a progress line shows loss, accuracy, speed and time left", "[host]") {
    const apps::ProgressState state{.epoch = 2,
                                    .epochs = 8,
                                    .step = 1,
                                    .steps = 4,
                                    .loss = 0.5,
                                    .accuracy = 0.9,
                                    .images_per_second = 1500,
                                    .seconds_left = 67};
    CHECK(apps::format_progress(state, 0) == "epoch 2/8   25%  loss 0.5000  accuracy 90.00%  1500 images/s  1:07 left");
    CHECK(apps::format_progress(state, 8) ==
          "epoch 2/8 [==>     ]  25%  loss 0.5000  accuracy 90.00%  1500 images/s  1:07 left");
}

TEST_CASE("durations are written as clocks show them", "[host]") {
    CHECK(apps::format_duration(7.4) == "0:07");
    CHECK(apps::format_duration(750) == "12:30");
    CHECK(apps::format_duration(3723) == "1:02:03");
    CHECK(apps::format_duration(-1) == "0:00");
}

}  // namespace radial::test
