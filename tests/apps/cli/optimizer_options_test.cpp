// Tests of the optimizer that the options of a run describe, and of notes on options without effect.
#include "../../catch.h"
#include "../../expect.h"

#include "radial/apps/cli/image_task.h"
#include "radial/apps/cli/run/optimizer_options.h"
#include "radial/apps/cli/run/train_options.h"
#include "radial/apps/tasks/tasks.h"

namespace radial::test {
namespace {

/// The parameters of a network and of its loss.
std::vector<NamedTensor> network_and_loss() {
    std::vector<NamedTensor> parameters{{"model.conv.weight", Tensor::zeros({2, 2, 3, 3})},
                                        {"model.bn.bias", Tensor::zeros({2})},
                                        {"loss.weight", Tensor::zeros({4, 2})},
                                        {"loss.bias", Tensor::zeros({4})}};
    for (const NamedTensor& named : parameters) Tensor(named.tensor).set_requires_grad();
    return parameters;
}

}  // namespace

TEST_CASE("weight decay falls on all parameters, or on weights alone", "[host]") {
    const std::vector<NamedTensor> parameters{{"model.fc.weight", Tensor::zeros({4, 3}).set_requires_grad()},
                                              {"model.fc.bias", Tensor::zeros({4}).set_requires_grad()},
                                              {"model.conv.weight", Tensor::zeros({2, 2, 3, 3}).set_requires_grad()}};
    train::TrainOptions options;
    options.weight_decay = 0.5;
    const auto all = train::make_optimizer(options, parameters);
    REQUIRE(all->groups().size() == 1);
    CHECK(all->groups()[0].weight_decay == 0.5);
    CHECK(all->groups()[0].parameters.size() == 3);
    options.weight_decay_on = train::DecayedParameters::weights;
    const auto weights = train::make_optimizer(options, parameters);
    REQUIRE(weights->groups().size() == 2);
    CHECK(weights->groups()[0].weight_decay == 0.5);
    CHECK(weights->groups()[0].parameters.size() == 2);
    CHECK(weights->groups()[1].weight_decay == 0);
    CHECK(weights->groups()[1].parameters[0].shape() == Shape{4});
}

TEST_CASE("Nesterov's momentum needs a momentum", "[host]") {
    train::TrainOptions options;
    options.momentum = 0;
    options.nesterov = true;
    CHECK(error_of([&] {
              train::make_optimizer(options, {{"model.bias", Tensor::zeros({1}).set_requires_grad()}});
          }) == "--nesterov: needs --momentum above 0");
}

TEST_CASE("--backbone-lr scales the rate of the network and leaves that of the loss", "[host]") {
    train::TrainOptions options;
    options.backbone_lr = 0.1;
    options.weight_decay = 0.5;
    const auto optimizer = train::make_optimizer(options, network_and_loss());
    REQUIRE(optimizer->groups().size() == 2);
    CHECK(optimizer->groups()[0].lr_scale == 0.1);
    CHECK(optimizer->groups()[0].parameters.size() == 2);
    CHECK(optimizer->groups()[1].lr_scale == 1);
    CHECK(optimizer->groups()[1].parameters.size() == 2);
    options.bias_lr_scale = 4;
    const auto scaled = train::make_optimizer(options, network_and_loss());
    std::vector<double> rates, decays;
    for (const ParameterGroup& group : scaled->groups()) {
        rates.push_back(group.lr_scale);
        decays.push_back(group.weight_decay);
    }
    CHECK(rates == std::vector<double>{0.1, 0.4, 1, 4});
    CHECK(decays == std::vector<double>{0.5, 0.125, 0.5, 0.125});
}

TEST_CASE("an optimizer leaves out frozen parameters, and needs one that is not", "[host]") {
    std::vector<NamedTensor> parameters = network_and_loss();
    parameters[0].tensor.set_requires_grad(false);
    const train::TrainOptions options;
    const auto optimizer = train::make_optimizer(options, parameters);
    REQUIRE(optimizer->groups().size() == 1);
    CHECK(optimizer->groups()[0].parameters.size() == 3);
    for (NamedTensor& named : parameters) named.tensor.set_requires_grad(false);
    CHECK(error_of([&] { train::make_optimizer(options, parameters); }) ==
          "--freeze: nothing is left to train, as the loss has no parameters of its own");
}

TEST_CASE("--optimizer selects SGD, Adam, AdamW, RMSprop, LAMB or Muon with its options", "[host]") {
    train::TrainOptions options;
    options.lr = 0.1;
    options.weight_decay = 0.5;
    options.beta1 = 0;
    options.beta2 = 0;
    options.momentum = 0;
    options.epsilon = 1;
    // One step from the value 2 with the gradient 3; the moments are then the gradient and its square.
    const auto step = [&](train::OptimizerKind kind) {
        options.optimizer = kind;
        const std::vector<NamedTensor> parameters{{"model.weight", Tensor::full({1, 1}, 2.0).set_requires_grad()}};
        const auto optimizer = train::make_optimizer(options, parameters);
        parameters[0].tensor.set_grad(Tensor::full({1, 1}, 3.0));
        optimizer->step();
        return parameters[0].tensor.to_vector<float>().front();
    };
    CHECK(step(train::OptimizerKind::sgd) == Approx(2 - 0.1 * (3 + 0.5 * 2)));
    CHECK(step(train::OptimizerKind::adam) == Approx(2 - 0.1 * 4 / (4 + 1.0)));
    options.alpha = 0;
    CHECK(step(train::OptimizerKind::rmsprop) == Approx(2 - 0.1 * 4 / (4 + 1.0)));
    CHECK(step(train::OptimizerKind::adamw) == Approx(2 * (1 - 0.1 * 0.5) - 0.1 * 3 / (3 + 1.0)));
    CHECK(step(train::OptimizerKind::lamb) == Approx(2 - 0.1 * 2));  // the trust ratio scales the update to norm 2
    // Muon's direction for a 1 x 1 matrix is about 1: between 0.7 and 1.2.
    options.muon_scale = MuonScale::original;
    CHECK(step(train::OptimizerKind::muon) == Approx(2 * (1 - 0.1 * 0.5) - 0.1).margin(0.1 * 0.31));
    options.muon_scale = MuonScale::match_adamw;
    CHECK(step(train::OptimizerKind::muon) == Approx(2 * (1 - 0.1 * 0.5) - 0.1 * 0.2).margin(0.02 * 0.31));
}

TEST_CASE("Muon has its own momentum and LAMB its own epsilon, unless they are given", "[host]") {
    const auto settings = [](const std::vector<std::string>& arguments) {
        return train::train_settings(train::mnist_task(), arguments);
    };
    CHECK(settings({"--optimizer", "adamw"}).at("epsilon") == 1e-8);
    CHECK(settings({"--optimizer", "lamb"}).at("epsilon") == 1e-6);
    CHECK(settings({"--optimizer", "lamb", "--epsilon", "1e-8"}).at("epsilon") == 1e-8);
    CHECK(settings({"--optimizer", "sgd"}).at("momentum") == 0.9);
    CHECK(settings({"--optimizer", "muon"}).at("momentum") == 0.95);
    CHECK(settings({"--optimizer", "muon", "--momentum", "0.9"}).at("momentum") == 0.9);
}

TEST_CASE("a momentum is noted with optimizers that have none", "[host]") {
    using Kind = train::OptimizerKind;
    train::TrainOptions options;
    options.momentum = 0.5;
    for (const Kind kind : {Kind::sgd, Kind::rmsprop, Kind::muon}) {
        options.optimizer = kind;
        CHECK(train::options_without_effect(options).empty());
    }
    for (const Kind kind : {Kind::adam, Kind::adamw, Kind::lamb}) {
        options.optimizer = kind;
        CHECK(train::options_without_effect(options) ==
              std::vector<std::string>{"--momentum has no effect without --optimizer sgd, rmsprop or muon"});
    }
}

TEST_CASE("--repeated-augment is noted without a random augmentation", "[host]") {
    train::TrainOptions options;
    options.augmentation.repeats = 3;
    const std::vector<std::string> unchanged{
        "--repeated-augment repeats each image unchanged without a random augmentation"};
    CHECK(train::options_without_effect(options) == unchanged);
    options.augmentation.alternating_flip = true;
    options.augmentation.flip = 0.5;
    CHECK(train::options_without_effect(options) == unchanged);  // within an epoch, an alternating flip does not change
    options.augmentation.alternating_flip = false;
    CHECK(train::options_without_effect(options).empty());
    options.augmentation.off = true;
    CHECK(train::options_without_effect(options) ==
          std::vector<std::string>{"--repeated-augment has no effect with --no-augment"});
    options.augmentation.repeats = 1;
    CHECK(train::options_without_effect(options).empty());
}

TEST_CASE("--optimizer muon updates the network's matrices, and AdamW the rest", "[host]") {
    train::TrainOptions options;
    options.optimizer = train::OptimizerKind::muon;
    options.backbone_lr = 0.1;
    const auto optimizer = train::make_optimizer(options, network_and_loss());
    std::vector<std::string> names;
    for (const NamedTensor& entry : optimizer->state()) names.push_back(entry.name);
    CHECK(names == std::vector<std::string>{"momentum.0.0", "first.1.0", "first.2.0", "first.2.1", "second.1.0",
                                            "second.2.0", "second.2.1", "step.1", "step.2"});
    REQUIRE(optimizer->groups().size() == 3);
    CHECK(optimizer->groups()[0].lr_scale == 0.1);
    CHECK(optimizer->groups()[2].lr_scale == 1);
    options.momentum = 1;
    CHECK(error_of([&] { train::make_optimizer(options, network_and_loss()); }) ==
          "--momentum: 1 is not below 1, as --optimizer muon needs");
}

}  // namespace radial::test
