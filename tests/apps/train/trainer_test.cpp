// Tests of the training loop: results do not depend on how steps are submitted, and errors name the step.
#include "../../catch.h"
#include "../../data/scratch.h"
#include "../../environment.h"
#include "../../expect.h"

#include "radial/apps/cli/image_task.h"
#include "radial/apps/cli/shared_flags.h"
#include "radial/apps/train/classifier.h"
#include "radial/apps/train/run/snapshots.h"
#include "radial/apps/train/trainer.h"
#include "radial/core/memory/allocator.h"
#include "radial/core/memory/device_runtime.h"
#include "radial/core/ops/reduce.h"
#include "radial/core/optim/sgd.h"
#include "radial/core/tensor/random.h"
#include "radial/layers/activation.h"
#include "radial/layers/conv.h"
#include "radial/layers/linear.h"
#include "radial/layers/sequential.h"
#include "radial/losses/rbf_softmax.h"
#include "radial/losses/softmax.h"

#ifdef RADIAL_EMULATED_CUDA
#include "radial/core/memory/emulated/emulator.h"
#endif

#include <CLI/CLI.hpp>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>

namespace radial::test {
namespace {

using train::EpochResult, train::GraphUse, train::Precision;

constexpr std::int64_t classes = 4, batch = 8;

/// `count` images of 8 by 8 bytes. Each class is brightest in a different quarter of the image.
data::ImageSet quarters(std::int64_t count) {
    Generator generator(11);
    std::vector<std::uint8_t> pixels;
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < count; ++i) {
        labels.push_back(i % classes);
        for (std::int64_t p = 0; p < 64; ++p) {
            const std::int64_t quarter = 2 * (p / 32) + p % 8 / 4;
            pixels.push_back(static_cast<std::uint8_t>(generator.below(100) + (quarter == i % classes ? 120 : 0)));
        }
    }
    return {Tensor::from(pixels, {count, 1, 8, 8}, Device{}),
            Tensor::from(labels, {count}, Device{}),
            {"a", "b", "c", "d"}};
}

struct Run {
    GraphUse graph = GraphUse::automatic;
    double lr = 0.05, clip_norm = 1.0;
    std::int64_t images = 340;  ///< 42 full batches and one of 4
    bool rbf = true, cosine = true;
    Precision precision = Precision::float32;
};

/// An observer that calls the given functions, each of which may be empty.
class Watcher : public train::Observer {
public:
    Watcher(std::function<void(train::Trainer&)> between, std::function<bool()> stop,
            std::function<void(train::Trainer&, bool)> evaluated)
        : between_(std::move(between)), stop_(std::move(stop)), evaluated_(std::move(evaluated)) {}

    void between_steps(train::Trainer& trainer) override {
        if (between_) between_(trainer);
    }
    bool wants_to_stop() override { return stop_ && stop_(); }
    void on_evaluation(train::Trainer& trainer, bool whole) override {
        if (evaluated_) evaluated_(trainer, whole);
    }

private:
    std::function<void(train::Trainer&)> between_;
    std::function<bool()> stop_;
    std::function<void(train::Trainer&, bool)> evaluated_;
};

/// A small network, its loss, its data and its trainer on default_device().
class Training {
public:
    explicit Training(const Run& run, std::function<void(train::Trainer&)> between_steps = {},
                      std::function<bool()> stop = {}, std::function<void(train::Trainer&, bool)> evaluated = {})
        : watcher_(std::move(between_steps), std::move(stop), std::move(evaluated)),
          train_loader_(quarters(run.images), loader_options),
          test_loader_(quarters(50), loader_options) {
        manual_seed(2);
        auto model = std::make_unique<Sequential>();
        model->add<Conv2d>(Conv2dOptions{.in_channels = 1, .out_channels = 3, .kernel = 3, .padding = 1})
            .add<BatchNorm2d>(BatchNorm2dOptions{.channels = 3, .activation = Activation::relu})
            .add<MaxPool2d>()
            .add<Dropout>(DropoutOptions{.p = 0.1})
            .add<Flatten>()
            .add<Linear>(LinearOptions{.in_features = 3 * 4 * 4, .out_features = 3});
        std::shared_ptr<Loss> loss;
        if (run.rbf)
            loss = std::make_shared<RbfSoftmax>(RbfSoftmaxOptions{.classes = classes, .dim = 3, .gamma = 4});
        else
            loss = std::make_shared<Softmax>(SoftmaxOptions{.classes = classes, .dim = 3});
        classifier_ = train::Classifier(std::move(model), std::move(loss));
        optimizer_ = std::make_unique<Sgd>(classifier_.parameters(), SgdOptions{.lr = run.lr, .momentum = 0.9});
        trainer_ = std::make_unique<train::Trainer>(train::TrainerSetup{
            .step = {.model = *classifier_.model,
                     .loss = *classifier_.loss,
                     .optimizer = *optimizer_,
                     .clip_norm = run.clip_norm,
                     .device = default_device(),
                     .precision = run.precision,
                     .graph = run.graph},
            .train = train_loader_,
            .test = test_loader_,
            .schedule = run.cosine ? cosine_schedule({.lr = run.lr, .epochs = 2}) : constant_schedule(run.lr),
            .epochs = 2});
        trainer_->observe(watcher_);
    }

    train::Classifier& classifier() { return classifier_; }
    Optimizer& optimizer() { return *optimizer_; }
    train::Trainer& trainer() { return *trainer_; }

private:
    static inline const data::LoaderOptions loader_options{
        .batch_size = batch, .shuffle = true, .seed = 3, .workers = 0};
    Watcher watcher_;
    data::Loader train_loader_, test_loader_;
    train::Classifier classifier_;
    std::unique_ptr<Optimizer> optimizer_;
    std::unique_ptr<train::Trainer> trainer_;
};

/// Trains for two epochs.
std::vector<EpochResult> train(const Run& run) {
    Training training(run);
    training.trainer().run_epoch();
    training.trainer().run_epoch();
    return training.trainer().history();
}

std::vector<double> numbers_of(const std::vector<EpochResult>& history) {
    std::vector<double> numbers;
    for (const EpochResult& epoch : history)
        for (const double number : {epoch.train_loss, epoch.train_accuracy, epoch.test_loss, epoch.test_accuracy,
                                    epoch.gradient_norm, epoch.metric("mean_kernel").value_or(-1), epoch.lr})
            numbers.push_back(number);
    return numbers;
}

}  // namespace

TEST_CASE("A run's numbers are the same with steps as a graph and one by one", "[device]") {
    const std::vector<double> eager = numbers_of(train({.graph = GraphUse::off}));
    const std::vector<double> graph = numbers_of(train({.graph = GraphUse::on}));
    REQUIRE(graph.size() == eager.size());
    for (std::size_t i = 0; i < eager.size(); ++i)
        CHECK(graph[i] == Approx(eager[i]).epsilon(device::emulated() ? 0 : 1e-2));
}

TEST_CASE("A trainer that takes over another's state goes on as that would have") {
    const std::vector<double> whole = numbers_of(train({}));
    for (const std::int64_t stop : {1, 17, 43, 44, 70}) {  // 43 steps per epoch
        const Scratch scratch;
        const train::Snapshots snapshots(scratch.path(), 1);
        struct Stop {};
        Training* running = nullptr;
        Training stopped({}, [&](train::Trainer& trainer) {
            if (trainer.steps() != stop) return;
            snapshots.save(stop, running->classifier(), running->optimizer(), trainer.state());
            throw Stop{};
        });
        running = &stopped;
        const auto two_epochs = [](Training& training) {
            while (training.trainer().history().size() < 2) training.trainer().run_epoch();
        };
        CHECK_THROWS_AS(two_epochs(stopped), Stop);

        Training resumed(Run{});
        const auto state = train::load_snapshot(snapshots.files().at(0), resumed.classifier(), resumed.optimizer());
        resumed.trainer().restore(state);
        CHECK(resumed.trainer().steps() == stop);
        two_epochs(resumed);
        CHECK(numbers_of(resumed.trainer().history()) == whole);
    }
}

TEST_CASE("An evaluation is given up between batches, and made by the trainer that takes the state over") {
    const std::vector<double> whole = numbers_of(train({}));
    const Scratch scratch;
    const train::Snapshots snapshots(scratch.path(), 1);
    struct Stop {};
    Training* running = nullptr;
    int asked = 0;
    Training stopped(
        Run{}, {}, [&] { return ++asked == 3; },
        [&](train::Trainer& trainer, bool complete) {
            CHECK_FALSE(complete);
            snapshots.save(trainer.steps(), running->classifier(), running->optimizer(), trainer.state());
            throw Stop{};
        });
    running = &stopped;
    CHECK_THROWS_AS(stopped.trainer().run_epoch(), Stop);
    CHECK(asked == 3);  // the evaluation stopped after 3 of 7 batches
    CHECK(stopped.trainer().history().empty());
    CHECK(stopped.trainer().awaits_evaluation());

    Training resumed(Run{});
    resumed.trainer().restore(train::load_snapshot(snapshots.files().at(0), resumed.classifier(), resumed.optimizer()));
    CHECK(resumed.trainer().steps() == 43);
    while (resumed.trainer().history().size() < 2) resumed.trainer().run_epoch();
    CHECK(numbers_of(resumed.trainer().history()) == whole);
}

TEST_CASE("A state with a test loss that was not finite is taken over") {
    Training training(Run{});
    training.trainer().run_epoch();
    auto state = training.trainer().state();
    state.at("history").at(0).at("test_loss") = std::numeric_limits<double>::quiet_NaN();
    const std::string written = state.dump();
    CHECK(written.find("\"test_loss\":null") != std::string::npos);
    Training resumed(Run{});
    resumed.trainer().restore(nlohmann::ordered_json::parse(written));
    CHECK(std::isnan(resumed.trainer().history().at(0).test_loss));
    CHECK(resumed.trainer().state().dump() == written);
}

TEST_CASE("A state whose counts are no whole numbers is refused by name, and changes nothing") {
    Training training(Run{});
    const nlohmann::ordered_json state = training.trainer().state();
    for (const auto& [value, shown] : std::vector<std::pair<nlohmann::ordered_json, std::string>>{
             {1e89, "1e+89"}, {0.5, "0.5"}, {std::uint64_t{1} << 63U, "9223372036854775808"}, {nullptr, "null"}}) {
        auto wrong = state;
        wrong["epoch"] = value;
        CHECK_THROWS_WITH(
            training.trainer().restore(wrong),
            "\"epoch\" is " + shown + ", expected a whole number from -9223372036854775808 to 9223372036854775807");
        CHECK(training.trainer().state() == state);
    }
}

TEST_CASE("A device trains as the CPU does", "[device]") {
    const auto on_device = train({.images = 40});
    const DefaultDevice host{Device{}};
    const auto on_cpu = train({.images = 40});
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(on_device[i].train_loss == Approx(on_cpu[i].train_loss).epsilon(1e-4));
        CHECK(on_device[i].gradient_norm == Approx(on_cpu[i].gradient_norm).epsilon(1e-3));
        CHECK(on_device[i].order == on_cpu[i].order);
    }
}

TEST_CASE("Training learns, in float32 and with bfloat16 activations") {
    for (const Precision precision : {Precision::float32, Precision::bf16}) {
        const auto history = train({.precision = precision});
        CHECK(history[1].train_loss < history[0].train_loss);
        CHECK(history[1].test_accuracy > 0.5);
    }
}

#ifdef RADIAL_EMULATED_CUDA
TEST_CASE("The host waits for a device now and then, not for each step", "[device]") {
    const auto waits_of = [](std::int64_t images) {
        const std::size_t before = emulated::waits();
        train({.graph = GraphUse::on, .images = images});
        return static_cast<std::int64_t>(emulated::waits() - before);
    };
    // The runs differ by 80 steps, and the host reads the results every 32 steps.
    CHECK(waits_of(640) - waits_of(320) <= 3);
}

TEST_CASE("A run that needs more memory than the device has says what helps, and a smaller one goes on", "[device]") {
    release_cached_memory(default_device());
    const std::size_t held = memory_statistics(default_device()).reserved;
    emulated::set_memory(held + 20'000);
    const std::string message = error_of<OutOfMemory>([] { train::with_memory_advice(8, [] { train({}); }); });
    emulated::set_memory(0);
    CHECK(message.starts_with("out of memory: asked for "));
    CHECK(message.find("cuda:0 has ") != std::string::npos);
    CHECK(message.ends_with(": lower --batch, which is 8"));
    CHECK(train({.images = 16}).size() == 2);
}
#endif

TEST_CASE("A loss that is not finite ends training with its step") {
    CHECK(error_of<NumericError>([] { train({.lr = 1e30, .clip_norm = 0, .rbf = false, .cosine = false}); }) ==
          "the loss is nan at step 2 of epoch 1 (lr 1e+30). Lower the learning rate, or clip the gradient's norm "
          "at 1");
}

TEST_CASE("Steps on the CPU cannot be asked to be a graph", "[host]") {
    CHECK(error_of([] { train({.graph = GraphUse::on}); }) == "a step on the CPU cannot run as a graph");
}

TEST_CASE("RADIAL_DEVICE names the default device", "[host]") {
    const EnvironmentVariable variable("RADIAL_DEVICE", "cuda:3");
    CLI::App app;
    std::string device = "cpu";
    train::add_device_option(app, device);
    CHECK(device == "cuda:3");
    app.parse("--device cpu");
    CHECK(device == "cpu");
}

TEST_CASE("Equal elements are counted where they are") {
    const std::vector<std::int64_t> a{1, 2, 3, 4, 5}, b{1, 0, 3, 4, 0};
    CHECK(count_equal(Tensor::from(a, {5}), Tensor::from(b, {5})).item() == 3);
    CHECK(count_equal(Tensor::from(a, {5}), Tensor::from(a, {5})).item() == 5);
    CHECK(error_of([&] { count_equal(Tensor::from(a, {5}), Tensor::zeros({5})); }) ==
          "count_equal: got int64[5] and float32[5], expected two int64 tensors of one shape on one device");
}

}  // namespace radial::test
