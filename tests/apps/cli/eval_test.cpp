// Tests of what `eval` prints and writes: accuracy by rank and by class, calibration, and predictions.
#include "../../expect.h"
#include "../program.h"
#include "radial/apps/train/class_metrics.h"

#include <fmt/core.h>

namespace radial::test {
namespace {

namespace fs = std::filesystem;

/// A short run of radial-mnist, after which the network still makes mistakes, and its evaluation.
class Evaluated {
public:
    Evaluated() {
        write_patterns(data(), 100, 100);
        const ProgramResult trained =
            run_program("radial-mnist",
                        fmt::format("train --threads 2 --epochs 1 --batch 20 --limit 20 --lr 0.02 --data {} --out {}",
                                    data().string(), (folder_ / "run").string()));
        INFO(trained.error);
        REQUIRE(trained.status == 0);
        result = eval(fmt::format("--per-class --json {} --predictions {}", path("all.json").string(),
                                  path("predictions.csv").string()));
        INFO(result.error);
        REQUIRE(result.status == 0);
        json = nlohmann::json::parse(read_text(path("all.json")));
    }
    fs::path path(const std::string& name) const { return folder_ / name; }
    fs::path data() const { return path("digits"); }
    ProgramResult eval(const std::string& arguments) const {
        return run_program("radial-mnist", fmt::format("eval --threads 2 --checkpoint {} --data {} {}",
                                                       (folder_ / "run" / "checkpoint.safetensors").string(),
                                                       data().string(), arguments));
    }

    ProgramResult result;
    nlohmann::json json;

private:
    TemporaryFolder folder_;
};

const Evaluated& evaluated() {
    static const Evaluated all;
    return all;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("eval writes a prediction for each test image, which give its accuracy and its figures by class", "[host]") {
    const Evaluated& run = evaluated();
    const auto rows = csv_rows(read_text(run.path("predictions.csv")));
    REQUIRE(rows.size() == 101);
    CHECK(rows[0] == std::vector<std::string>{"sample", "file", "class", "predicted", "probability", "correct"});
    train::Evaluation found;
    for (std::size_t i = 1; i < rows.size(); ++i) {
        REQUIRE(rows[i].size() == 6);
        CHECK(rows[i][0] == fmt::format("{}", i - 1));
        CHECK(rows[i][1].empty());  // there is no path, because the images are in memory
        found.labels.push_back(std::stoi(rows[i][2]));
        found.predicted.push_back(std::stoi(rows[i][3]));
        found.confidences.push_back(std::stof(rows[i][4]));
        CHECK(rows[i][5] == (rows[i][2] == rows[i][3] ? "true" : "false"));
        found.correct += rows[i][2] == rows[i][3] ? 1 : 0;
    }
    found.classes = 10;
    found.total = 100;
    CHECK(found.correct > 10);  // with few hits, or without mistakes, the checks below would test little
    CHECK(found.correct < 100);
    CHECK(run.json.at("test_accuracy") == found.accuracy());
    CHECK(contains(run.result.out, fmt::format("test accuracy: {}.00% ({} of 100)\n", found.correct, found.correct)));
    const std::vector<train::ClassMetrics> classes = train::class_metrics(found.confusion());
    REQUIRE(run.json.at("classes").size() == 10);
    for (std::size_t c = 0; c < 10; ++c) {
        const nlohmann::json& entry = run.json.at("classes")[c];
        CHECK(entry.at("name") == fmt::format("{}", c));
        CHECK(entry.at("images") == classes[c].support);
        CHECK(entry.at("precision") == classes[c].precision);
        CHECK(entry.at("recall") == classes[c].recall);
        CHECK(entry.at("f1") == classes[c].f1);
        CHECK(contains(run.result.out, fmt::format("{:>9.4f}  {:>6.4f}  {:>6.4f}  {:>6}  {}\n", classes[c].precision,
                                                   classes[c].recall, classes[c].f1, classes[c].support, c)));
    }
    const train::ClassMetrics macro = train::macro_average(classes);
    CHECK(contains(run.result.out, fmt::format("mean over the classes: precision {:.4f}, recall {:.4f}, F1 {:.4f}\n",
                                               macro.precision, macro.recall, macro.f1)));
    CHECK(run.json.at("calibration").at("expected_error").get<double>() ==
          Approx(train::calibration(found).expected_error).margin(1e-5));
    CHECK(run.json.at("calibration").at("bins").size() == train::usual_bins);
}

TEST_CASE("eval gives the top-5 accuracy where there are more than five classes", "[host]") {
    const double top = evaluated().json.at("top_5_accuracy");
    CHECK(top >= evaluated().json.at("test_accuracy").get<double>());
    CHECK(contains(evaluated().result.out, fmt::format("top-5 accuracy: {:.2f}%\n", 100 * top)));
}

TEST_CASE("eval prints and writes the figures of retrieval by the chosen distance", "[host]") {
    const Evaluated& run = evaluated();
    CHECK_FALSE(contains(run.result.out, "retrieval"));
    CHECK_FALSE(run.json.contains("retrieval"));
    for (const std::string distance : {"euclidean", "cosine"}) {
        const std::string file = run.path("retrieval.json").string();
        const ProgramResult result = run.eval(fmt::format("--retrieval {} --json {}", distance, file));
        REQUIRE(result.status == 0);
        const auto found = nlohmann::json::parse(read_text(file)).at("retrieval");
        CHECK(found.at("distance") == distance);
        CHECK(found.at("queries") == 100);
        CHECK(found.at("map_at_r") > 0);
        CHECK(
            contains(result.out,
                     fmt::format("retrieval by {} distance: recall@1 {:.4f}, recall@2 {:.4f}, recall@4 {:.4f}, "
                                 "recall@8 {:.4f}, R-precision {:.4f}, MAP@R {:.4f}\n",
                                 distance, found.at("recall_at_1").get<double>(), found.at("recall_at_2").get<double>(),
                                 found.at("recall_at_4").get<double>(), found.at("recall_at_8").get<double>(),
                                 found.at("r_precision").get<double>(), found.at("map_at_r").get<double>())));
    }
}

TEST_CASE("eval prints and writes the figures of verification over all pairs of test images", "[host]") {
    const Evaluated& run = evaluated();
    CHECK_FALSE(contains(run.result.out, "verification"));
    CHECK_FALSE(run.json.contains("verification"));
    const std::string file = run.path("verification.json").string();
    const ProgramResult result = run.eval("--verification cosine --json " + file);
    REQUIRE(result.status == 0);
    const auto found = nlohmann::json::parse(read_text(file)).at("verification");
    CHECK(found.at("distance") == "cosine");
    CHECK(found.at("same").get<int>() + found.at("different").get<int>() == 100 * 99 / 2);
    CHECK(found.at("auroc") > 0.5);
    CHECK(
        contains(result.out, fmt::format("verification: {} pairs of the same class, {} of different classes, cosine "
                                         "distance\nAUROC {:.4f}, equal error rate {:.4f}\n",
                                         found.at("same").get<int>(), found.at("different").get<int>(),
                                         found.at("auroc").get<double>(), found.at("equal_error_rate").get<double>())));
}

TEST_CASE("predictions as JSON are those of the table", "[host]") {
    const Evaluated& run = evaluated();
    REQUIRE(run.eval("--predictions " + run.path("predictions.json").string()).status == 0);
    const auto json = nlohmann::json::parse(read_text(run.path("predictions.json")));
    const auto rows = csv_rows(read_text(run.path("predictions.csv")));
    REQUIRE(json.size() + 1 == rows.size());
    for (std::size_t i = 0; i < json.size(); ++i) {
        CHECK(json[i].at("sample") == i);
        CHECK(json[i].at("class") == rows[i + 1][2]);
        CHECK(json[i].at("predicted") == rows[i + 1][3]);
        CHECK(json[i].at("probability").get<double>() == Approx(std::stod(rows[i + 1][4])).epsilon(1e-5));
        CHECK(json[i].at("correct") == (rows[i + 1][5] == "true"));
    }
}

TEST_CASE("predictions under a name of another ending are refused before the evaluation", "[host]") {
    const ProgramResult refused = evaluated().eval("--predictions guesses.txt");
    CHECK(refused.status == 1);
    CHECK(refused.first_error() ==
          "radial-mnist eval: --predictions guesses.txt: expected a name that ends in .csv or .json");
    CHECK_FALSE(contains(refused.out, "test accuracy"));
}

}  // namespace radial::test
