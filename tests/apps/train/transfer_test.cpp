// Tests of starting from the weights of a file and of training a part of a network.
#include "radial/apps/train/transfer.h"

#include "../../catch.h"
#include "../../expect.h"
#include "../small_run.h"

#include "radial/core/ops.h"
#include "radial/core/optim/weight_average.h"
#include "radial/layers/activation.h"
#include "radial/layers/conv.h"
#include "radial/layers/linear.h"
#include "radial/layers/sequential.h"
#include "radial/models/registry.h"

namespace radial::test {
namespace {

using namespace radial::train;

Classifier small_classifier(std::int64_t classes, const std::string& loss = "softmax") {
    return build_classifier({.model = "resnet20", .dim = 64, .loss = loss, .classes = classes});
}

OpenedWeights opened(std::int64_t classes, const std::vector<std::string>& names = {}) {
    OpenedWeights weights{.classifier = small_classifier(classes), .notes = {}};
    weights.notes.class_names = names;
    return weights;
}

std::vector<std::vector<float>> values_of(const Module& module) {
    std::vector<std::vector<float>> values;
    for (const NamedTensor& named : module.state()) values.push_back(named.tensor.to_vector<float>());
    return values;
}

/// A batch norm of the columns of a matrix.
class ColumnNorm : public Layer {
public:
    explicit ColumnNorm(std::int64_t columns)
        : norm_(register_module("norm", std::make_shared<BatchNorm2d>(BatchNorm2dOptions{.channels = columns}))) {}
    Tensor forward(Tensor x) override {
        const Shape shape = x.shape();
        return reshape(norm_->forward(reshape(x, {shape[0], shape[1], 1, 1})), shape);
    }

private:
    std::shared_ptr<BatchNorm2d> norm_;
};

/// A classifier of points in the plane, whose network has two linear layers with a batch norm between them.
Classifier plane_classifier() {
    auto network = std::make_shared<Sequential>();
    network->add<Linear>(LinearOptions{.in_features = 2, .out_features = 8});
    network->add<ColumnNorm>(8);
    network->add<ReLU>();
    network->add<Linear>(LinearOptions{.in_features = 8, .out_features = 4});
    return {network, make_loss("softmax", 2, 4)};
}

}  // namespace

TEST_CASE("a classifier takes the network's weights, and the head's only for the same classes", "[host]") {
    const OpenedWeights three = opened(3, {"a", "b", "c"});
    struct {
        std::vector<std::string> classes;
        std::string loss, reason;
    } const cases[] = {
        {{"a", "b", "c"}, "softmax", ""},
        {{"a", "c", "b"}, "softmax", "the file has other classes than the data set"},
        {{"a", "b"}, "softmax", "the file has 3 classes, the data set 2"},
        {{"a", "b", "c"}, "rbf-softmax", "the file has the loss softmax, the run rbf-softmax"},
    };
    for (const auto& [classes, loss, reason] : cases) {
        Classifier target = small_classifier(std::ssize(classes), loss);
        const auto before = values_of(*target.loss);
        const TransferredWeights taken = transfer_weights(three, target, classes);
        CHECK(taken.reason == reason);
        CHECK(taken.head == reason.empty());
        CHECK(taken.tensors == std::ssize(target.model->state()));
        CHECK(values_of(*target.model) == values_of(*three.classifier.model));
        CHECK(values_of(*target.loss) == (taken.head ? values_of(*three.classifier.loss) : before));
    }
}

TEST_CASE("a head without names of classes is taken if the number of classes is the same", "[host]") {
    Classifier target = small_classifier(3);
    CHECK(transfer_weights(opened(3), target, {"x", "y", "z"}).head);
}

TEST_CASE("the parts of a network are its layers and blocks in order", "[host]") {
    const auto model = make_model(model_named("resnet18"), 512);
    std::vector<std::string> names;
    for (const NetworkPart& part : parts_of(*model)) names.push_back(part.name);
    CHECK(names == std::vector<std::string>{"conv1", "bn1", "layer1.0", "layer1.1", "layer2.0", "layer2.1", "layer3.0",
                                            "layer3.1", "layer4.0", "layer4.1"});
}

TEST_CASE("layers in groups are parts of their own, in the order in which a network uses them", "[host]") {
    const auto names_of = [](const std::string& name) {
        const ModelInfo& info = model_named(name);
        std::vector<std::string> names;
        for (const NetworkPart& part : parts_of(*make_model(info, info.dim))) names.push_back(part.name);
        return names;
    };
    const std::vector<std::string> vgg = names_of("vgg11-cifar"), dense = names_of("densenet-40-12"),
                                   efficient = names_of("efficientnet-b0");
    CHECK(vgg.size() == 16);  // eight convolutions, each with a batch norm
    CHECK(vgg[1] == "features.1");
    CHECK(dense == std::vector<std::string>{"features.conv0", "features.denseblock1", "features.transition1.norm",
                                            "features.transition1.conv", "features.denseblock2",
                                            "features.transition2.norm", "features.transition2.conv",
                                            "features.denseblock3", "features.norm5"});
    CHECK(efficient.size() == 20);  // 16 blocks, the stem, the head, and their batch norms
    CHECK(efficient[2] == "blocks.0.0");
}

TEST_CASE("freezing reaches from the beginning of a network to a number or a name", "[host]") {
    struct {
        std::string which, last;
        std::size_t count;
    } const cases[] = {{"backbone", "layer4.1", 10},
                       {"10", "layer4.1", 10},
                       {"3", "layer1.0", 3},
                       {"layer2", "layer2.1", 6},
                       {"layer2.0", "layer2.0", 5}};
    for (const auto& [which, last, count] : cases) {
        const auto model = make_model(model_named("resnet18"), 512);
        const std::vector<std::string> frozen = freeze_parts(*model, which);
        REQUIRE(frozen.size() == count);
        CHECK(frozen.back() == last);
        const auto parts = parts_of(*model);
        model->train();
        for (std::size_t i = 0; i < parts.size(); ++i) {
            CHECK(parts[i].module->training() == (i >= count));
            for (const Tensor& parameter : parts[i].module->parameters())
                CHECK(parameter.requires_grad() == (i >= count));
        }
    }
}

TEST_CASE("what cannot be frozen is refused with the names of what can", "[host]") {
    const auto model = make_model(model_named("resnet18"), 512);
    for (const char* const which : {"11", "0", "-1", "layer5", "layer", ""})
        CHECK(error_of([&] { freeze_parts(*model, which); }) ==
              fmt::format("freeze: '{}' is not backbone, a number from 1 to 10 or one of the network's parts: conv1, "
                          "bn1, layer1.0, layer1.1, layer2.0, layer2.1, layer3.0, layer3.1, layer4.0, layer4.1",
                          which));
}

TEST_CASE("Training leaves a frozen part and its running statistics as they are, bit for bit") {
    for (const char* const which : {"2", "backbone"}) {
        std::vector<std::vector<float>> before;
        SmallRun run(
            [&] {
                Classifier classifier = plane_classifier();
                freeze_parts(*classifier.model, which);
                for (const NamedTensor& named : classifier.model->state())
                    before.push_back(named.tensor.to_vector<float>());
                return classifier;
            },
            {.sgd = {.lr = 0.1, .momentum = 0.9, .weight_decay = 0.1}});
        WeightAverage average(run.classifier.averaged_state(), 0.9);
        const auto head = values_of(*run.classifier.loss);
        run.trainer.run();
        average.update();
        const auto after = values_of(*run.classifier.model);
        REQUIRE(after.size() == 8);
        // With two frozen parts, only the second linear layer's weight and bias change.
        std::size_t changed = 0;
        for (std::size_t i = 0; i < after.size(); ++i) changed += after[i] == before[i] ? 0 : 1;
        CHECK(changed == (std::string(which) == "backbone" ? 0 : 2));
        CHECK(values_of(*run.classifier.loss) != head);
        const UseAverage averaged(&average);
        const auto mean = values_of(*run.classifier.model);
        std::size_t drifted = 0;
        for (std::size_t i = 0; i < mean.size(); ++i) drifted += mean[i] == before[i] ? 0 : 1;
        CHECK(drifted == changed);
    }
}

TEST_CASE("Recomputed layers whose first parameters are frozen still train the others") {
    for (const bool recomputed : {false, true}) {
        manual_seed(3);
        auto block = std::make_shared<Sequential>();
        block->add<Linear>(LinearOptions{.in_features = 4, .out_features = 4});
        block->add<Linear>(LinearOptions{.in_features = 4, .out_features = 4});
        block->to(default_device());
        block->layers()[0]->freeze();
        const Tensor x = Tensor::full({2, 4}, 0.5);
        sum(recomputed ? recompute(*block, x) : block->forward(x)).backward();
        const std::vector<Tensor> parameters = block->parameters();
        CHECK(!parameters[0].grad().defined());
        REQUIRE(parameters[2].grad().defined());
        CHECK(parameters[2].grad().to_vector<float>() != std::vector<float>(16, 0));
    }
}

TEST_CASE("Recomputed networks whose beginning is frozen have the gradients of plain ones") {
    for (const char* const name : {"lenetpp", "vgg11-cifar", "resnet20", "densenet-40-12"}) {
        const ModelInfo info = model_named(name);
        for (const char* const which : {"1", "2"}) {
            const auto gradients = [&](bool recomputed) {
                manual_seed(3);
                const auto model = make_model(info, info.dim, {{"recompute", recomputed}});
                model->to(default_device());
                freeze_parts(*model, which);
                const Tensor x = Tensor::empty({6, info.image[0], info.image[1], info.image[2]});
                normal_(x, 0, 1);
                const Tensor y = model->forward(x), slope = Tensor::empty(y.shape());
                normal_(slope, 0, 1);
                sum(y * slope).backward();
                std::vector<std::pair<std::string, double>> sums;
                for (const auto& [parameter_name, parameter] : model->named_parameters())
                    if (parameter.grad().defined())
                        sums.emplace_back(parameter_name, sum(square(parameter.grad())).item());
                return sums;
            };
            const auto plain = gradients(false), again = gradients(true);
            INFO(name << ", " << which);
            REQUIRE(again.size() == plain.size());
            for (std::size_t i = 0; i < plain.size(); ++i) {
                CHECK(again[i].first == plain[i].first);
                CHECK(again[i].second == plain[i].second);
            }
        }
    }
}

TEST_CASE("Parts of a batch train what is not frozen, also with a loss that needs the whole batch") {
    manual_seed(3);
    Classifier classifier = plane_classifier();
    classifier.loss = make_loss("rbf-softmax", 2, 4, {{"normalise", true}});
    classifier.to(default_device());
    freeze_parts(*classifier.model, "2");
    const auto before = values_of(*classifier.model);
    std::vector<Tensor> parameters;
    for (const Module* const part :
         {static_cast<Module*>(classifier.model.get()), static_cast<Module*>(classifier.loss.get())})
        for (const Tensor& parameter : part->parameters()) parameters.push_back(parameter);
    Sgd optimizer(parameters, {.lr = 0.5});
    TrainingStep step({.model = *classifier.model,
                       .loss = *classifier.loss,
                       .optimizer = optimizer,
                       .accumulate = 3,
                       .device = default_device()});
    const auto set = points(1);
    data::Loader loader(set, {.batch_size = 12, .workers = 0});
    loader.start(1);
    const auto batch = loader.next();
    REQUIRE(batch);
    step.run(*batch, {.epoch = 1, .step = 1, .images = 12, .lr = 0.5});
    step.take();
    const auto after = values_of(*classifier.model);
    // The gradient of the last layer's bias is 0 apart from rounding errors, because the loss's normalisation subtracts
    // the bias.
    const auto state = classifier.model->state();
    for (std::size_t i = 0; i < after.size(); ++i) {
        INFO(state[i].name);
        if (state[i].name != "3.bias") CHECK((after[i] != before[i]) == (state[i].name == "3.weight"));
    }
}

}  // namespace radial::test
