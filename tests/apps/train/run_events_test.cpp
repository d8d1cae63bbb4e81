// Tests of the files that a run writes for TensorBoard, without interruption and after it was resumed.
#include "../../catch.h"
#include "../program.h"
#include "event_reader.h"
#include "radial/data/images/image.h"

#include <fmt/core.h>

#include <set>

namespace radial::test {
namespace {

namespace fs = std::filesystem;

/// A run of three epochs of ten steps that logs every seven steps and keeps all its snapshots.
class LoggedRun {
public:
    LoggedRun() {
        write_patterns(folder_ / "data", 100, 20);
        // The learning rate is so low that the network still makes mistakes.
        train(
            fmt::format("--data {} --out {} --dim 3 --epochs 3 --batch 10 --lr 0.0001 --threads 1 --save-steps 2 "
                        "--keep-saves 100 --log-steps 7",
                        (folder_ / "data").string(), path().string()));
        before_ = logged_values(path() / "events");
    }
    fs::path path() const { return folder_ / "run"; }
    const std::vector<LoggedValue>& before() const { return before_; }
    /// Deletes the snapshots of steps after `step`, resumes the run, and returns all values that it has logged.
    std::vector<LoggedValue> resumed_after(int step) const {
        for (const auto& entry : fs::directory_iterator(path() / "snapshots"))
            if (entry.path().filename() > fmt::format("step-{:09}.safetensors", step)) fs::remove(entry.path());
        train("--resume " + path().string());
        return logged_values(path() / "events");
    }

private:
    static void train(const std::string& arguments) {
        const ProgramResult result = run_program("radial-mnist", "train " + arguments);
        INFO(result.error);
        REQUIRE(result.status == 0);
    }

    TemporaryFolder folder_;
    std::vector<LoggedValue> before_;
};

const LoggedRun& logged_run() {
    static const LoggedRun run;
    return run;
}

/// The tags and steps of the values.
std::multiset<std::pair<std::string, std::int64_t>> places(const std::vector<LoggedValue>& values) {
    std::multiset<std::pair<std::string, std::int64_t>> found;
    for (const LoggedValue& value : values) found.emplace(value.tag, value.step);
    // How often the speed is logged depends on the resolution of the clock.
    std::erase_if(found, [](const auto& place) { return place.first == "step/images_per_second"; });
    return found;
}

std::vector<LoggedValue> of_tag(const std::vector<LoggedValue>& values, const std::string& tag) {
    std::vector<LoggedValue> found;
    for (const LoggedValue& value : values)
        if (value.tag == tag) found.push_back(value);
    return found;
}

}  // namespace

TEST_CASE("a run logs the scalars of its steps as often as it is told", "[host]") {
    const auto& values = logged_run().before();
    for (const char* tag :
         {"step/loss", "step/accuracy", "step/gradient_norm", "step/learning_rate", "step/mean_kernel"}) {
        INFO(tag);
        std::vector<std::int64_t> steps;
        for (const auto& point : scalars(values, tag)) steps.push_back(point.first);
        CHECK(steps == std::vector<std::int64_t>{7, 14, 21, 28});
    }
}

TEST_CASE("a run logs the scalars of its epochs as metrics.jsonl has them", "[host]") {
    const auto lines = read_metrics(logged_run().path());
    const std::map<std::string, std::string> keys = {{"epoch/train_loss", "train_loss"},
                                                     {"epoch/train_accuracy", "train_accuracy"},
                                                     {"epoch/test_loss", "test_loss"},
                                                     {"epoch/test_accuracy", "test_accuracy"},
                                                     {"epoch/learning_rate", "lr"},
                                                     {"epoch/gradient_norm", "gradient_norm"},
                                                     {"epoch/images_per_second", "images_per_second"},
                                                     {"epoch/mean_kernel", "mean_kernel"}};
    for (const auto& [tag, key] : keys) {
        const auto points = scalars(logged_run().before(), tag);
        INFO(tag);
        REQUIRE(points.size() == 3);
        for (int epoch = 0; epoch < 3; ++epoch)
            CHECK(points.at(10 * (epoch + 1)) == lines[static_cast<std::size_t>(epoch)].at(key).get<float>());
    }
}

TEST_CASE("a run logs each test feature's distance to its own and the nearest other prototype", "[host]") {
    for (const char* tag :
         {"squared distance/to the own prototype", "squared distance/to the nearest other prototype"}) {
        const auto histograms = of_tag(logged_run().before(), tag);
        INFO(tag);
        REQUIRE(histograms.size() == 3);
        for (const LoggedValue& value : histograms)
            CHECK(field(protobuf_fields(field(value.fields, 5).bytes), 3).as_double() == 20);
    }
}

TEST_CASE("a run logs pictures of misclassified samples that decode", "[host]") {
    const auto pictures = of_tag(logged_run().before(), "mistakes/1");
    REQUIRE(!pictures.empty());
    const auto image = protobuf_fields(field(pictures.front().fields, 4).bytes);
    const std::string& png = field(image, 4).bytes;
    const std::vector<std::uint8_t> content(png.begin(), png.end());
    CHECK(data::decode_image(content, "picture", {.channels = 1}).shape() == Shape({28, 28, 1}));
    CHECK(of_tag(logged_run().before(), "mistakes").size() == pictures.size());
}

TEST_CASE("a resumed run logs no step twice and none is missing", "[host]") {
    const std::size_t starts = event_files(logged_run().path() / "events").size();
    const auto values = logged_run().resumed_after(14);
    CHECK(places(values) == places(logged_run().before()));
    // The values are the same, too, because the run was resumed exactly at step 14, where values are logged.
    for (const char* tag : {"step/loss", "step/gradient_norm", "epoch/test_loss"})
        CHECK(scalars(values, tag) == scalars(logged_run().before(), tag));
    CHECK(event_files(logged_run().path() / "events").size() == starts + 1);
}

TEST_CASE("a run that goes on at an epoch's end keeps what it logged of that epoch", "[host]") {
    CHECK(places(logged_run().resumed_after(10)) == places(logged_run().before()));
}

TEST_CASE("a run without points between epochs logs its epochs", "[host]") {
    const TemporaryFolder folder;
    write_patterns(folder / "data", 20, 10);
    REQUIRE(
        run_program("radial-mnist", fmt::format("train --data {} --out {} --dim 3 --epochs 1 --batch 10 --threads 1 "
                                                "--log-steps 0",
                                                (folder / "data").string(), (folder / "run").string()))
            .status == 0);
    const auto values = logged_values(folder / "run/events");
    CHECK(scalars(values, "epoch/train_loss").size() == 1);
    CHECK(scalars(values, "step/loss").empty());
}

TEST_CASE("a run that overwrites an earlier one takes its event files away", "[host]") {
    const TemporaryFolder folder;
    write_patterns(folder / "data", 20, 10);
    for (int i = 0; i < 2; ++i) {
        run_program("radial-mnist",
                    fmt::format("train --data {} --out {} --dim 3 --epochs 1 --batch 10 --threads 1 --overwrite",
                                (folder / "data").string(), (folder / "run").string()));
    }
    CHECK(event_files(folder / "run/events").size() == 1);
}

}  // namespace radial::test
