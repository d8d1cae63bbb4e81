// Tests of recipes: the paper's settings, the options that a recipe sets, and the options that override it.
#include "../../expect.h"
#include "../../folders.h"
#include "../program.h"
#include "radial/apps/cli/image_task.h"
#include "radial/apps/cli/recipes.h"
#include "radial/apps/tasks/tasks.h"

#include <fmt/core.h>

#include <set>

namespace radial::test {
namespace {

using Words = std::vector<std::string>;

nlohmann::ordered_json mnist(const Words& arguments) { return train_settings(train::mnist_task(), arguments); }
nlohmann::ordered_json cifar10(const Words& arguments) { return train_settings(train::cifar10_task(), arguments); }
nlohmann::ordered_json imagenet(const Words& arguments) { return train_settings(train::imagenet_task(), arguments); }
nlohmann::ordered_json cifar100(const Words& arguments) { return train_settings(train::cifar100_task(), arguments); }

}  // namespace

TEST_CASE("every recipe names a network, losses and options that exist", "[host][recipes]") {
    std::set<std::string> names;
    for (const train::Recipe& recipe : train::recipes()) {
        INFO(recipe.name);
        CHECK(names.insert(recipe.name).second);
        const ModelInfo* const model = find_model(train::value_of(recipe, "model"));
        REQUIRE(model != nullptr);
        for (const train::RecipeValue& value : recipe.values) {
            CHECK_FALSE(value.from.empty());
            if (value.option.starts_with("model.")) CHECK(model->defaults().contains(value.option.substr(6)));
        }
        REQUIRE_FALSE(recipe.losses.empty());
        for (const train::RecipeLoss& loss : recipe.losses) {
            CHECK_NOTHROW(loss_settings(loss.loss, loss.settings));
            CHECK(loss.from.empty() == loss.settings.empty());
        }
    }
}

TEST_CASE("an EfficientNet trains with the paper's learning rate unless told otherwise", "[host][recipes]") {
    CHECK(imagenet({"--model", "resnet50"}).at("lr") == 0.1);
    CHECK(imagenet({"--model", "efficientnet-b0"}).at("lr") == 0.2);
    CHECK(imagenet({"--model", "tf-efficientnet-b3"}).at("lr") == 0.2);
    CHECK(imagenet({"--model", "efficientnet-b0", "--lr", "0.1"}).at("lr") == 0.1);
    CHECK(imagenet({"--recipe", "tab7-resnet50", "--model", "efficientnet-b0"}).at("lr") == 0.1);
}

TEST_CASE("tab5-resnet20 is the paper's run, to the letter", "[host][recipes]") {
    const auto options = cifar10({"--recipe", "tab5-resnet20"});
    CHECK(options.at("recipe") == "tab5-resnet20");
    CHECK(options.at("model") == "resnet20");
    CHECK(options.at("batch") == 256);
    CHECK(options.at("epochs") == 300);
    CHECK(options.at("lr") == 0.1);
    CHECK(options.at("schedule") == "step");
    CHECK(options.at("milestones") == nlohmann::ordered_json::array({60, 120, 180, 240}));
    CHECK(options.at("lr-factor") == nlohmann::ordered_json::array({0.5}));
    CHECK(options.at("warmup-epochs") == 0);
    CHECK(options.at("crop-padding") == 4);
    CHECK(options.at("flip") == 0.5);
    CHECK(options.at("loss") == "rbf-softmax");
    CHECK(options.at("loss.gamma") == 1.6);
    CHECK(options.at("loss.scale") == 4);
}

TEST_CASE("tab6-vgg19 halves and fifths the rate in turn and adds to the paper's loss what keeps it alive alone",
          "[host][recipes]") {
    const auto options = cifar100({"--recipe", "tab6-vgg19"});
    CHECK(options.at("milestones") == nlohmann::ordered_json::array({100, 200, 300, 400, 500}));
    CHECK(options.at("lr-factor") == nlohmann::ordered_json::array({0.5, 0.2, 0.5, 0.2, 0.5}));
    CHECK(options.at("loss.gamma") == 2.2);
    CHECK(options.at("loss.scale") == 14);
    CHECK(options.at("loss.reach") == 0);
    CHECK(options.at("loss.normalise") == true);
}

TEST_CASE("a recipe's options of the loss are those of the loss that is chosen", "[host][recipes]") {
    const auto center = mnist({"--recipe", "tab4", "--loss", "center"});
    CHECK(center.at("loss.lambda") == 0.003);
    CHECK(center.at("loss.alpha") == 0.5);
    CHECK_FALSE(center.contains("loss.scale"));
    CHECK(mnist({"--recipe", "tab4", "--loss", "arcface"}).at("loss.scale") == 64);
    const auto sum = cifar10({"--recipe", "tab5-resnet20", "--loss", "rbf-softmax + 0.1 * arcface"});
    CHECK(sum.at("loss.rbf-softmax.scale") == 4);
    CHECK(sum.at("loss.arcface.scale") == 64);
}

TEST_CASE("without a recipe radial-imagenet has the settings of the paper's ResNet-50", "[host][recipes]") {
    nlohmann::json recipe = imagenet({"--recipe", "tab7-resnet50"}), plain = imagenet({});  // their keys have no order
    recipe.erase("recipe");
    plain.erase("recipe");
    CHECK(plain == recipe);
}

TEST_CASE("a recipe whose network the paper's loss can train has that loss, whatever the program's default",
          "[host][recipes]") {
    CHECK(cifar10({"--recipe", "tab5-resnet20"}).at("loss.normalise") == false);
    CHECK(cifar10({"--recipe", "tab5-resnet20"}).at("loss.spread") == 1);
    CHECK(cifar10({"--recipe", "tab5-resnet20"}).at("loss.learn_scale") == false);
    CHECK(cifar10({}).at("loss.normalise") == true);
    CHECK(mnist({"--recipe", "tab4"}).at("loss.normalise") == false);
    CHECK(imagenet({"--recipe", "tab7-efficientnet-b0"}).at("loss.normalise") == false);
}

TEST_CASE("what the command line gives wins over the recipe", "[host][recipes]") {
    const auto options = cifar10({"--lr", "0.3", "--recipe", "tab5-resnet20", "--loss.gamma", "2", "--batch", "64"});
    CHECK(options.at("lr") == 0.3);
    CHECK(options.at("batch") == 64);
    CHECK(options.at("loss.gamma") == 2);
    CHECK(options.at("loss.scale") == 4);
    CHECK(cifar10({"--recipe", "tab5-resnet20", "--loss.rbf-softmax.gamma", "3"}).at("loss.gamma") == 3);
}

TEST_CASE("a recipe's milestones and warm-up scale with the epochs that were given", "[host][recipes]") {
    const auto options = cifar10({"--recipe", "tab5-resnet20", "--epochs", "3"});
    CHECK(options.at("milestones") == nlohmann::ordered_json::array({0.6, 1.2, 1.8, 2.4}));
    const auto own = cifar10({"--recipe", "tab5-resnet20", "--epochs", "30", "--milestones", "10,20"});
    CHECK(own.at("milestones") == nlohmann::ordered_json::array({10, 20}));
}

TEST_CASE("another schedule brings its own milestones and another network its own options", "[host][recipes]") {
    const auto cosine = cifar10({"--recipe", "tab5-resnet20", "--schedule", "cosine"});
    CHECK(cosine.at("milestones").empty());
    const auto vgg = cifar10({"--recipe", "tab5-resnet20", "--model", "vgg11-cifar"});
    CHECK(vgg.at("model") == "vgg11-cifar");
    CHECK_FALSE(vgg.contains("model.zero-init-residual"));
    CHECK(cifar10({"--recipe", "tab5-resnet20"}).at("model.zero-init-residual") == true);
}

TEST_CASE("without a recipe the program's defaults stand", "[host][recipes]") {
    const auto options = cifar100({});
    CHECK_FALSE(options.contains("recipe"));
    CHECK(options.at("epochs") == 5);
    CHECK(options.at("loss.normalise") == true);
}

TEST_CASE("defaults fit what is given: half of the run is the longest warm-up, and milestones ask for steps",
          "[host][recipes]") {
    CHECK(imagenet({}).at("warmup-epochs") == 5);
    CHECK(imagenet({"--epochs", "3"}).at("warmup-epochs") == 1.5);
    CHECK(imagenet({"--epochs", "3", "--warmup-epochs", "2"}).at("warmup-epochs") == 2);
    CHECK(cifar10({"--epochs", "1"}).at("warmup-epochs") == 0.5);
    CHECK(mnist({"--milestones", "2,4"}).at("schedule") == "step");
    CHECK(run_program("radial-imagenet", "train --data /nonexistent --epochs 3 --warmup-epochs 5").first_error() ==
          "radial-imagenet train: --warmup-epochs: 5 is not below --epochs 3");
}

TEST_CASE("factors must be one or as many as the milestones", "[host][recipes]") {
    train::TrainOptions options;
    options.schedule = train::ScheduleKind::step;
    options.lr = 1;
    options.milestones = {1, 2, 3};
    options.lr_factors = {0.5, 0.2, 0.1};
    const Schedule schedule = make_schedule(options);
    CHECK(schedule(0.5) == 1);
    CHECK(schedule(1) == Approx(0.5));
    CHECK(schedule(2.5) == Approx(0.1));
    CHECK(schedule(3) == Approx(0.01));
    options.lr_factors = {0.5, 0.2};
    CHECK(error_of([&] { make_schedule(options); }) == "--lr-factor: 2 factors for 3 milestones");
}

TEST_CASE("the linear schedule of a run goes from --warmup-start to --lr to --final-lr", "[host][recipes]") {
    train::TrainOptions options;
    options.schedule = train::ScheduleKind::linear;
    options.lr = 2;
    options.epochs = 10;
    options.warmup_epochs = 2;
    options.warmup_start = 0.25;
    options.final_lr = 0.1;
    const Schedule schedule = make_schedule(options);
    CHECK(schedule(0) == Approx(0.5));
    CHECK(schedule(2) == Approx(2));
    CHECK(schedule(6) == Approx(1.1));
    CHECK(schedule(10) == Approx(0.2));
    CHECK(train::describe_schedule(options) == "linear from 2 to 0.2 over 10 epochs, after a warm-up of 2 from 0.5");
    options.schedule = train::ScheduleKind::constant;
    CHECK(error_of([&] { make_schedule(options); }) ==
          "--final-lr: the constant schedule has none; cosine, linear, poly, exponential and one-cycle have");
}

TEST_CASE("one cycle rises during three tenths of the run unless told otherwise", "[host][recipes]") {
    const nlohmann::ordered_json usual = cifar10({"--schedule", "one-cycle", "--epochs", "20"});
    CHECK(usual.at("warmup-epochs") == 6);
    CHECK(usual.at("warmup-start") == 0.04);
    CHECK(usual.at("final-lr") == Approx(4e-6));
    const nlohmann::ordered_json given =
        cifar10({"--schedule", "one-cycle", "--warmup-epochs", "2", "--warmup-start", "0.5", "--final-lr", "0.1"});
    CHECK(given.at("warmup-epochs") == 2);
    CHECK(given.at("warmup-start") == 0.5);
    CHECK(given.at("final-lr") == 0.1);
}

TEST_CASE("a run's poly and exponential schedules have the power and the final rate that it is given",
          "[host][recipes]") {
    train::TrainOptions options;
    options.schedule = train::ScheduleKind::poly;
    options.lr = 2;
    options.epochs = 10;
    options.poly_power = 2;
    CHECK(make_schedule(options)(5) == Approx(0.5));
    CHECK(train::describe_schedule(options) == "poly (power 2) from 2 to 0 over 10 epochs");
    options.schedule = train::ScheduleKind::exponential;
    CHECK(error_of([&] { make_schedule(options); }) == "--schedule exponential: give --final-lr above 0, such as 0.01");
    options.final_lr = 0.01;
    CHECK(make_schedule(options)(5) == Approx(0.2));
    options.schedule = train::ScheduleKind::one_cycle;
    options.warmup_epochs = 0;
    CHECK(error_of([&] { make_schedule(options); }) == "--schedule one-cycle: give --warmup-epochs above 0");
}

TEST_CASE("--bias-lr-scale raises the rate of biases and not their decay", "[host][recipes]") {
    train::OptimizerOptions options;
    options.weight_decay = 0.5;
    options.bias_lr_scale = 8;
    const std::vector<NamedTensor> parameters = {{"model.fc.weight", Tensor::zeros({2, 3}).set_requires_grad()},
                                                 {"model.fc.bias", Tensor::zeros({2}).set_requires_grad()},
                                                 {"loss.bias", Tensor::zeros({3}).set_requires_grad()},
                                                 {"loss.log_scale", Tensor::zeros({1}).set_requires_grad()}};
    const auto optimizer = make_optimizer(options, parameters);
    REQUIRE(optimizer->groups().size() == 2);
    CHECK(optimizer->groups()[0].lr_scale == 1);
    CHECK(optimizer->groups()[0].weight_decay == 0.5);
    REQUIRE(optimizer->groups()[0].parameters.size() == 2);
    CHECK(optimizer->groups()[0].parameters[1].raw() == parameters[3].tensor.raw());  // a learned scale is not a bias
    CHECK(optimizer->groups()[1].lr_scale == 8);
    CHECK(optimizer->groups()[1].weight_decay == 0.0625);
    REQUIRE(optimizer->groups()[1].parameters.size() == 2);
    CHECK(optimizer->groups()[1].parameters[0].raw() == parameters[1].tensor.raw());
    CHECK(optimizer->groups()[1].parameters[1].raw() == parameters[2].tensor.raw());
    options.weight_decay_on = train::DecayedParameters::weights;
    CHECK(make_optimizer(options, parameters)->groups().back().weight_decay == 0);
}

TEST_CASE("fast94 can be trained with either loss and with another schedule", "[host][recipes]") {
    CHECK(cifar10({"--recipe", "fast94"}).at("loss.smoothing") == 0.2);
    CHECK(cifar10({"--recipe", "fast94"}).at("alternating-flip") == true);
    CHECK(cifar10({"--recipe", "fast94"}).at("lookahead") == 5);
    CHECK(cifar10({"--recipe", "fast94", "--loss", "rbf-softmax"}).at("loss.scale") == 4);
    CHECK(cifar10({"--recipe", "fast94", "--schedule", "constant"}).at("final-lr") == 0);
    CHECK(cifar10({"--recipe", "fast94", "--schedule", "linear"}).at("final-lr") == 0.07);
    CHECK(cifar10({"--recipe", "fast94", "--flip", "0"}).at("alternating-flip") == false);
}

TEST_CASE("a recipe of another data set names the program that has it", "[host][recipes]") {
    const ProgramResult other = run_program("radial-mnist", "train --recipe tab5-resnet20");
    CHECK(other.status == 2);
    CHECK(other.first_error() ==
          "radial-mnist train: --recipe: 'tab5-resnet20' is a recipe of radial-cifar10: run "
          "radial-cifar10 train --recipe tab5-resnet20");
    const ProgramResult unknown = run_program("radial-cifar10", "train --recipe tab5-resnet2");
    CHECK(unknown.status == 2);
    CHECK(unknown.first_error() ==
          "radial-cifar10 train: --recipe: no recipe is called 'tab5-resnet2'; did you mean tab5-resnet20?");
    CHECK(run_program("radial-cifar10", "train --recipe x").first_error() ==
          "radial-cifar10 train: --recipe: no recipe is called 'x'; they are tab5-resnet20, tab5-densenet, fast94");
}

TEST_CASE("docs/recipes.md holds what --list-recipes prints", "[host][recipes]") {
    const ProgramResult listed = run_program("radial-mnist", "train --list-recipes");
    CHECK(listed.status == 0);
    CHECK(listed.out == train::recipe_list());
    CHECK(read_text(test_folder() + "/../docs/recipes.md").find(listed.out) != std::string::npos);
}

TEST_CASE("a run with a recipe records it, and goes on without being told again", "[host][recipes]") {
    const TemporaryFolder folder;
    write_patterns(folder / "data", 40, 10);
    const std::string data = " --data " + (folder / "data").string(), run = (folder / "run").string();
    REQUIRE(run_program("radial-mnist",
                        "train --recipe tab4 --loss ring --epochs 1 --batch 20 --threads 1 --out " + run + data)
                .status == 0);
    const auto options = nlohmann::json::parse(read_text(folder / "run/config.json")).at("options");
    CHECK(options.at("recipe") == "tab4");
    CHECK(options.at("loss.lambda") == 0.01);
    CHECK(options.at("batch") == 20);
    CHECK(options.at("clip-norm") == 1);
    const ProgramResult resumed = run_program("radial-mnist", "train --resume " + run);
    INFO(resumed.error);
    CHECK(resumed.status == 0);
    CHECK(nlohmann::json::parse(read_text(folder / "run/config.json")).at("options") == options);
}

}  // namespace radial::test
