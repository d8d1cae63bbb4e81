// Tests of dense blocks: comparison with the same layers composed of plain ops, names, dropout, exact error messages.
#include "radial/layers/dense_block.h"
#include "../core/gradcheck.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/layers/activation.h"
#include "radial/layers/dense/growing_image.h"

#include <algorithm>
#include <cmath>

namespace radial::test {
namespace {

/// A block in `dtype` with random parameters and statistics, and an input in bfloat16 if `rounded`. If `lifted` is set,
/// shifts are so large that no input of a ReLU is near 0, where rounding could change its sign.
struct Block {
    DenseBlock layer;
    Tensor x, upstream;

    Block(const DenseBlockOptions& options, const Shape& spatial, DType dtype)
        : Block(options, spatial, dtype, spatial[0] > 8) {}
    Block(const DenseBlockOptions& options, const Shape& spatial, DType dtype, bool lifted, bool rounded = false)
        : layer(options) {
        RandomInputs random(331);
        for (const auto& [name, tensor] : layer.state()) {
            const bool positive = name.ends_with("var") || (tensor.rank() == 1 && name.ends_with("weight"));
            const double low = positive ? 0.5 : lifted && name.ends_with("bias") ? 7.5 : -0.5;
            tensor.copy_(random.tensor(tensor.shape(), low, low + 1));
        }
        layer.to(dtype);
        const DType type = rounded ? DType::bfloat16 : dtype;
        const Shape shape{spatial[0], options.in_channels, spatial[1], spatial[2]};
        x = random.tensor(shape, -1, 1, DType::float32).to(type).set_requires_grad();
        const Shape result{spatial[0], options.out_channels(), spatial[1], spatial[2]};
        upstream = random.tensor(result, -1, 1, DType::float32).to(type);
    }

    /// The result, all gradients and all running statistics after a training pass.
    std::vector<NamedTensor> trained() {
        const Tensor y = layer.forward(x);
        backward(y, upstream);
        std::vector<NamedTensor> all{{"y", y.detach()}, {"x", x.grad()}};
        for (const auto& [name, tensor] : layer.named_parameters()) all.push_back({name, tensor.grad()});
        for (const auto& [name, tensor] : layer.named_buffers()) all.push_back({name, tensor});
        return all;
    }
};

const std::vector<std::pair<DenseBlockOptions, Shape>>& cases() {
    static const std::vector<std::pair<DenseBlockOptions, Shape>> all = {
        {{.in_channels = 5, .layers = 3, .growth = 4, .bottleneck = 8}, {3, 6, 5}},
        {{.in_channels = 5, .layers = 3, .growth = 4}, {3, 6, 5}},
        {{.in_channels = 16, .layers = 2, .growth = 12, .bottleneck = 48}, {1, 9, 7}},
        {{.in_channels = 20, .layers = 3, .growth = 12, .bottleneck = 24}, {5, 11, 10}},
        {{.in_channels = 20, .layers = 3, .growth = 12, .bottleneck = 48}, {1, 5, 7}},
        {{.in_channels = 24, .layers = 2, .growth = 12}, {70, 24, 24}},  // computed in several parts
        {{.in_channels = 1, .layers = 1, .growth = 1, .bottleneck = 1}, {2, 1, 1}},
    };
    return all;
}

void check_training(const DenseBlockOptions& options, const Shape& spatial) {
    INFO(options.in_channels << " + " << options.layers << " * " << options.growth << ", " << spatial.str());
    const auto fast = Block(options, spatial, DType::float32).trained();
    const auto exact = Block(options, spatial, DType::float64).trained();
    REQUIRE(fast.size() == exact.size());
    for (std::size_t i = 0; i < fast.size(); ++i) {
        INFO(fast[i].name);
        // The shift of a norm that is followed by a convolution and another norm has no effect if the ReLU clamps
        // nothing, so its gradient is 0.
        const double floor = spatial[0] > 8 ? 100 : 1e-12;
        CHECK(relative_difference(fast[i].tensor, exact[i].tensor, floor) < 2e-5);
    }
}

void check_evaluation(const DenseBlockOptions& options, const Shape& spatial) {
    Block fast(options, spatial, DType::float32), exact(options, spatial, DType::float64);
    fast.layer.eval();
    exact.layer.eval();
    const NoGrad guard;
    CHECK(relative_difference(fast.layer.forward(fast.x), exact.layer.forward(exact.x)) < 1e-5);
}

/// The root mean square of a - b, divided by that of b or by `floor`, whichever is larger.
double spread(const Tensor& a, const Tensor& b, double floor) {
    const auto x = a.to_vector<double>(), y = b.to_vector<double>();
    double difference = 0, scale = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        difference += (x[i] - y[i]) * (x[i] - y[i]);
        scale += y[i] * y[i];
    }
    const auto count = static_cast<double>(x.size());
    return std::sqrt(difference / count) / std::max(floor, std::sqrt(scale / count));
}

/// Checks that the errors of a block for a bfloat16 image are not much larger than those of the same layers composed of
/// plain ops in bfloat16, which round more often.
void check_bfloat16(const DenseBlockOptions& options, const Shape& spatial, bool lifted) {
    INFO(options.in_channels << " + " << options.layers << " * " << options.growth << ", " << spatial.str());
    Block fast(options, spatial, DType::float32, lifted, true), plain(options, spatial, DType::float32, lifted, true);
    Block exact(options, spatial, DType::float64, lifted);
    exact.x = fast.x.detach().to(DType::float64).set_requires_grad();
    exact.upstream = fast.upstream.to(DType::float64);
    const auto some = fast.trained(), all = exact.trained();
    const auto composed = [&] {
        const ObserveOps unfused([](const OpCall&) {});
        return plain.trained();
    }();
    for (std::size_t i = 0; i < all.size(); ++i) {
        INFO(all[i].name);
        const double floor = lifted && all[i].name.ends_with("bias") ? 2 : 1e-2;  // see check_training()
        CHECK(some[i].tensor.dtype() == composed[i].tensor.dtype());
        const double error = spread(some[i].tensor, all[i].tensor, floor);
        // Unless shifts are lifted, rounding can change the sign of a ReLU's input, and thus whether a gradient passes,
        // in one of the two blocks but not in the other.
        CHECK(error < (lifted ? 5e-3 : 5e-2) + 1.2 * spread(composed[i].tensor, all[i].tensor, floor));
        if (lifted) CHECK(error < 2.5e-2);
    }
    fast.layer.eval();
    exact.layer.eval();
    const NoGrad guard;
    CHECK(relative_difference(fast.layer.forward(fast.x), exact.layer.forward(exact.x)) < 2e-2);
}

std::vector<std::string> names_of(const Module& module) {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : module.state()) names.push_back(name);
    return names;
}

}  // namespace

TEST_CASE("a growing image trains as the layers composed of plain ops do in float64", "[host]") {
    for (const auto& [options, spatial] : cases()) check_training(options, spatial);
}

TEST_CASE("a growing image of bottleneck layers in several parts gives what plain ops do in float64", "[host][slow]") {
    const DenseBlockOptions options{.in_channels = 24, .layers = 4, .growth = 12, .bottleneck = 48};
    check_training(options, {70, 24, 24});
    check_evaluation(options, {70, 24, 24});
}

TEST_CASE("a growing image evaluates as the layers composed of plain ops do in float64", "[host]") {
    for (const auto& [options, spatial] : cases()) check_evaluation(options, spatial);
}

TEST_CASE("a growing image in bfloat16 is near what plain ops do in float64", "[host]") {
    for (const auto& [options, spatial] : cases()) {
        if (spatial[0] > 8) continue;  // slow in float64
        check_bfloat16(options, spatial, true);
        check_bfloat16(options, spatial, false);
    }
}

TEST_CASE("a growing image in bfloat16 gives the same bits with any number of threads", "[host]") {
    for (const std::int64_t bottleneck : {0, 48}) {
        const DenseBlockOptions options{.in_channels = 20, .layers = 3, .growth = 12, .bottleneck = bottleneck};
        std::vector<std::vector<float>> first;
        for (const int threads : {1, 2, 3}) {
            set_num_threads(threads);
            std::vector<std::vector<float>> values;
            for (const auto& [name, tensor] : Block(options, {6, 11, 10}, DType::float32, false, true).trained())
                values.push_back(tensor.to_vector<float>());
            set_num_threads(0);
            if (threads == 1) first = values;
            const bool same = values == first;
            CHECK(same);
        }
    }
}

TEST_CASE("a dense block records its layers on one image and keeps no copies of it", "[host]") {
    const DenseBlockOptions options{.in_channels = 4, .layers = 2, .growth = 3, .bottleneck = 6};
    Block block(options, {2, 3, 3}, DType::float32);
    const Tensor y = block.layer.forward(block.x);
    CHECK(graph_ops(y) == std::vector<std::string>{"dense_layer", "dense_layer", "dense_input"});
    backward(y, block.upstream);
    CHECK(error_of([&] { backward(y, block.upstream); }) ==
          "backward: the graph through dense_layer was freed by an earlier backward(); run the forward pass again");
}

TEST_CASE("a growing image sees that a weight was changed before backward", "[host]") {
    Block block({.in_channels = 4, .layers = 1, .growth = 3}, {2, 3, 3}, DType::float32);
    const Tensor y = block.layer.forward(block.x);
    block.layer.parameters().back().fill_(0);
    CHECK_THAT(error_of([&] { backward(y, block.upstream); }),
               ContainsSubstring("dense_layer: its weight") && ContainsSubstring("was changed in place"));
}

TEST_CASE("a growing image names what does not fit", "[host]") {
    const Tensor x = Tensor::zeros({2, 4, 3, 3});
    const auto norm = [](std::int64_t channels) {
        const auto one = [&] { return Tensor::full({channels}, 1); };
        return NormTensors{one(), one(), one(), one()};
    };
    CHECK(error_of([&] { GrowingImage(x, 3, true); }) ==
          "GrowingImage: input is float32[2, 4, 3, 3], expected [N, C, H, W] of at most 3 channels");
    CHECK(error_of([&] { GrowingImage(x.to(DType::float64), 8, true); }) ==
          "GrowingImage: input is float64[2, 4, 3, 3] on cpu, expected float32 or bfloat16 on the CPU and no "
          "gradient outside training");
    CHECK(error_of([&] {
              GrowingImage(Tensor::zeros({1, 4, 1, 1}), 8, true);
          }) == "GrowingImage: input [1, 4, 1, 1] has a single value a channel, too few to train on");
    GrowingImage image(x, 6, true);
    CHECK(error_of([&] {
              image.grow({norm(5), {}, {}, Tensor::zeros({2, 5, 3, 3})});
          }) == "GrowingImage: the layer's norm takes 5 channels, there are 4");
    CHECK(error_of([&] {
              image.grow({norm(4), Tensor::zeros({2, 3, 1, 1}), norm(2), Tensor::zeros({2, 2, 3, 3})});
          }) == "GrowingImage: bottleneck is float32[2, 3, 1, 1], expected [B, 4, 1, 1]");
    CHECK(error_of([&] {
              image.grow({norm(4), {}, {}, Tensor::zeros({2, 3, 3, 3})});
          }) == "GrowingImage: weight is [2, 3, 3, 3], expected [K, 4, 3, 3]");
    CHECK(error_of([&] {
              image.grow({norm(4), {}, {}, Tensor::zeros({3, 4, 3, 3})});
          }) == "GrowingImage: 4 and 3 more channels, room for 6");
    CHECK(error_of([&] {
              image.grow({norm(4), {}, {}, Tensor::zeros({2, 4, 3, 3}, DType::float64)});
          }) == "GrowingImage: weight is float64[2, 4, 3, 3], expected float32");
    CHECK(error_of([&] { image.result(); }) == "GrowingImage: 4 of 6 channels are there");
}

TEST_CASE("a dense block keeps its input and adds each layer's channels", "[layers][dense-block]") {
    manual_seed(7);
    DenseBlock block({.in_channels = 4, .layers = 3, .growth = 2, .bottleneck = 5});
    RandomInputs random(73);
    const Tensor x = random.tensor({2, 4, 5, 3}, -1, 1, DType::float32);
    const Tensor y = block.forward(x);
    CHECK(y.shape() == Shape{2, 10, 5, 3});
    CHECK(differences(slice(y, 1, 0, 4).to_vector<float>(), x.to_vector<float>()) == "");
    // The first layer's channels do not depend on the other layers: they equal those of a block with one layer.
    DenseBlock first({.in_channels = 4, .layers = 1, .growth = 2, .bottleneck = 5});
    std::vector<NamedTensor> state;
    for (const NamedTensor& entry : block.state())
        if (entry.name.starts_with("denselayer1.")) state.push_back(entry);
    first.load_state(state);
    CHECK(relative_difference(slice(y, 1, 0, 6), first.forward(x)) < 1e-6);
}

TEST_CASE("a dense block's layers have the names of torchvision's", "[layers][dense-block]") {
    const std::vector<std::string> two = names_of(DenseBlock({.in_channels = 4, .bottleneck = 5}));
    for (const std::string name : {"denselayer1.norm1.weight", "denselayer1.conv1.weight", "denselayer1.norm2.bias",
                                   "denselayer1.conv2.weight", "denselayer1.norm2.running_var"})
        CHECK(std::find(two.begin(), two.end(), name) != two.end());
    CHECK(two.size() == 10);
    CHECK(names_of(DenseBlock({.in_channels = 4, .layers = 2})).size() == 10);
}

TEST_CASE("a dense block drops out in training alone", "[layers][dense-block]") {
    DenseBlock block({.in_channels = 4, .layers = 2, .growth = 3, .bottleneck = 5, .dropout = 0.5});
    RandomInputs random(74);
    const Tensor x = random.tensor({2, 4, 5, 3}, -1, 1, DType::float32);
    CHECK(block.forward(x).to_vector<float>() != block.forward(x).to_vector<float>());
    const auto added = slice(block.forward(x), 1, 4, 10).to_vector<float>();
    const auto zeros = std::count(added.begin(), added.end(), 0.0F);
    CHECK(zeros > static_cast<std::ptrdiff_t>(added.size()) / 4);
    block.eval();
    CHECK(differences(block.forward(x).to_vector<float>(), block.forward(x).to_vector<float>()) == "");
}

}  // namespace radial::test
