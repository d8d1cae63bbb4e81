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

/// A network of the plane: two linear layers with a batch norm between them.
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

}  // namespace radial::test
