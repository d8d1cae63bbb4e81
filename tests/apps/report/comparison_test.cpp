// Tests of radial-report: a page that compares several runs, and errors for folders without a run.
#include "../../catch.h"
#include "../program.h"

#include <fmt/core.h>

#include <sys/stat.h>

#include <fstream>

namespace radial::test {
namespace {

namespace fs = std::filesystem;

nlohmann::json epoch(int number, double accuracy, double best, int best_epoch) {
    return {{"epoch", number},
            {"train_loss", 1.0 / number},
            {"train_accuracy", accuracy},
            {"test_loss", 0.5},
            {"test_accuracy", accuracy},
            {"best_accuracy", best},
            {"best_epoch", best_epoch},
            {"images_per_second", 1000.0 * number},
            {"mean_kernel", nullptr},
            {"initial_mean_kernel", nullptr},
            {"seconds", 2.0},
            {"lr", 0.1},
            {"gradient_norm", 1.0},
            {"peak_bytes", 5000000},
            {"order", "00"}};
}

/// Adds a metric of the loss to a line of metrics.jsonl.
nlohmann::json reporting(nlohmann::json line) {
    line["feature_length"] = 3.5;
    line["initial_feature_length"] = 1.5;
    return line;
}

/// Folders of synthetic runs.
class Runs {
public:
    void write(const std::string& name, const nlohmann::json& options, const std::vector<nlohmann::json>& lines) const {
        fs::create_directories(folder_ / name);
        const nlohmann::json config = {
            {"program", "radial-mnist train"}, {"version", "1"}, {"device_description", "cpu"}, {"options", options}};
        std::ofstream(folder_ / (name + "/config.json")) << config.dump();
        std::ofstream metrics(folder_ / (name + "/metrics.jsonl"));
        for (const auto& line : lines) metrics << line.dump() << "\n";
    }
    void append(const std::string& name, const std::string& text) const {
        std::ofstream(folder_ / (name + "/metrics.jsonl"), std::ios::app) << text;
    }
    std::string path(const std::string& name) const { return (folder_ / name).string(); }
    ProgramResult report(const std::string& names) const {
        return run_program("radial-report", names + " --out " + path("page.html"));
    }
    std::string page() const { return read_text(path("page.html")); }

private:
    TemporaryFolder folder_;
};

void write_two(const Runs& runs) {
    runs.write("fast", {{"epochs", 2}, {"lr", 0.1}, {"loss", "softmax"}, {"batch", 128}},
               {epoch(1, 0.7, 0.7, 1), epoch(2, 0.6, 0.7, 1)});
    runs.write("slow & long", {{"epochs", 3}, {"lr", 0.2}, {"loss", "rbf-softmax"}, {"batch", 128}, {"loss.gamma", 2}},
               {reporting(epoch(1, 0.8, 0.8, 1))});
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

}  // namespace

TEST_CASE("radial-report shows accuracies, curves and the settings that differ of several runs", "[host]") {
    const Runs runs;
    write_two(runs);
    const ProgramResult result = runs.report(runs.path("fast") + " '" + runs.path("slow & long") + "/'");
    INFO(result.error);
    REQUIRE(result.status == 0);
    CHECK(result.out.starts_with("fast: test accuracy: last 60.00%, best 70.00% (epoch 1), 2 epochs, 1000 images/s\n"));
    const std::string page = runs.page();
    CHECK(count(page, "slow &amp; long") > 0);
    CHECK(count(page, "slow & long") == 0);
    CHECK(count(page, "<td><b>80.00%</b></td>") == 2);
    CHECK(count(page, "<td>1 of 3</td>") == 1);
    CHECK(count(page, "<tr><th>lr</th><td>0.1</td><td>0.2</td></tr>") == 1);
    CHECK(count(page, "<tr><th>loss.gamma</th><td>–</td><td>2</td></tr>") == 1);
    CHECK(count(page, "<th>batch</th>") == 0);
    CHECK(count(page, "Test accuracy by epoch") == 1);
    CHECK(count(page, "Mean kernel by epoch") == 0);  // neither run reports a mean kernel
    CHECK(count(page, "Feature length by epoch") == 1);
    for (const char* outside : {"http:", "https:", "<script", "<link", "url("}) CHECK(count(page, outside) == 0);
}

TEST_CASE("an option that has another name or form since an earlier version is compared as one option", "[host]") {
    const Runs runs;
    const auto options = [](const std::string& recompute, const nlohmann::json& on, const nlohmann::json& bias) {
        return nlohmann::json{
            {"model", "resnet20"}, {"loss", "softmax"}, {"epochs", 1}, {"loss.bias", bias}, {"model." + recompute, on}};
    };
    runs.write("earlier", options("checkpoint", 1, 0), {epoch(1, 0.5, 0.5, 1)});
    runs.write("same", options("recompute", true, false), {epoch(1, 0.5, 0.5, 1)});
    runs.write("other", options("recompute", false, false), {epoch(1, 0.5, 0.5, 1)});
    REQUIRE(runs.report(runs.path("earlier") + " " + runs.path("same") + " " + runs.path("other")).status == 0);
    CHECK(count(runs.page(), "<tr><th>model.recompute</th><td>true</td><td>true</td><td>false</td></tr>") == 1);
    CHECK(count(runs.page(), "model.checkpoint") == 0);
    CHECK(count(runs.page(), "loss.bias") == 0);
}

TEST_CASE("runs whose folders have one name are told apart by their paths", "[host]") {
    const Runs runs;
    runs.write("a/run", {{"epochs", 1}}, {epoch(1, 0.5, 0.5, 1)});
    runs.write("b/run", {{"epochs", 1}}, {epoch(1, 0.5, 0.5, 1)});
    REQUIRE(runs.report(runs.path("a/run") + " " + runs.path("b/run")).status == 0);
    CHECK(count(runs.page(), runs.path("a/run")) > 0);
    CHECK(count(runs.page(), "None.") == 1);
}

TEST_CASE("a number that was not finite leaves a gap in the curve", "[host]") {
    const Runs runs;
    auto broken = epoch(2, 0.5, 0.5, 1);
    broken["test_loss"] = nullptr;
    runs.write("run", {{"epochs", 3}}, {epoch(1, 0.5, 0.5, 1), broken, epoch(3, 0.5, 0.5, 1)});
    REQUIRE(runs.report(runs.path("run")).status == 0);
    CHECK(count(runs.page(), "\"nan") + count(runs.page(), " nan") + count(runs.page(), "Lnan") == 0);
}

TEST_CASE("a line that is still being written is left out", "[host]") {
    const Runs runs;
    write_two(runs);
    runs.append("fast", "{\"epoch\": 3, \"tra");
    const ProgramResult result = runs.report(runs.path("fast"));
    CHECK(result.status == 0);
    CHECK(result.out.find("2 epochs") != std::string::npos);
}

TEST_CASE("radial-report names a folder that is no run's, and why", "[host]") {
    const Runs runs;
    write_two(runs);
    const auto error = [&](const std::string& name) {
        const ProgramResult result = runs.report(runs.path("fast") + " " + runs.path(name));
        CHECK(result.status == 1);
        CHECK_FALSE(fs::exists(runs.path("page.html")));
        return result.first_error();
    };
    CHECK(error("missing") == "radial-report: " + runs.path("missing") + ": no such folder");
    CHECK(error("fast/config.json") == "radial-report: " + runs.path("fast/config.json") + ": not a folder");
    fs::create_directories(runs.path("empty"));
    CHECK(error("empty") ==
          "radial-report: " + runs.path("empty") + ": not the folder of a run: it has no config.json");
    runs.write("begun", {{"epochs", 1}}, {});
    CHECK(error("begun") == "radial-report: " + runs.path("begun") + ": no epoch of this run is done yet");
    nlohmann::ordered_json endless = epoch(2, 0.5, 0.5, 2);
    endless["epoch"] = 1e89;
    for (const nlohmann::ordered_json& line : {nlohmann::ordered_json{{"epoch", "two"}}, endless}) {
        runs.write("broken", {{"epochs", 2}}, {epoch(1, 0.5, 0.5, 1), line});
        CHECK(error("broken") ==
              "radial-report: " + runs.path("broken/metrics.jsonl") + ": line 2 is not what a run writes for an epoch");
    }
    std::ofstream(runs.path("broken/config.json")) << "{";
    CHECK(error("broken") == "radial-report: " + runs.path("broken/config.json") + ": not what a run writes");
}

TEST_CASE("files that no run writes are refused, be they pipes or nested without end", "[host]") {
    const Runs runs;
    write_two(runs);
    fs::remove(runs.path("fast") + "/metrics.jsonl");
    REQUIRE(mkfifo((runs.path("fast") + "/metrics.jsonl").c_str(), 0600) == 0);
    const ProgramResult pipe = runs.report(runs.path("fast"));
    CHECK(pipe.status == 1);
    CHECK(pipe.error == "radial-report: " + runs.path("fast") + "/metrics.jsonl: not a regular file\n");
    std::ofstream(runs.path("fast") + "/config.json")
        << R"({"options": {"a": )" << std::string(500'000, '[') << std::string(500'000, ']') << "}}";
    const ProgramResult deep = runs.report(runs.path("fast"));
    CHECK(deep.status == 1);
    CHECK(deep.error == "radial-report: " + runs.path("fast") + "/config.json: not what a run writes\n");
}

}  // namespace radial::test
