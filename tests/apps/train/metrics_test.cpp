// Tests of the metrics that a loss reports, from the training step to metrics.jsonl, TensorBoard and the report, and of
// the check for dead kernels.
#include "../../expect.h"
#include "../program.h"
#include "../small_run.h"
#include "event_reader.h"

#include "radial/apps/report/report.h"
#include "radial/apps/train/observers.h"
#include "radial/core/tensor/random.h"
#include "radial/layers/linear.h"
#include "radial/losses/rbf_softmax.h"
#include "radial/losses/softmax.h"

#include <cmath>
#include <initializer_list>
#include <limits>

namespace radial::test {
namespace {

using train::DeadKernelWatch, train::EpochResult, train::MetricValue, train::Observer, train::Trainer;

/// Softmax that also reports the mean square of the features under the given names.
class Reporting : public Softmax {
public:
    explicit Reporting(std::vector<std::string> its_names)
        : Softmax(SoftmaxOptions{.classes = 2, .dim = 3}), names(std::move(its_names)) {}
    Tensor forward(const Tensor& feature, const Tensor& labels) override {
        square_ = mean(square(feature.detach()));
        return Softmax::forward(feature, labels);
    }
    std::vector<LossMetric> metrics() const override {
        std::vector<LossMetric> all;
        for (const std::string& name : names)
            all.push_back({.name = name, .description = "Mean square of <x>.", .value = square_});
        return all;
    }
    std::vector<std::string> names;

private:
    Tensor square_;
};

std::shared_ptr<Loss> reporting(std::vector<std::string> names) {
    return std::make_shared<Reporting>(std::move(names));
}
std::shared_ptr<Loss> rbf(double gamma = 4) {
    return std::make_shared<RbfSoftmax>(RbfSoftmaxOptions{.classes = 2, .dim = 3, .gamma = gamma});
}

/// A linear network and a loss.
class Run : public SmallRun {
public:
    explicit Run(const std::function<std::shared_ptr<Loss>()>& loss, std::int64_t epochs = 2)
        : SmallRun(
              [&loss] {
                  return train::Classifier{std::make_shared<Linear>(LinearOptions{.in_features = 2, .out_features = 3}),
                                           loss()};
              },
              {.epochs = epochs}) {}
};

/// Records the value of one metric at each step, and the notes.
class Recorder : public Observer {
public:
    explicit Recorder(std::string name) : name_(std::move(name)) {}
    void on_step(Trainer&, const train::StepReport& report) override {
        values.push_back(report.numbers.metric(name_).value());
    }
    void on_note(const std::string& line) override { notes.push_back(line); }
    std::vector<double> values;
    std::vector<std::string> notes;

private:
    std::string name_;
};

/// Stops the training after a step by throwing the trainer's state.
class StopAt : public Observer {
public:
    explicit StopAt(std::int64_t step) : step_(step) {}
    void between_steps(Trainer& trainer) override {
        if (trainer.steps() == step_) throw trainer.state();
    }

private:
    std::int64_t step_;
};

nlohmann::ordered_json state_after(Run& run, std::int64_t step) {
    StopAt stop(step);
    run.trainer.observe(stop);
    try {
        run.trainer.run();
    } catch (nlohmann::ordered_json& state) {
        return std::move(state);
    }
    return {};
}

/// Reports `steps` steps with the mean kernel `kernel` to the watch, beginning with the step `first`.
void tell(DeadKernelWatch& watch, Trainer& trainer, double kernel, std::int64_t first, std::int64_t steps) {
    for (std::int64_t step = first; step < first + steps; ++step)
        watch.on_step(trainer, {.step = step, .numbers = {.metrics = {{"mean_kernel", kernel}}}});
}

double average(const std::vector<double>& values, std::size_t begin, std::size_t end) {
    double sum = 0;
    for (std::size_t i = begin; i < end; ++i) sum += values[i];
    return sum / static_cast<double>(end - begin);
}

}  // namespace

TEST_CASE("a metric of an epoch is the mean over its steps, beside that of the run's first step") {
    Run run([] { return reporting({"square", "other"}); });
    Recorder steps("square");
    run.trainer.observe(steps);
    run.trainer.run();
    REQUIRE(steps.values.size() == 12);
    const std::vector<EpochResult>& history = run.trainer.history();
    for (std::size_t epoch = 0; epoch < 2; ++epoch) {
        REQUIRE(history[epoch].metrics.size() == 2);
        CHECK(history[epoch].metrics[0].name == "square");
        CHECK(history[epoch].metrics[0].mean == Approx(average(steps.values, 6 * epoch, 6 * epoch + 6)));
        CHECK(history[epoch].metrics[0].initial == steps.values[0]);
        CHECK(*history[epoch].metric("other") == history[epoch].metrics[0].mean);
    }
    CHECK_FALSE(history[0].metric("third").has_value());
}

TEST_CASE("a loss that reports nothing has no metrics", "[host]") {
    Run run([] { return reporting({}); }, 1);
    CHECK(run.trainer.run().metrics.empty());
}

TEST_CASE("a metric of a user's loss is in metrics.jsonl, in TensorBoard and in the report", "[host]") {
    const TemporaryFolder folder;
    Run run([] { return reporting({"feature_square"}); });
    train::MetricsFile metrics(folder / "metrics.jsonl");
    train::TensorBoard events(folder / "events", 3);
    train::Report report(folder / "report.html", run.classifier, *run.test);
    Recorder steps("feature_square");
    for (Observer* const observer : std::initializer_list<Observer*>{&metrics, &events, &report, &steps})
        run.trainer.observe(*observer);
    run.trainer.run();
    const auto lines = read_metrics(folder.path());
    REQUIRE(lines.size() == 2);
    CHECK(lines[1].at("feature_square").get<double>() == Approx(average(steps.values, 6, 12)));
    CHECK(lines[1].at("initial_feature_square") == steps.values[0]);
    const std::vector<LoggedValue> logged = logged_values(folder / "events");
    const auto by_step = scalars(logged, "step/feature_square"), by_epoch = scalars(logged, "epoch/feature_square");
    REQUIRE(by_step.size() == 4);
    CHECK(by_step.at(6) == Approx(average(steps.values, 3, 6)));
    CHECK(by_epoch.at(12) == Approx(average(steps.values, 6, 12)));
    const std::string page = read_text(folder / "report.html");
    CHECK(page.find("<h2>Feature square by epoch</h2>") != std::string::npos);
    CHECK(page.find("Mean square of &lt;x&gt;. At the first step: ") != std::string::npos);
    CHECK(page.find("<th>feature square</th>") != std::string::npos);
}

TEST_CASE("metrics stand in metrics.jsonl between the speed and the seconds", "[host]") {
    const EpochResult result{.metrics = {{.name = "mean_kernel", .mean = 0.5, .initial = 0.25}}};
    const nlohmann::ordered_json line = train::to_json(result);
    std::string keys;
    for (const auto& entry : line.items()) keys += entry.key() + " ";
    CHECK(keys.find(" images_per_second mean_kernel initial_mean_kernel seconds ") != std::string::npos);
}

TEST_CASE("metrics are read from a line as they were written, those that are not finite as NaN", "[host]") {
    const double infinite = std::numeric_limits<double>::infinity();
    const EpochResult result{
        .metrics = {{.name = "a", .mean = 0.5, .initial = 0.25}, {.name = "b", .mean = infinite, .initial = 1}}};
    const std::string line = train::to_json(result).dump();
    const EpochResult read = train::epoch_result(nlohmann::ordered_json::parse(line));
    REQUIRE(read.metrics.size() == 2);
    CHECK(read.metrics[0].mean == 0.5);
    CHECK(read.metrics[0].initial == 0.25);
    CHECK(std::isnan(read.metrics[1].mean));
    CHECK(train::to_json(read).dump() == line);
    CHECK(train::metric_names({read}) == std::vector<std::string>{"a"});
}

TEST_CASE("a metric whose name is no word or means something else is refused", "[host]") {
    const auto refusal = [](std::vector<std::string> names) {
        return error_of([&] { Run([&] { return reporting(names); }, 1).trainer.run(); });
    };
    const std::string form = ", expected lower-case letters, digits and underscores, first a letter";
    CHECK(refusal({"Mean kernel"}) == "a metric is called \"Mean kernel\"" + form);
    CHECK(refusal({""}) == "a metric is called \"\"" + form);
    CHECK(refusal({"2nd"}) == "a metric is called \"2nd\"" + form);
    CHECK(refusal({"lr"}) == "a metric is called \"lr\", which is the name of another number of a run");
    CHECK(refusal({"loss"}) == "a metric is called \"loss\", which is the name of another number of a run");
    CHECK(refusal({"initial_lr"}) == "a metric is called \"initial_lr\", expected a name without \"initial_\"");
    CHECK(refusal({"a", "a"}) == "the loss has two metrics called \"a\"");
}

TEST_CASE("a loss whose metrics change during a run is refused", "[host]") {
    Run run([] { return reporting({"a"}); });
    run.trainer.run_epoch();
    dynamic_cast<Reporting&>(*run.classifier.loss).names = {"a", "b"};
    CHECK(error_of([&] { run.trainer.run_epoch(); }) ==
          "the metrics of the loss are [a, b], expected those of the first step, [a]");
}

TEST_CASE("a metric that is not a scalar is refused", "[host]") {
    class Rows : public Softmax {
    public:
        Rows() : Softmax(SoftmaxOptions{.classes = 2, .dim = 3}) {}
        std::vector<LossMetric> metrics() const override {
            return {{.name = "rows", .description = "", .value = Tensor::zeros({4}, DType::float32, Device{})}};
        }
    };
    Run run([] { return std::make_shared<Rows>(); }, 1);
    CHECK(error_of([&] { run.trainer.run(); }) ==
          "the loss's metric \"rows\" is float32[4] on cpu, expected a scalar on " + default_device().str());
}

TEST_CASE("a run that goes on in mid-epoch comes to the same metrics", "[host]") {
    Run whole([] { return rbf(); });
    const EpochResult expected = whole.trainer.run();
    for (const bool earlier : {false, true}) {
        INFO(earlier);
        Run stopped([] { return rbf(); });
        auto state = nlohmann::ordered_json::parse(state_after(stopped, 8).dump());
        if (earlier) {  // as saved by versions whose only metric was the mean kernel
            const auto kernel = state.at("metrics").at("mean_kernel");
            state["kernel"] = {{"initial", kernel.at("initial")},   {"window_sum", 0.5},
                               {"epoch_sum", kernel.at("sum")},     {"window_steps", 2},
                               {"epoch_steps", kernel.at("steps")}, {"steps", 8}};
            state.erase("metrics");
            state.erase("observers");
        }
        Run resumed([] { return rbf(); });
        resumed.classifier.load_state(stopped.classifier.state());
        resumed.trainer.restore(state);
        const EpochResult last = resumed.trainer.run();
        CHECK(*last.metric("mean_kernel") == *expected.metric("mean_kernel"));
        CHECK(last.metrics[0].initial == expected.metrics[0].initial);
    }
}

TEST_CASE("a trainer that nobody watches goes on with a dead kernel", "[host]") {
    Run run([] { return rbf(1e-9); }, 1);
    CHECK(*run.trainer.run().metric("mean_kernel") < 1e-6);
}

TEST_CASE("the watch over kernels ends a dead run within its first epoch, with a warning at its first step") {
    Run run([] { return rbf(1e-9); });
    DeadKernelWatch watch;
    Recorder recorder("mean_kernel");
    run.trainer.observe(watch);
    run.trainer.observe(recorder);
    const std::string error = error_of<NumericError>([&] { run.trainer.run(); });
    CHECK(error ==
          "mean kernel 0 after 6 steps: every prototype is out of reach of the features, so no gradient flows. "
          "Normalise the loss's features, lower the learning rate, clip the gradient's norm at 1, or raise the loss's "
          "gamma");
    CHECK(run.trainer.history().empty());
    REQUIRE(recorder.notes.size() >= 2);
    CHECK(recorder.notes[0] == "mean kernel at the first step: 0");
    CHECK(recorder.notes[1].starts_with("warning: mean kernel 0 after 0 steps: every prototype is out of reach"));
}

TEST_CASE("a watch that does not stop only warns", "[host]") {
    Run run([] { return rbf(1e-9); });
    DeadKernelWatch watch({.stops = false});
    Recorder recorder("mean_kernel");
    run.trainer.observe(watch);
    run.trainer.observe(recorder);
    CHECK(run.trainer.run().epoch == 2);
    CHECK(recorder.notes.size() == 2);
}

TEST_CASE("a kernel that dies in mid-epoch is noticed within fifty steps", "[host]") {
    Run run([] { return rbf(); });
    DeadKernelWatch watch;
    tell(watch, run.trainer, 0.5, 1, 50);
    tell(watch, run.trainer, 1e-7, 51, 49);
    CHECK(error_of<NumericError>([&] { tell(watch, run.trainer, 1e-7, 100, 1); }) ==
          "mean kernel 1e-07 after 100 steps: every prototype is out of reach of the features, so no gradient flows. "
          "Normalise the loss's features, lower the learning rate, clip the gradient's norm at 1, or raise the loss's "
          "gamma");
}

TEST_CASE("a weak kernel above the limit is left to train", "[host]") {
    Run run([] { return rbf(); });
    DeadKernelWatch watch;
    CHECK_NOTHROW(tell(watch, run.trainer, 2e-6, 1, 100));
    CHECK_NOTHROW(watch.before_evaluation(run.trainer));
}

TEST_CASE("the last few steps of a longer epoch are no window", "[host]") {
    Run run([] { return rbf(); });
    DeadKernelWatch watch;
    tell(watch, run.trainer, 0.5, 1, 50);
    tell(watch, run.trainer, 0, 51, 20);
    CHECK_NOTHROW(watch.before_evaluation(run.trainer));
    tell(watch, run.trainer, 0, 71, 49);  // steps of the next epoch
    CHECK_THROWS_AS(tell(watch, run.trainer, 0, 120, 1), NumericError);
}

TEST_CASE("a window goes on where a run does, before the watch is added or after", "[host]") {
    Run run([] { return rbf(); });
    DeadKernelWatch watch;
    tell(watch, run.trainer, 0, 1, 30);
    run.trainer.observe(watch);
    const nlohmann::ordered_json state = run.trainer.state();
    for (const bool before : {true, false}) {
        INFO(before);
        Run resumed([] { return rbf(); });
        DeadKernelWatch other;
        if (before) resumed.trainer.observe(other);
        resumed.trainer.restore(state);
        if (!before) resumed.trainer.observe(other);
        CHECK_NOTHROW(tell(other, resumed.trainer, 0, 31, 19));
        CHECK_THROWS_AS(tell(other, resumed.trainer, 0, 50, 1), NumericError);
    }
}

TEST_CASE("options that make no sense for the watch over kernels are refused", "[host]") {
    CHECK(error_of([] { DeadKernelWatch({.window = 0}); }) == "DeadKernelWatch: window is 0, expected at least 1");
    CHECK(error_of([] { DeadKernelWatch({.limit = -1}); }) == "DeadKernelWatch: limit is -1, expected at least 0");
}

}  // namespace radial::test
