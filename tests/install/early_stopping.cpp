// Training without a command line: stops early, keeps the best weights, writes a report, and loads the best again.
#include <radial/train.h>

#include <cstdio>
#include <filesystem>

using namespace radial;

/// Points in the plane around the corners of a triangle, which overlap.
std::shared_ptr<data::TensorSet> corners(std::uint64_t seed) {
    Generator random(seed);
    const Tensor points = Tensor::empty({150, 2}), labels = Tensor::empty({150}, DType::int64);
    normal_(points, 0, 0.4, random);
    for (std::size_t i = 0; i < 150; ++i) {
        labels.values<std::int64_t>()[i] = static_cast<std::int64_t>(i % 3);
        if (i % 3 != 0) points.values<float>()[2 * i + i % 3 - 1] += 1;
    }
    return std::make_shared<data::TensorSet>(points, labels, std::vector<std::string>{"red", "green", "blue"});
}

train::Classifier classifier() {
    auto network = std::make_shared<Sequential>();
    network->add<Linear>({.in_features = 2, .out_features = 32}).add<ReLU>();
    network->add<Linear>({.in_features = 32, .out_features = 2});
    return {network, std::make_shared<RbfSoftmax>(RbfSoftmaxOptions{.classes = 3, .dim = 2, .scale = 4})};
}

int main(int argc, char** argv) {
    const std::filesystem::path out = argc > 1 ? argv[1] : "early-stopping";
    manual_seed(1);
    const auto train_set = corners(1), test_set = corners(2);
    data::Loader train_loader(train_set, {.batch_size = 30, .shuffle = true}),
        test_loader(test_set, {.batch_size = 50});
    train::Classifier subject = classifier();
    Adam optimizer(subject.parameters(), {.lr = 0.01});
    train::Trainer trainer({.step = {.model = *subject.model, .loss = *subject.loss, .optimizer = optimizer},
                            .train = train_loader,
                            .test = test_loader,
                            .epochs = 200});

    train::EarlyStopping early_stopping({.patience = 5});
    train::DeadKernelWatch kernel_watch;
    train::BestCheckpoint best(out / "best.safetensors", subject);
    train::MetricsFile metrics(out / "metrics.jsonl");
    train::TensorBoard events(out / "events");
    train::Report report(out / "report.html", subject, *test_set, {.title = "Corners of a triangle"});
    for (train::Observer* const observer :
         std::initializer_list<train::Observer*>{&early_stopping, &kernel_watch, &best, &metrics, &events, &report})
        trainer.observe(*observer);
    const train::EpochResult last = trainer.run();
    std::printf("stopped after epoch %d, best test accuracy %.1f%% in epoch %d\n", static_cast<int>(last.epoch),
                100 * last.best_accuracy, static_cast<int>(last.best_epoch));

    train::Classifier again = classifier();
    train::load_weights(out / "best.safetensors", again);
    const train::Evaluation found = train::evaluate(*again.model, *again.loss, test_loader, Device{});
    std::printf("loaded: test accuracy %.1f%%\n", 100 * found.accuracy());
    return last.epoch == last.best_epoch + 5 && found.accuracy() == last.best_accuracy ? 0 : 1;
}
