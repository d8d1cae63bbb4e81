// Regression: a network learns a function of two numbers from float targets, and training resumes after a stop.
#include <radial/train.h>

#include <cmath>
#include <cstdio>
#include <filesystem>

using namespace radial;

/// The targets are [sin(x) y, x + y].
struct Waves : data::Dataset {
    explicit Waves(std::uint64_t first_seed) : seed(first_seed) {}
    std::int64_t size() const override { return 256; }
    data::Sample get(std::int64_t index) const override {
        Generator random(seed * 1000 + static_cast<std::uint64_t>(index));
        const float x = 4 * random.uniform() - 2, y = 2 * random.uniform() - 1;
        return {Tensor::from(std::vector{x, y}, {2}), Tensor::from(std::vector{std::sin(x) * y, x + y}, {2})};
    }
    std::uint64_t seed;
};

/// Trains up to the given epoch, starting from the last snapshot in `out`.
double train_to(std::int64_t epochs, const std::filesystem::path& out) {
    manual_seed(1);
    auto network = std::make_shared<Sequential>();
    network->add<Linear>({.in_features = 2, .out_features = 64}).add<ReLU>();
    network->add<Linear>({.in_features = 64, .out_features = 2});
    train::Classifier model(network, std::make_shared<MeanSquaredError>());
    Adam optimizer(model.parameters(), {.lr = 0.01});
    data::Loader train_loader(std::make_shared<Waves>(1), {.batch_size = 32, .shuffle = true});
    data::Loader test_loader(std::make_shared<Waves>(2), {.batch_size = 64});
    train::Trainer trainer({.step = {.model = *model.model, .loss = *model.loss, .optimizer = optimizer},
                            .train = train_loader,
                            .test = test_loader,
                            .schedule = cosine_schedule({.lr = 0.01, .epochs = 20}),
                            .epochs = epochs});
    train::SnapshotSaver snapshots(model, optimizer, {.folder = out});
    snapshots.resume(trainer);
    train::BestCheckpoint best(out / "best.safetensors", model);
    trainer.observe(snapshots);
    trainer.observe(best);
    return trainer.run().test_loss;
}

int main(int argc, char** argv) {
    const std::filesystem::path out = argc > 1 ? argv[1] : "regression";
    const double stopped = train_to(8, out / "stopped"), resumed = train_to(20, out / "stopped");
    const double whole = train_to(20, out / "whole");
    std::printf("test loss %.5f after 8 epochs, %.5f after 20, %.5f without a stop\n", stopped, resumed, whole);
    return resumed == whole && whole < 0.02 && std::filesystem::exists(out / "whole/best.safetensors") ? 0 : 1;
}
