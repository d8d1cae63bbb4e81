// Tests of a user's own program: a data set, a network and a loss that are not in Radial's registries.
#include "radial/apps/program/program.h"
#include "radial/apps/sweep/sweep_runs.h"
#include "radial/apps/train/trainer.h"

#include "../../data/pictures.h"
#include "../../expect.h"
#include "../program.h"

#include "radial/core/ops.h"
#include "radial/layers/activation.h"
#include "radial/layers/linear.h"
#include "radial/layers/sequential.h"
#include "radial/losses/elementwise.h"

#include <algorithm>

namespace radial::test {
namespace {

/// Each sample is four numbers. The label is the index of the largest number; for regression the target is their sum.
class Largest : public data::Dataset {
public:
    Largest(bool train, bool regression) : seed_(train ? 1 : 2), regression_(regression) {
        if (!regression) class_names = {"a", "b", "c", "d"};
    }
    std::int64_t size() const override { return 64; }
    data::Sample get(std::int64_t index) const override {
        Generator random(seed_ + 2 * static_cast<std::uint64_t>(index));
        std::vector<float> values(4);
        for (float& value : values) value = random.uniform();
        const std::int64_t label = std::max_element(values.begin(), values.end()) - values.begin();
        const Tensor input = Tensor::from(values, {4}, Device{});
        if (!regression_) return {input, Tensor::from(std::vector<std::int64_t>{label}, {}, Device{})};
        return {input, Tensor::from(std::vector<float>{values[0] + values[1] + values[2] + values[3]}, {1}, Device{})};
    }

private:
    std::uint64_t seed_;
    bool regression_;
};

/// A program with its own loss, network and data; the destructor removes them from the registries.
class Own {
public:
    explicit Own(bool regression = false) : program_("largest") {
        register_loss({"mse", "mean (y - t)^2", "this test", {}, [](std::int64_t, std::int64_t, const LossSettings&) {
                           return std::make_unique<MeanSquaredError>();
                       }});
        program_.data_without_folder(
            [regression](const auto&, bool train) { return std::make_shared<Largest>(train, regression); });
        program_.network(
            "two-layers",
            [](std::int64_t dim) {
                auto layers = std::make_unique<Sequential>();
                layers->add<Linear>({.in_features = 4, .out_features = 16}).add<ReLU>();
                layers->add<Linear>({.in_features = 16, .out_features = dim});
                return layers;
            },
            regression ? 1 : 8);
        program_.loss(regression ? "mse" : "softmax");
    }
    ~Own() {
        unregister_model("two-layers");
        unregister_loss("mse");
    }
    Own(const Own&) = delete;
    Own& operator=(const Own&) = delete;

    train::Program& program() { return program_; }
    int run(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), "largest");
        std::vector<const char*> words;
        words.reserve(arguments.size());
        for (const std::string& argument : arguments) words.push_back(argument.c_str());
        return program_.run(static_cast<int>(words.size()), words.data());
    }

private:
    train::Program program_;
};

std::vector<double> column(const std::vector<nlohmann::json>& lines, const char* name) {
    std::vector<double> values;
    values.reserve(lines.size());
    for (const nlohmann::json& line : lines) values.push_back(line.at(name));
    return values;
}

}  // namespace

TEST_CASE("a program of your own trains, evaluates and goes on as radial-mnist does", "[host]") {
    const DefaultSignals signals;
    const TemporaryFolder folder;
    const Own own;
    const std::string out = (folder / "run").string(), whole = (folder / "whole").string();
    const std::vector<std::string> quick = {"--batch", "16", "--workers", "0", "--threads", "1"};
    const auto train = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "train");
        arguments.insert(arguments.end(), quick.begin(), quick.end());
        return own.run(arguments);
    };
    REQUIRE(train({"--schedule", "constant", "--epochs", "4", "--out", whole}) == 0);
    REQUIRE(train({"--schedule", "constant", "--epochs", "2", "--out", out}) == 0);
    CHECK(own.run({"train", "--resume", out, "--epochs", "4"}) == 0);
    CHECK(column(read_metrics(out), "test_loss") == column(read_metrics(whole), "test_loss"));
    CHECK(own.run({"eval", "--checkpoint", out + "/best.safetensors", "--workers", "0"}) == 0);
    CHECK(std::filesystem::exists(out + "/report.html"));
    CHECK(train({"--epochs", "1", "--out", out}) == 1);  // the folder contains a run
    CHECK(train({"--epoch", "1"}) == 2);                 // an unknown option
}

TEST_CASE("a program of your own learns numbers, of which there is no accuracy", "[host]") {
    const DefaultSignals signals;
    const TemporaryFolder folder;
    const Own own(true);
    const std::string out = (folder / "run").string();
    REQUIRE(own.run({"train", "--epochs", "5", "--batch", "16", "--workers", "0", "--threads", "1", "--out", out}) ==
            0);
    const std::vector<nlohmann::json> lines = read_metrics(out);
    REQUIRE(lines.size() == 5);
    CHECK(lines.back().at("test_accuracy").is_null());
    CHECK(lines.back().at("test_loss") < lines.front().at("test_loss"));
    const ProgramResult report = run_program("radial-report", out + " --out " + (folder / "compared.html").string());
    CHECK(report.status == 0);
    CHECK(report.first_error().empty());
    const std::string table = (folder / "predictions.csv").string();
    CHECK(own.run({"eval", "--checkpoint", out + "/best.safetensors"}) == 0);
    CHECK(own.run({"eval", "--checkpoint", out + "/best.safetensors", "--predictions", table}) == 1);
    CHECK(own.run({"eval", "--checkpoint", out + "/best.safetensors", "--per-class"}) == 1);
    CHECK_FALSE(std::filesystem::exists(table));
    const std::string page = read_text(folder / "compared.html");
    for (const char* const text : {">nan", "nan%", "-nan"}) CHECK(page.find(text) == std::string::npos);
    CHECK(own.run({"eval", "--checkpoint", out + "/best.safetensors", "--workers", "0"}) == 0);
}

TEST_CASE("a run with patience stops when it no longer improves, and stays so when it is resumed", "[host]") {
    const DefaultSignals signals;
    const TemporaryFolder folder;
    const Own own;
    const std::string out = (folder / "run").string();
    // With a learning rate of 0, no epoch is better than the first.
    REQUIRE(own.run({"train", "--lr", "0", "--epochs", "9", "--patience", "2", "--batch", "16", "--workers", "0",
                     "--threads", "1", "--out", out}) == 0);
    CHECK(read_metrics(out).size() == 3);
    CHECK(train::state_of(out).done());
    CHECK(own.run({"train", "--resume", out}) == 0);
    CHECK(read_metrics(out).size() == 3);
    CHECK(own.run({"train", "--resume", out, "--patience", "4"}) == 0);
    CHECK(read_metrics(out).size() == 5);
}

TEST_CASE("a program's own observers see its runs", "[host]") {
    class Count : public train::Observer {
    public:
        explicit Count(int& epochs) : epochs_(epochs) {}
        void on_epoch(train::Trainer& trainer, const train::EpochResult&) override {
            if (++epochs_ == 2) trainer.stop();
        }

    private:
        int& epochs_;
    };
    const DefaultSignals signals;
    const TemporaryFolder folder;
    Own own;
    int epochs = 0;
    own.program().observer([&] { return std::make_unique<Count>(epochs); });
    CHECK(own.run({"train", "--epochs", "5", "--workers", "0", "--out", (folder / "run").string()}) == 0);
    CHECK(epochs == 2);
    CHECK(read_metrics(folder / "run").size() == 2);
}

TEST_CASE("a program of your own reads picture files at the size of --image-size", "[host]") {
    const DefaultSignals signals;
    const TemporaryFolder folder;
    const PictureSet pictures;
    train::Program program("pictures");
    program.data_without_folder([&](const auto&, bool) { return std::make_shared<data::ImageSet>(pictures.set); });
    program.network(
        "flat",
        [](std::int64_t dim) {
            auto layers = std::make_unique<Sequential>();
            layers->add<Flatten>().add<Linear>({.in_features = 3 * 8 * 8, .out_features = dim});
            return layers;
        },
        4);
    program.loss("softmax");
    const auto run = [&](std::vector<const char*> words) {
        words.insert(words.begin(), "pictures");
        return program.run(static_cast<int>(words.size()), words.data());
    };
    const std::string out = (folder / "run").string(), best = out + "/best.safetensors";
    CHECK(run({"train", "--image-size", "8", "--epochs", "1", "--workers", "0", "--out", out.c_str()}) == 0);
    CHECK(run({"eval", "--checkpoint", best.c_str(), "--workers", "0"}) == 0);  // with the checkpoint's image size
    unregister_model("flat");
}

TEST_CASE("a program without a network or data is refused", "[host]") {
    const char* const words[] = {"empty", "train"};
    CHECK(error_of([&] { train::Program("empty").run(2, words); }) == "Program empty: has no data set");
    train::Program with_data("empty");
    with_data.data([](const auto&, bool train) { return std::make_shared<Largest>(train, false); });
    CHECK(error_of([&] { with_data.run(2, words); }) == "Program empty: has no network");
}

}  // namespace radial::test
