// Tests of recomputed segments: the same bits as without recomputation, with less memory, on each small network of the
// registry.
#include "../../expect.h"
#include "../random_inputs.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/memory/allocator.h"
#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/layers/activation.h"
#include "radial/layers/conv.h"
#include "radial/layers/sequential.h"
#include "radial/models/registry.h"

namespace radial::test {
namespace {

/// All tensors that a training pass returns or changes.
std::vector<NamedTensor> trained(const std::string& name, const Shape& images, ModelSettings settings) {
    manual_seed(7);
    const ModelInfo& info = *find_model(name);
    const auto model = make_model(info, info.dim, settings);
    const Tensor x = RandomInputs(341).tensor(images, -1, 1, DType::float32).to(default_device());
    const Tensor y = model->forward(x);
    backward(y, RandomInputs(342).tensor(y.shape(), -1, 1, DType::float32).to(default_device()));
    std::vector<NamedTensor> all{{"y", y.detach()}};
    for (const auto& [parameter, tensor] : model->named_parameters()) all.push_back({parameter, tensor.grad()});
    for (const auto& [buffer, tensor] : model->named_buffers()) all.push_back({buffer, tensor});
    all.push_back({"next random number", Tensor::full({1}, static_cast<double>(default_generator().counter()))});
    return all;
}

/// With and without recomputation, the results, gradients, statistics and random numbers drawn are the same to the bit.
void check_recomputed(const std::string& name, const Shape& images, const ModelSettings& settings) {
    INFO(name);
    ModelSettings with = settings;
    with["recompute"] = true;
    const auto plain = trained(name, images, settings), saved = trained(name, images, with);
    REQUIRE(plain.size() == saved.size());
    for (std::size_t i = 0; i < plain.size(); ++i) {
        INFO(plain[i].name);
        CHECK(differences(plain[i].tensor.to_vector<float>(), saved[i].tensor.to_vector<float>()) == "");
    }
}

}  // namespace

TEST_CASE("networks that recompute their blocks give the same results, gradients and statistics to the bit") {
    check_recomputed("lenetpp", {2, 1, 28, 28}, {});
    check_recomputed("resnet20", {2, 3, 16, 16}, {});
    check_recomputed("densenet-bc-100-12", {2, 3, 8, 8}, {{"dropout", 0.2}});
}

TEST_CASE("wide networks that recompute their blocks give the same to the bit", "[slow]") {
    check_recomputed("vgg11-cifar", {2, 3, 32, 32}, {});
    check_recomputed("efficientnet-b0", {2, 3, 33, 33}, {{"dropout", 0.2}, {"drop-connect", 0.5}});
    check_recomputed("regnet-y-400mf", {2, 3, 33, 33}, {});
    check_recomputed("mobilenet-v3-small", {2, 3, 33, 33}, {{"dropout", 0.2}});
}

TEST_CASE("recomputing the blocks of a residual network takes less than half the memory") {
    const auto peak = [](bool recomputed) {
        const ModelInfo& info = *find_model("resnet56");
        const auto model = make_model(info, info.dim, {{"recompute", recomputed}});
        const Tensor x = RandomInputs(343).tensor({8, 3, 32, 32}, -1, 1, DType::float32).to(default_device());
        reset_peak_memory(default_device());
        const std::size_t before = memory_statistics(default_device()).current;
        sum(model->forward(x)).backward();
        return memory_statistics(default_device()).peak - before;
    };
    CHECK(2 * peak(true) < peak(false));
}

TEST_CASE("a recomputed segment on an input that wants no gradient still gives its parameters theirs") {
    Sequential net;
    net.add<Conv2d>(Conv2dOptions{.in_channels = 2, .out_channels = 3});
    const Tensor x = RandomInputs(344).tensor({1, 2, 5, 5}, -1, 1, DType::float32).to(default_device());
    const Tensor y = recompute(net, x);
    CHECK(graph_ops(y) == std::vector<std::string>{"recompute"});
    sum(y).backward();
    const Tensor saved = net.parameters().front().grad().clone();
    net.zero_grad();
    sum(net.forward(x)).backward();
    CHECK(differences(saved.to_vector<float>(), net.parameters().front().grad().to_vector<float>()) == "");
}

TEST_CASE("a recomputed segment leaves its input alone, though the segment may overwrite temporaries") {
    const Tensor x = Tensor::full({4}, -1).set_requires_grad();
    const Tensor y = recompute([](Tensor input) { return relu(std::move(input)); }, x);
    CHECK(x.to_vector<float>() == std::vector<float>(4, -1));
    backward(y, Tensor::full({4}, 1));
    CHECK(x.grad().to_vector<float>() == std::vector<float>(4, 0));
}

TEST_CASE("a recomputed segment sees that its input was changed before backward") {
    const Tensor x = Tensor::full({2}, 1).set_requires_grad();
    const Tensor y = recompute([](const Tensor& input) { return square(input); }, x);
    x.detach().fill_(2);
    CHECK_THAT(error_of([&] { sum(y).backward(); }), ContainsSubstring("recompute: its input"));
}

TEST_CASE("a recomputed segment without gradients is the segment") {
    const NoGrad guard;
    const Tensor y = recompute([](const Tensor& input) { return square(input); }, Tensor::full({2}, 3));
    CHECK(y.to_vector<float>() == std::vector<float>{9, 9});
    CHECK(graph_ops(y).empty());
}

}  // namespace radial::test
