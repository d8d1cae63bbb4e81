// Tests of observers in a user's own training: when they stop it, the files that they write, and that a resumed run
// continues in the same way.
#include "radial/apps/train/observers.h"

#include "../../expect.h"
#include "../program.h"
#include "../small_run.h"

#include "radial/apps/report/report.h"
#include "radial/core/io/safetensors.h"
#include "radial/core/tensor/random.h"
#include "radial/layers/linear.h"
#include "radial/layers/sequential.h"
#include "radial/losses/elementwise.h"
#include "radial/losses/softmax.h"

#include <cmath>
#include <initializer_list>
#include <limits>

namespace radial::test {
namespace {

using train::EpochResult, train::Observer, train::Trainer;

/// A small network that learns to classify the points, or to predict the sums of their coordinates.
class Run : public SmallRun {
public:
    explicit Run(std::int64_t epochs, bool regression = false, double lr = 0.1)
        : SmallRun(
              [regression] { return make(regression); },
              {.epochs = epochs, .regression = regression, .sgd = {.lr = lr, .momentum = 0.9}, .device = Device{}}) {}

private:
    static train::Classifier make(bool regression) {
        const DefaultDevice host{Device{}};
        auto network = std::make_shared<Sequential>();
        network->add<Linear>({.in_features = 2, .out_features = regression ? 1 : 3});
        if (regression) return {network, std::make_shared<MeanSquaredError>()};
        return {network, std::make_shared<Softmax>(SoftmaxOptions{.classes = 2, .dim = 3})};
    }
};

std::vector<double> losses_of(const Trainer& trainer) {
    std::vector<double> losses;
    for (const EpochResult& epoch : trainer.history()) losses.insert(losses.end(), {epoch.train_loss, epoch.test_loss});
    return losses;
}

/// Passes epochs with these accuracies to an observer; returns the epoch after which it stopped the trainer, or 0 if it
/// did not.
std::int64_t stopped_after(train::EarlyStopping& stopping, const std::vector<double>& accuracies,
                           bool of_loss = false) {
    Run run(1);
    stopping.on_start(run.trainer);
    EpochResult result;
    for (const double value : accuracies) {
        ++result.epoch;
        result.test_accuracy = of_loss ? std::numeric_limits<double>::quiet_NaN() : value;
        result.test_loss = value;
        stopping.on_epoch(run.trainer, result);
        if (run.trainer.stopped()) return result.epoch;
    }
    return 0;
}

/// Records which of its functions are called, in order.
class Diary : public Observer {
public:
    void on_start(Trainer&) override { text += "start "; }
    void between_steps(Trainer& trainer) override { text += fmt::format("s{} ", trainer.steps()); }
    void on_step(Trainer&, const train::StepReport& report) override { text += fmt::format("n{} ", report.step); }
    void on_evaluation(Trainer&, bool whole) override { text += whole ? "evaluated " : "abandoned "; }
    void on_epoch(Trainer&, const EpochResult& result) override { text += fmt::format("epoch{} ", result.epoch); }
    std::string text;
};

}  // namespace

TEST_CASE("an observer sees the start, each step, each evaluation and each epoch in order", "[host]") {
    Run run(2);
    Diary diary;
    run.trainer.observe(diary);
    run.trainer.run();
    CHECK(diary.text ==
          "start n1 s1 n2 s2 n3 s3 n4 s4 n5 s5 n6 s6 evaluated epoch1 "
          "n7 s7 n8 s8 n9 s9 n10 s10 n11 s11 n12 s12 evaluated epoch2 ");
}

TEST_CASE("training stops when the accuracy has not risen for as many epochs as the patience", "[host]") {
    train::EarlyStopping stopping({.patience = 2});
    CHECK(stopped_after(stopping, {0.5, 0.6, 0.6, 0.55, 0.9}) == 4);
    CHECK(stopped_after(stopping, {0.5, 0.4, 0.6, 0.5, 0.7}) == 0);
    CHECK(stopped_after(stopping, {0.5, 0.4, 0.3}) == 3);
}

TEST_CASE("a small rise may count as none, and without classes a fall of the loss counts", "[host]") {
    train::EarlyStopping coarse({.patience = 2, .min_improvement = 0.1});
    CHECK(stopped_after(coarse, {0.5, 0.55, 0.59}) == 3);
    CHECK(stopped_after(coarse, {0.5, 0.55, 0.61, 0.65, 0.75}) == 0);
    train::EarlyStopping of_loss({.patience = 2});
    CHECK(stopped_after(of_loss, {3, 2, 1, 1.5, 1.2}, true) == 5);
    CHECK(stopped_after(of_loss, {3, std::nan(""), std::nan("")}, true) == 3);
}

TEST_CASE("options that make no sense for early stopping are refused", "[host]") {
    CHECK(error_of([] { train::EarlyStopping({.patience = 0}); }) ==
          "EarlyStopping: patience is 0, expected at least 1");
    CHECK(error_of([] { train::EarlyStopping({.min_improvement = -1}); }) ==
          "EarlyStopping: min_improvement is -1, expected at least 0");
}

TEST_CASE("a stopped run ends after the epoch, and the best weights of it load into another classifier", "[host]") {
    const TemporaryFolder folder;
    Run run(50, false, 0.02);
    train::EarlyStopping stopping({.patience = 3});
    train::BestCheckpoint best(folder / "kept/best.safetensors", run.classifier);
    run.trainer.observe(stopping);
    run.trainer.observe(best);
    const EpochResult last = run.trainer.run();
    REQUIRE(last.epoch < 50);
    CHECK(last.epoch == last.best_epoch + 3);
    CHECK(read_safetensors(folder / "kept/best.safetensors").metadata.at("epoch") ==
          fmt::format("{}", last.best_epoch));
    Run other(1);
    train::load_weights(folder / "kept/best.safetensors", other.classifier);
    data::Loader loader(other.test, {.batch_size = 16, .workers = 0});
    CHECK(train::evaluate(*other.classifier.model, *other.classifier.loss, loader, Device{}).accuracy() ==
          last.best_accuracy);
    Run regression(1, true);
    const std::string message =
        error_of<FileError>([&] { train::load_weights(folder / "kept/best.safetensors", regression.classifier); });
    CHECK(message.starts_with((folder / "kept/best.safetensors").string() + ": "));
}

TEST_CASE("a run that goes on from a snapshot comes to the same numbers", "[host]") {
    const TemporaryFolder folder;
    Run whole(3);
    whole.trainer.run();
    for (const std::int64_t stop : {2, 6, 9}) {  // 6 steps per epoch
        const std::filesystem::path path = folder / fmt::format("stop{}", stop);
        struct Stop {};
        class StopAt : public Observer {
        public:
            explicit StopAt(std::int64_t step) : step_(step) {}
            void between_steps(Trainer& trainer) override {
                if (trainer.steps() == step_) throw Stop{};
            }

        private:
            std::int64_t step_;
        };
        {
            Run stopped(3);
            train::SnapshotSaver saver(stopped.classifier, stopped.optimizer, {.folder = path, .steps = 1});
            StopAt at(stop);
            CHECK_FALSE(saver.resume(stopped.trainer));
            stopped.trainer.observe(saver);
            stopped.trainer.observe(at);
            CHECK_THROWS_AS(stopped.trainer.run(), Stop);
        }
        Run resumed(3);
        train::SnapshotSaver saver(resumed.classifier, resumed.optimizer, {.folder = path});
        REQUIRE(saver.resume(resumed.trainer));
        CHECK(resumed.trainer.steps() == stop);
        resumed.trainer.observe(saver);
        resumed.trainer.run();
        CHECK(losses_of(resumed.trainer) == losses_of(whole.trainer));
    }
}

TEST_CASE("metrics are a line an epoch, those of a resumed run with the epochs before", "[host]") {
    const TemporaryFolder folder;
    for (const std::int64_t epochs : {1, 3}) {
        Run run(epochs);
        train::SnapshotSaver saver(run.classifier, run.optimizer, {.folder = folder / "run"});
        saver.resume(run.trainer);
        train::MetricsFile metrics(folder / "run/metrics.jsonl");
        run.trainer.observe(saver);
        run.trainer.observe(metrics);
        run.trainer.run();
        const std::vector<nlohmann::json> lines = read_metrics(folder / "run");
        REQUIRE(std::ssize(lines) == epochs);
        CHECK(lines.back() == nlohmann::json(train::to_json(run.trainer.history().back())));
    }
}

TEST_CASE("a regression has losses and no accuracy, and its best epoch is that of the lowest loss", "[host]") {
    const TemporaryFolder folder;
    Run run(6, true, 0.2);
    train::BestCheckpoint best(folder / "best.safetensors", run.classifier);
    train::Report report(folder / "report.html", run.classifier, *run.test, {.title = "Sums <of> points"});
    train::TensorBoard events(folder / "events", 2);
    for (Observer* const observer : std::initializer_list<Observer*>{&best, &report, &events})
        run.trainer.observe(*observer);
    const EpochResult last = run.trainer.run();
    CHECK(std::isnan(last.test_accuracy));
    CHECK(last.test_loss < 0.5 * run.trainer.history().front().train_loss);
    std::int64_t lowest = 1;
    const std::vector<EpochResult>& history = run.trainer.history();
    for (const EpochResult& epoch : history)
        if (epoch.test_loss < history[static_cast<std::size_t>(lowest - 1)].test_loss) lowest = epoch.epoch;
    CHECK(last.best_epoch == lowest);
    CHECK(read_safetensors(folder / "best.safetensors").metadata.at("epoch") == fmt::format("{}", lowest));
    const std::string page = read_text(folder / "report.html");
    CHECK(page.find("Sums &lt;of&gt; points") != std::string::npos);
    CHECK(page.find("Lowest test loss") != std::string::npos);
    CHECK(page.find("Confusion matrix") == std::string::npos);
    for (const char* const text : {">nan", "nan%", ">-nan"}) CHECK(page.find(text) == std::string::npos);
    CHECK_FALSE(std::filesystem::is_empty(folder / "events"));
    // A snapshot's state contains the best epoch, too.
    const auto state = nlohmann::ordered_json::parse(run.trainer.state().dump());
    Run other(6, true, 0.2);
    other.trainer.restore(state);
    CHECK(other.trainer.history().back().best_epoch == lowest);
}

TEST_CASE("a report of classes shows their confusion", "[host]") {
    const TemporaryFolder folder;
    Run run(2);
    train::Report report(folder / "pages/report.html", run.classifier, *run.test);
    run.trainer.observe(report);
    run.trainer.run();
    const std::string page = read_text(folder / "pages/report.html");
    CHECK(page.find("Confusion matrix") != std::string::npos);
    CHECK(page.find("left") != std::string::npos);
}

}  // namespace radial::test
