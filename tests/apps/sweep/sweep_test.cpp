// Tests of sweeps: a table of the paper from runs in folders, resumed, compared, and printed beside the paper's values.
#include "radial/apps/sweep/sweep.h"
#include "../../expect.h"
#include "../program.h"
#include "radial/apps/cli/recipes.h"
#include "radial/apps/prototypes/class_meanings.h"
#include "radial/apps/sweep/sweep_pages.h"
#include "radial/apps/sweep/sweep_tables.h"
#include "radial/apps/train/run/snapshots.h"
#include "radial/core/tensor/random.h"

#include <fmt/core.h>
#include <sys/file.h>

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>

namespace radial::test {
namespace {

namespace fs = std::filesystem;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Returns the line of `text` that begins with `start`, with each run of spaces replaced by one.
std::string line_with(const std::string& text, const std::string& start) {
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        if (!line.starts_with(start)) continue;
        std::istringstream words(line);
        std::string joined;
        for (std::string word; words >> word;) joined += (joined.empty() ? "" : " ") + word;
        return joined;
    }
    return "(no line begins with " + start + ")";
}

/// Sweeps of Table 4 with one or two losses over 100 patterns, with five steps per epoch.
class SmallSweep {
public:
    SmallSweep() { write_patterns(folder_ / "data", 100, 20); }
    ProgramResult run(const std::string& arguments, const std::string& out = "sweep") const {
        return run_program("radial-mnist",
                           fmt::format("sweep {} --set batch=20 --threads 1 --workers 0 --data {} --out {}", arguments,
                                       (folder_ / "data").string(), path(out).string()));
    }
    fs::path path(const std::string& name) const { return folder_ / name; }
    std::string text(const std::string& name) const { return read_text(path(name)); }

private:
    TemporaryFolder folder_;
};

train::SweptRun swept(const std::string& name, std::uint64_t seed, double best, double last) {
    return {
        .run = {.cell = {.name = name, .row = name, .column = "", .recipe = "tab4", .options = {}, .paper = "99.27%"},
                .seed = seed,
                .folder = fmt::format("{}-seed{}", name, seed),
                .settings = {},
                .place = {}},
        .state = {
            .epochs = 2, .epochs_done = 2, .last = last, .best = best, .best_epoch = 1, .seconds = 61, .failure = {}}};
}

}  // namespace

TEST_CASE("every run of every table has a recipe of its program and a name of its own", "[host][sweep]") {
    for (const train::PaperTable& table : train::paper_tables()) {
        std::set<std::string> names;
        for (const train::PaperRun& run : table.runs) {
            INFO(table.id << " " << run.name);
            CHECK(names.insert(run.name).second);
            REQUIRE(train::find_recipe(run.recipe) != nullptr);
            CHECK(train::find_recipe(run.recipe)->program == table.program);
        }
    }
}

TEST_CASE("several seeds give mean and standard deviation, one seed its value", "[host][sweep]") {
    const train::PaperTable table{.id = "t", .title = "T", .program = "p", .runs = {swept("a", 1, 0, 0).run.cell}};
    const auto one = train::accuracy_table(table, {swept("a", 1, 0.99, 0.98)});
    CHECK(one.rows.at(0) == std::vector<std::string>{"a", "99.27%", "99.00%", "98.00%", "2", "1 of 1"});
    const auto three =
        train::accuracy_table(table, {swept("a", 1, 0.99, 0.98), swept("a", 2, 0.98, 0.98), swept("a", 3, 0.97, 0.98)});
    CHECK(three.rows.at(0) == std::vector<std::string>{"a", "99.27%", "98.00% ± 1.00", "98.00% ± 0.00", "2", "3 of 3"});
}

TEST_CASE("the last column compares each loss with softmax of the same seed", "[host][sweep]") {
    const auto with_loss = [](const std::string& loss, std::uint64_t seed, double last) {
        train::SweptRun run = swept(loss, seed, last, last);
        run.run.cell.options = {{"loss", loss}};
        return run;
    };
    const train::PaperTable table{.id = "t",
                                  .title = "T",
                                  .program = "p",
                                  .runs = {with_loss("softmax", 1, 0).run.cell, with_loss("center", 1, 0).run.cell,
                                           with_loss("ring", 1, 0).run.cell}};
    const auto found = train::accuracy_table(
        table, {with_loss("softmax", 1, 0.90), with_loss("softmax", 2, 0.92), with_loss("center", 1, 0.91),
                with_loss("center", 2, 0.95), with_loss("ring", 2, 0.91), with_loss("ring", 3, 0.5)});
    REQUIRE(found.rows.size() == 3);
    CHECK(found.headers.back() == "last, minus softmax");
    CHECK(found.rows[0].back() == "–");
    CHECK(found.rows[1].back() == "+2.00 ± 12.71");  // differences of 1 and 3 points
    CHECK(found.rows[2].back() == "-1.00");          // only seed 2, because softmax has no seed 3
}

TEST_CASE("tab2 compares the prototypes of its runs with WordNet", "[host][sweep][slow]") {
    if (!fs::exists("/usr/share/wordnet/data.noun")) {
        WARN("no WordNet in /usr/share/wordnet: tab2 is not tested");
        return;
    }
    const TemporaryFolder folder;
    Generator generator(5);
    std::vector<std::string> names;
    for (const train::Cifar100Class& each : train::cifar100_classes()) names.emplace_back(each.name);
    std::ranges::sort(names);
    std::string text, records;
    for (std::size_t c = 0; c < names.size(); ++c) {
        text += names[c] + "\n";
        records += '\0' + std::string(1, static_cast<char>(c));
        for (int i = 0; i < 3072; ++i) records += static_cast<char>(generator.below(256));
    }
    fs::create_directories(folder / "data");
    write_text(folder / "data/fine_label_names.txt", text);
    for (const char* const file : {"data/train.bin", "data/test.bin"}) write_text(folder / file, records);
    const ProgramResult result =
        run_program("radial-cifar100",
                    fmt::format("sweep tab2 --epochs 1 --seeds 1 --set model=resnet20 --set batch=50 --threads 1 "
                                "--workers 0 --data {} --out {}",
                                (folder / "data").string(), (folder / "sweep").string()));
    INFO(result.error);
    REQUIRE(result.status == 0);
    const std::string table = read_text(folder / "sweep/table.md");
    CHECK(contains(table, "## Prototypes\n"));
    CHECK(line_with(table, "| RBF-Softmax").starts_with("| RBF-Softmax | 0.36 ± 0.11 |"));
    CHECK(line_with(table, "| Cos-Softmax").ends_with("| 1 |"));
    CHECK(contains(read_text(folder / "sweep/similarity.html"), "cos-softmax"));
}

TEST_CASE("a sweep writes the paper's accuracy beside ours and keeps what is done", "[host][sweep]") {
    const SmallSweep sweep;
    const ProgramResult first = sweep.run("tab4 --epochs 1 --seeds 2 --only ring");
    INFO(first.error);
    REQUIRE(first.status == 0);
    const auto accuracy = [&](int seed) {
        return read_metrics(sweep.path(fmt::format("sweep/ring-seed{}", seed))).at(0).at("test_accuracy").get<double>();
    };
    const double mean = (accuracy(1) + accuracy(2)) / 2, spread = std::abs(accuracy(1) - accuracy(2)) / std::sqrt(2);
    const std::string ours = fmt::format("{:.2f}% ± {:.2f}", 100 * mean, 100 * spread);
    CHECK(line_with(sweep.text("sweep/table.md"), "| Ring loss") ==
          fmt::format("| Ring loss | 99.58% | {} | {} | 1 | 2 of 2 |", ours, ours));
    CHECK(contains(sweep.text("sweep/table.html"), "<td>99.58%</td><td>" + ours + "</td>"));
    const auto config = nlohmann::json::parse(sweep.text("sweep/ring-seed2/config.json")).at("options");
    CHECK(config.at("recipe") == "tab4");
    CHECK(config.at("seed") == 2);
    CHECK(config.at("dim") == 32);

    const std::string log = sweep.text("sweep/ring-seed1/output.log");
    const ProgramResult again = sweep.run("tab4 --epochs 1 --seeds 2 --only ring");
    CHECK(again.status == 0);
    CHECK(contains(again.out, "ring-seed1: done before\n"));
    CHECK(sweep.text("sweep/ring-seed1/output.log") == log);
}

TEST_CASE("a sweep goes on with a run that was stopped, to the same end", "[host][sweep]") {
    const SmallSweep sweep;
    REQUIRE(sweep.run("tab4 --epochs 2 --seeds 1 --only lgm").status == 0);
    const fs::path run = sweep.path("sweep/lgm-seed1");
    const std::string checkpoint = read_text(run / "checkpoint.safetensors"),
                      metrics = read_text(run / "metrics.jsonl");
    // Restores the files to their state during the second epoch.
    fs::remove(train::Snapshots(run, 2).files().front());
    std::ofstream(run / "metrics.jsonl") << metrics.substr(0, metrics.find('\n') + 20);
    fs::remove(run / "checkpoint.safetensors");
    const ProgramResult resumed = sweep.run("tab4 --epochs 2 --seeds 1 --only lgm");
    INFO(resumed.error);
    CHECK(resumed.status == 0);
    CHECK(contains(resumed.out, "lgm-seed1: resumed after step 5 from "));
    CHECK(differences(read_text(run / "checkpoint.safetensors"), checkpoint) == "");
}

TEST_CASE("a sweep refuses a folder with runs of other settings", "[host][sweep]") {
    const SmallSweep sweep;
    REQUIRE(sweep.run("tab4 --epochs 1 --seeds 1 --only ring").status == 0);
    const ProgramResult changed = sweep.run("tab4 --epochs 1 --seeds 1 --only ring --set lr=0.1");
    CHECK(changed.status == 1);
    CHECK(
        changed.first_error() ==
        fmt::format("radial-mnist sweep: {}: --lr is 0.05 there, and 0.1 for this sweep: give another --out, or delete "
                    "the folder",
                    sweep.path("sweep/ring-seed1").string()));
    CHECK(sweep.run("tab4 --epochs 1 --seeds 1 --only ring --no-run").status == 0);
}

TEST_CASE("a sweep refuses a folder with runs on other data", "[host][sweep]") {
    const SmallSweep sweep;
    REQUIRE(sweep.run("tab4 --epochs 1 --seeds 1 --only ring").status == 0);
    write_patterns(sweep.path("data"), 90, 20);
    const ProgramResult changed = sweep.run("tab4 --epochs 1 --seeds 2 --only ring");
    CHECK(changed.status == 1);
    CHECK(contains(changed.first_error(),
                   fmt::format("radial-mnist sweep: --data: {} had ", sweep.path("sweep/ring-seed1").string())));
    CHECK_FALSE(fs::exists(sweep.path("sweep/ring-seed2")));
}

TEST_CASE("a run that fails stands in the table with its reason, and the others are trained", "[host][sweep][slow]") {
    const SmallSweep sweep;
    fs::create_directories(sweep.path("sweep/arcface-seed1/checkpoint.safetensors/in-the-way"));
    const ProgramResult result = sweep.run("tab4 --epochs 1 --seeds 1 --only r");
    CHECK(result.status == 1);
    CHECK(result.first_error() == "radial-mnist sweep: 1 of 5 runs failed; the same command tries them again");
    const std::string table = sweep.text("sweep/table.md");
    CHECK(contains(line_with(table, "| arcface-seed1"), "| failed: radial-mnist train: "));
    CHECK(line_with(table, "| ArcFace") == "| ArcFace | 99.59% | – | – | – | 0 of 1 |");
    CHECK(contains(line_with(table, "| rbf-softmax-seed1"), "| done | 1/1 |"));
    fs::remove_all(sweep.path("sweep/arcface-seed1/checkpoint.safetensors"));
    CHECK(sweep.run("tab4 --epochs 1 --seeds 1 --only r").status == 0);
    CHECK(contains(line_with(sweep.text("sweep/table.md"), "| arcface-seed1"), "| done | 1/1 |"));
}

TEST_CASE("two sweeps do not work in one folder", "[host][sweep]") {
    const SmallSweep sweep;
    fs::create_directories(sweep.path("sweep"));
    const int lock = open((sweep.path("sweep") / ".lock").c_str(), O_RDWR | O_CREAT, 0600);
    REQUIRE(flock(lock, LOCK_EX | LOCK_NB) == 0);
    const ProgramResult second = sweep.run("tab4 --epochs 1 --only ring");
    close(lock);
    CHECK(second.status == 1);
    CHECK(second.first_error() ==
          "radial-mnist sweep: " + sweep.path("sweep").string() + ": another process is at work there");
}

TEST_CASE("what cannot be swept is named", "[host][sweep]") {
    const SmallSweep sweep;
    CHECK(sweep.run("tab5").first_error() ==
          "radial-mnist sweep: TABLE: tab5 is of radial-cifar10: run radial-cifar10 sweep tab5");
    CHECK(sweep.run("tab").first_error() ==
          "radial-mnist sweep: TABLE: 'tab' is none of fig1, tab1, fig3, tab3, tab4, fig5");
    CHECK(sweep.run("tab4 --only none").first_error() ==
          "radial-mnist sweep: --only: no run of tab4 is called 'none'; they are softmax, rbf-network, center, ring, "
          "arcface, lgm, rbf-softmax");
    CHECK(sweep.run("tab4 --set lr").first_error() == "radial-mnist sweep: --set: 'lr' is not NAME=VALUE, as lr=0.1");
    CHECK(sweep.run("tab4 --set lr=fast").first_error() ==
          "radial-mnist sweep: --lr: 'fast' is not a number of at least 0");
}

TEST_CASE("fig5 draws its runs and tab1 measures distances from snapshots", "[host][sweep][slow]") {
    const SmallSweep sweep;
    REQUIRE(sweep.run("fig5 --epochs 1 --seeds 1", "fig5").status == 0);
    const std::string page = sweep.text("fig5/scatter.html");
    CHECK(contains(page, "scale 8"));
    std::size_t charts = 0;
    for (std::size_t at = page.find("<svg"); at != std::string::npos; at = page.find("<svg", at + 1)) ++charts;
    CHECK(charts == 3);

    const ProgramResult result = sweep.run("tab1 --seeds 1 --epochs 4 --only 2d", "tab1");
    INFO(result.error);
    REQUIRE(result.status == 0);
    const std::string table = sweep.text("tab1/table.md");
    CHECK(line_with(table, "| 2-D      | paper") == "| 2-D | paper | 0.01 | 59.52 | 6.59 | 146.65 | – |");
    CHECK(contains(table, "| ours, step 20 |"));
    CHECK_FALSE(contains(table, "| ours, step 40 |"));
}

TEST_CASE("distances to the own prototype are squared and have a population's variance", "[host][sweep]") {
    const std::vector<float> features = {0, 0, 3, 4, 1, 1}, prototypes = {0, 0, 1, 0};
    const std::vector<std::int64_t> labels = {0, 0, 1};
    const train::OwnDistances found = train::own_distances(features, labels, prototypes, 2);
    CHECK(found.min == 0);
    CHECK(found.max == 25);
    CHECK(found.mean == Approx(26.0 / 3));
    CHECK(found.variance == Approx((625.0 + 1) / 3 - 26.0 * 26 / 9));
}

TEST_CASE("the curves of Fig. 3 follow Eq. 3 and 4", "[host][sweep]") {
    CHECK(train::kernel_at(0, 2) == 1);
    CHECK(train::kernel_at(3, 2) == Approx(std::exp(-1.5)));
    CHECK(train::probability_at(0, 2, 10) == Approx(0.1));
    CHECK(train::probability_at(1, 2, 10) == Approx(std::exp(2.0) / (std::exp(2.0) + 9)));
    const SmallSweep sweep;
    REQUIRE(run_program("radial-mnist", "sweep fig3 --out " + sweep.path("fig3").string()).status == 0);
    CHECK(contains(line_with(sweep.text("fig3/table.md"), "| γ 1, s 2"), "| γ 1, s 2 | 0.451 |"));
    const std::string page = sweep.text("fig3/table.html");
    for (const char* part : {"K over d", "P over d", "P over K", "<svg"}) CHECK(contains(page, part));
    for (const char* outside : {"http:", "https:", "<script", "<link", "url("}) CHECK_FALSE(contains(page, outside));
}

TEST_CASE("options with several values make a run for each combination", "[host]") {
    const train::PaperTable grid = train::grid_of("radial-mnist", {"lr=0.1,0.05", "loss=softmax,a + b"});
    CHECK(train::is_grid(grid));
    std::string shown;
    for (const train::PaperRun& run : grid.runs) {
        shown += fmt::format("{}: {}:", run.name, run.row);
        for (const auto& [option, value] : run.options) shown += fmt::format(" {}={}", option, value);
        shown += "\n";
    }
    CHECK(shown ==
          "lr-0.1_loss-softmax: lr 0.1, loss softmax: lr=0.1 loss=softmax\n"
          "lr-0.1_loss-a---b: lr 0.1, loss a + b: lr=0.1 loss=a + b\n"
          "lr-0.05_loss-softmax: lr 0.05, loss softmax: lr=0.05 loss=softmax\n"
          "lr-0.05_loss-a---b: lr 0.05, loss a + b: lr=0.05 loss=a + b\n");
    CHECK(train::grid_of("boats", {}).runs.at(0).name == "defaults");
}

TEST_CASE("what cannot be varied is refused", "[host]") {
    for (const std::string wrong : {"lr", "=1", "lr=", "lr=1,,2", "--lr=1"})
        CHECK(error_of([&] { train::grid_of("boats", {wrong}); }) ==
              "--vary: '" + wrong + "' is not NAME=VALUE,VALUE, as lr=0.1,0.05");
    CHECK(error_of([] { train::grid_of("boats", {"lr=1", "lr=2"}); }) == "--vary: lr is given twice");
    CHECK(error_of([] { train::grid_of("boats", {"loss=a b,a+b"}); }) ==
          "--vary: two runs would have the folder 'loss-a-b'");
}

}  // namespace radial::test
