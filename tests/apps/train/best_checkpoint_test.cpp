// Tests of best.safetensors, the checkpoint of the epoch with the best test accuracy.
#include "../../expect.h"
#include "../program.h"
#include "radial/apps/cli/run/run_recorder.h"
#include "radial/apps/tasks/tasks.h"
#include "radial/core/io/safetensors.h"
#include "radial/core/optim/sgd.h"

#include <fmt/core.h>

#include <algorithm>

namespace radial::test {
namespace {

namespace fs = std::filesystem;

/// A run of four epochs. In the third, the learning rate is so high that it destroys what the network has learned.
class SpoiltRun {
public:
    SpoiltRun() {
        write_patterns(folder_ / "data", 100, 20);
        train("run", 4);
        lines_ = read_metrics(path("run"));
        const auto better = [](const auto& a, const auto& b) { return a.at("test_accuracy") < b.at("test_accuracy"); };
        best_ = std::max_element(lines_.begin(), lines_.end(), better) - lines_.begin() + 1;  // first of equal values
        REQUIRE(best_ < 3);
    }
    fs::path path(const std::string& name) const { return folder_ / name; }
    void train(const std::string& name, std::int64_t epochs) const {
        const ProgramResult result = run_program(
            "radial-mnist", fmt::format("train --data {} --out {} --epochs {} --batch 10 --threads 1 --dim 2 --lr 0.02 "
                                        "--schedule step --milestones 2 --lr-factor 500 --loss softmax",
                                        path("data").string(), path(name).string(), epochs));
        INFO(result.error);
        REQUIRE(result.status == 0);
    }
    ProgramResult resume(const std::string& name) const {
        return run_program("radial-mnist", "train --resume " + path(name).string());
    }
    std::int64_t best() const { return best_; }
    double accuracy(std::int64_t epoch) const {
        return lines_.at(static_cast<std::size_t>(epoch - 1))["test_accuracy"];
    }

private:
    TemporaryFolder folder_;
    std::vector<nlohmann::json> lines_;
    std::int64_t best_ = 0;
};

/// A run that learns nothing, so that no epoch is better than the first, and its recorder.
class IdleRun {
public:
    explicit IdleRun(const fs::path& out)
        : set_(images()),
          loader_(set_, {.batch_size = 10}),
          classifier_(train::build_classifier({.dim = 2, .loss = "softmax", .loss_settings = {}})),
          optimizer_(classifier_.parameters(), {.lr = 0}),
          trainer_({.step = {.model = *classifier_.model,
                             .loss = *classifier_.loss,
                             .optimizer = optimizer_,
                             .device = Device{}},
                    .train = loader_,
                    .test = loader_,
                    .schedule = constant_schedule(0)}),
          folder_(out, train::EarlierRun::refused),
          recorder_(task_, {}, folder_, {{"device_description", "any"}, {"options", nlohmann::ordered_json::object()}},
                    classifier_, set_, trainer_, progress_) {
        recorder_.begin_events(trainer_);
    }
    /// Trains one epoch and records it.
    void epoch() {
        trainer_.run_epoch();
        recorder_.record(trainer_);
    }
    train::Classifier& classifier() { return classifier_; }

private:
    static data::ImageSet images() {
        std::vector<std::string> names;
        names.reserve(10);
        for (int i = 0; i < 10; ++i) names.push_back(std::to_string(i));
        return {Tensor::from(std::vector<std::uint8_t>(20 * 784, 7), {20, 1, 28, 28}, Device{}),
                Tensor::from(std::vector<std::int64_t>(20, 3), {20}, Device{}), names};
    }

    train::Progress progress_;
    train::ImageTask task_ = train::mnist_task();
    data::ImageSet set_;
    data::Loader loader_;
    train::Classifier classifier_;
    Sgd optimizer_;
    train::Trainer trainer_;
    train::RunFolder folder_;
    train::RunRecorder recorder_;
};

}  // namespace

TEST_CASE("the checkpoint of the best epoch is kept, the first of several", "[host]") {
    const SpoiltRun run;
    const TensorFile best = read_safetensors(run.path("run/best.safetensors"));
    CHECK(best.metadata.at("epoch") == fmt::format("{}", run.best()));
    CHECK(best.metadata.at("accuracy") == fmt::format("{}", run.accuracy(run.best())));
    run.train("short", run.best());
    CHECK(read_text(run.path("run/best.safetensors")) == read_text(run.path("short/checkpoint.safetensors")));

    const ProgramResult evaluated =
        run_program("radial-mnist", fmt::format("eval --checkpoint {} --data {} --threads 1",
                                                run.path("run/best.safetensors").string(), run.path("data").string()));
    CHECK(evaluated.status == 0);
    CHECK(evaluated.out.find(fmt::format("test accuracy: {:.2f}% (", 100 * run.accuracy(run.best()))) !=
          std::string::npos);
}

TEST_CASE("a run that goes on says where the best checkpoint is missing, and puts the last one there if it is the best",
          "[host][slow]") {
    const SpoiltRun run;
    fs::remove(run.path("run/best.safetensors"));
    const ProgramResult missing = run.resume("run");
    CHECK(missing.status == 0);
    CHECK(
        missing.out.find(fmt::format("note: {} is not there for epoch {}, the best so far; it is written when a later "
                                     "one is better\n",
                                     run.path("run/best.safetensors").string(), run.best())) != std::string::npos);

    run.train("short", run.best());
    fs::remove(run.path("short/best.safetensors"));
    CHECK(run.resume("short").status == 0);
    CHECK(read_text(run.path("short/best.safetensors")) == read_text(run.path("short/checkpoint.safetensors")));
}

TEST_CASE("a best checkpoint that cannot be written is written with a later epoch, as it was", "[host]") {
    const TemporaryFolder folder;
    IdleRun run(folder / "run");
    const fs::path best = folder / "run/best.safetensors";
    fs::create_directories(best / "in the way");
    CHECK(error_of<FileError>([&] { run.epoch(); }) == best.string() + ": cannot be written: Is a directory");
    fs::remove_all(best);
    const Tensor weight = run.classifier().loss->state().front().tensor, before = weight.clone();
    weight.fill_(0);
    run.epoch();
    const TensorFile file = read_safetensors(best);
    CHECK(file.metadata.at("epoch") == "1");
    CHECK(file.at("loss.weight").to_vector<float>() == before.to_vector<float>());
    CHECK(read_safetensors(folder / "run/checkpoint.safetensors").metadata.at("epoch") == "2");
}

}  // namespace radial::test
