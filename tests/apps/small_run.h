// A run of a small network on points in the plane, for tests of Trainer and its observers.
#pragma once

#include "radial/apps/train/classifier.h"
#include "radial/apps/train/trainer.h"
#include "radial/core/optim/optim.h"
#include "radial/core/tensor/random.h"
#include "radial/data/dataset.h"
#include "radial/data/loader.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace radial::test {

/// 48 points around two centres with their classes as labels; for regression the targets are the sums of the
/// coordinates.
inline std::shared_ptr<data::TensorSet> points(std::uint64_t seed, bool regression = false) {
    Generator random(seed);
    const Tensor inputs = Tensor::empty({48, 2}, DType::float32, Device{});
    normal_(inputs, 0, 0.5, random);
    const std::span<float> values = inputs.values<float>();
    std::vector<std::int64_t> labels;
    std::vector<float> sums;
    for (std::size_t i = 0; i < 48; ++i) {
        labels.push_back(static_cast<std::int64_t>(i % 2));
        if (i % 2 == 1) values[2 * i] += 1;
        sums.push_back(values[2 * i] + values[2 * i + 1]);
    }
    if (regression) return std::make_shared<data::TensorSet>(inputs, Tensor::from(sums, {48, 1}, Device{}));
    return std::make_shared<data::TensorSet>(inputs, Tensor::from(labels, {48}, Device{}),
                                             std::vector<std::string>{"left", "right"});
}

struct SmallRunOptions {
    std::int64_t epochs = 2;
    bool regression = false;
    SgdOptions sgd = {.lr = 0.1};
    Device device = default_device();
};

/// Trains a classifier on points(1) and tests it on points(2), with 6 steps per epoch.
class SmallRun {
public:
    SmallRun(const std::function<train::Classifier()>& make, const SmallRunOptions& options)
        : test(points(2, options.regression)),
          train_loader_(points(1, options.regression), {.batch_size = 8, .shuffle = true, .workers = 0}),
          test_loader_(test, {.batch_size = 16, .workers = 0}),
          classifier(seeded(make)),
          optimizer(classifier.parameters(), options.sgd),
          trainer({.step = {.model = *classifier.model,
                            .loss = *classifier.loss,
                            .optimizer = optimizer,
                            .device = options.device},
                   .train = train_loader_,
                   .test = test_loader_,
                   .epochs = options.epochs}) {}

private:
    static train::Classifier seeded(const std::function<train::Classifier()>& make) {
        manual_seed(4);
        return make();
    }

public:
    std::shared_ptr<data::TensorSet> test;

private:
    data::Loader train_loader_, test_loader_;

public:
    train::Classifier classifier;
    Sgd optimizer;
    train::Trainer trainer;
};

}  // namespace radial::test
