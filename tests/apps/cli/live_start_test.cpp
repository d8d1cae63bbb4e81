// Tests that RBF-Softmax has a kernel far from 0 at the first step: for each family of networks with the programs'
// defaults, and for each recipe.
#include "../../expect.h"
#include "radial/apps/cli/image_task.h"
#include "radial/apps/cli/recipes.h"
#include "radial/apps/tasks/tasks.h"
#include "radial/apps/train/classifier.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/tensor/random.h"

namespace radial::test {
namespace {

/// The options of config.json whose names begin with `prefix`, with the prefix removed from the names.
Settings part_of(const nlohmann::ordered_json& options, const std::string& prefix) {
    Settings settings;
    for (const auto& [name, value] : options.items())
        if (name.starts_with(prefix)) settings[name.substr(prefix.size())] = value.get<OptionValue>();
    return settings;
}

/// Returns the mean kernel of the first batch of a run with these arguments. The input is noise: images of `side` x
/// `side` pixels, or of the shape for which the network was published if `side` is 0.
double first_kernel(const train::ImageTask& task, const std::vector<std::string>& arguments, std::int64_t side = 0,
                    std::int64_t batch = 4) {
    const auto options = train_settings(task, arguments);
    const std::string network = options.at("model");
    manual_seed(1);
    train::Classifier classifier = train::build_classifier({.model = network,
                                                            .model_settings = part_of(options, "model."),
                                                            .dim = options.at("dim").get<std::int64_t>(),
                                                            .loss = options.at("loss"),
                                                            .loss_settings = part_of(options, "loss."),
                                                            .classes = task.classes > 0 ? task.classes : 10});
    const NoGrad no_grad;
    const Shape image = train::model_named(network).image;
    const Tensor images = Tensor::empty({batch, image[0], side > 0 ? side : image[1], side > 0 ? side : image[2]});
    normal_(images, 0, 1);
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < batch; ++i) labels.push_back(i % 10);
    classifier.forward(images, Tensor::from(labels, {batch}));
    return metric_of(*classifier.loss, "mean_kernel").item();
}

/// Returns the mean kernel of the first batch for a network with the program's defaults.
double default_kernel(const train::ImageTask& task, const std::string& network, std::int64_t side = 0) {
    const std::vector<std::string> arguments{"--model", network};
    const auto options = train_settings(task, arguments);
    if (options.contains("model.zero-init-residual")) CHECK(options.at("model.zero-init-residual") == false);
    return first_kernel(task, arguments, side);
}

constexpr double alive = 1e-2;

}  // namespace

TEST_CASE("RBF-Softmax is alive at the first step of the CIFAR networks", "[host]") {
    for (const std::string network : {"resnet20", "resnet18-cifar", "vgg11-cifar", "densenet-40-12"}) {
        INFO(network);
        CHECK(default_kernel(train::cifar10_task(), network) > alive);
        CHECK(default_kernel(train::cifar100_task(), network) > alive);
    }
}

TEST_CASE("RBF-Softmax is alive at the first step of LeNets++ of any dimension", "[host]") {
    for (const std::string dim : {"2", "10", "32", "128"}) {
        INFO(dim);
        CHECK(first_kernel(train::mnist_task(), {"--dim", dim}, 0, 32) > alive);
    }
}

TEST_CASE("RBF-Softmax is alive at the first step of the ImageNet networks on small images", "[host]") {
    for (const std::string network :
         {"resnet18", "densenet121", "efficientnet-b0", "regnet-x-400mf", "regnet-y-400mf", "mobilenet-v3-small"}) {
        INFO(network);
        CHECK(default_kernel(train::imagenet_task(), network, 64) > alive);
    }
}

TEST_CASE("RBF-Softmax is alive at the first step of the ImageNet networks at their own size", "[host][slow]") {
    for (const std::string network : {"resnet18", "resnet50", "densenet121", "efficientnet-b0", "vgg11-bn",
                                      "regnet-y-1-6gf", "mobilenet-v3-large"}) {
        INFO(network);
        CHECK(default_kernel(train::imagenet_task(), network) > alive);
    }
}

TEST_CASE("RBF-Softmax is alive at the first step of the deep networks' other forms", "[host][slow]") {
    for (const std::string network : {"resnet50-cifar", "vgg19-cifar", "densenet-bc-100-12"}) {
        INFO(network);
        CHECK(default_kernel(train::cifar10_task(), network) > alive);
    }
    CHECK(default_kernel(train::imagenet_task(), "resnet50", 64) > alive);
}

TEST_CASE("every recipe's RBF-Softmax has a kernel at the first step", "[host][recipes][slow]") {
    const std::map<std::string, train::ImageTask> tasks = {{"radial-mnist", train::mnist_task()},
                                                           {"radial-cifar10", train::cifar10_task()},
                                                           {"radial-cifar100", train::cifar100_task()},
                                                           {"radial-imagenet", train::imagenet_task()}};
    for (const train::Recipe& recipe : train::recipes()) {
        INFO(recipe.name);
        const std::vector<std::string> arguments{"--recipe", recipe.name, "--loss", "rbf-softmax"};
        CHECK(first_kernel(tasks.at(recipe.program), arguments) > 1e-4);
    }
}

}  // namespace radial::test
