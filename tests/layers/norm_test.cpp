// Tests of the normalisation layers and of MultiHeadAttention: names of parameters, initial values, modes, messages.
#include "radial/layers/norm.h"
#include "../core/random_inputs.h"
#include "../expect.h"
#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/layers/attention.h"

#include <cmath>

namespace radial::test {
namespace {

using Names = std::vector<std::string>;

Names names_of(const Module& module) {
    Names names;
    for (const auto& [name, tensor] : module.state()) names.push_back(name);
    return names;
}

Tensor random_tensor(const Shape& shape) { return RandomInputs(31).tensor(shape, -1, 3, DType::float32); }

}  // namespace

TEST_CASE("parameters of norms and attention are named as PyTorch names them") {
    CHECK(names_of(BatchNorm1d({.channels = 2})) == Names{"weight", "bias", "running_mean", "running_var"});
    CHECK(names_of(LayerNorm({.shape = {3}})) == Names{"weight", "bias"});
    CHECK(names_of(LayerNorm({.shape = {3}, .bias = false})) == Names{"weight"});
    CHECK(names_of(LayerNorm({.shape = {3}, .affine = false})) == Names{});
    CHECK(names_of(LayerNorm2d({.channels = 3})) == Names{"weight", "bias"});
    CHECK(names_of(GroupNorm({.groups = 1, .channels = 3})) == Names{"weight", "bias"});
    CHECK(names_of(InstanceNorm2d({.channels = 3})) == Names{});
    CHECK(names_of(InstanceNorm2d({.channels = 3, .affine = true})) == Names{"weight", "bias"});
    CHECK(names_of(RMSNorm({.shape = {2, 3}})) == Names{"weight"});
    CHECK(names_of(MultiHeadAttention({.embed_dim = 4, .heads = 2})) ==
          Names{"in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"});
    CHECK(names_of(MultiHeadAttention({.embed_dim = 4, .bias = false})) == Names{"in_proj_weight", "out_proj.weight"});
}

TEST_CASE("new norms normalise only") {
    const Tensor x = random_tensor({4, 6, 3, 3});
    const auto same = [](const Tensor& a, const Tensor& b) { return a.to_vector<double>() == b.to_vector<double>(); };
    CHECK(same(LayerNorm({.shape = {3, 3}}).forward(x), layer_norm(x, {3, 3})));
    CHECK(same(LayerNorm2d({.channels = 6}).forward(x), layer_norm2d(x)));
    CHECK(same(GroupNorm({.groups = 2, .channels = 6}).forward(x), group_norm(x, 2)));
    CHECK(same(InstanceNorm2d({.channels = 6}).forward(x), instance_norm(x)));
    CHECK(same(RMSNorm({.shape = {3}}).forward(x), rms_norm(x, {3})));
}

TEST_CASE("BatchNorm1d normalises sequences by channel, and by its running statistics in evaluation") {
    BatchNorm1d norm({.channels = 3});
    const Tensor x = random_tensor({4, 3, 5});
    const Tensor y = norm.forward(x), means = mean(y, {0, 2}, false);
    CHECK(y.shape() == x.shape());
    for (const double v : means.to_vector<double>()) CHECK(std::abs(v) < 1e-6);
    norm.eval();
    CHECK(norm.forward(x).to_vector<double>() != y.to_vector<double>());
}

TEST_CASE("BatchNorm1d is BatchNorm2d of images with one column", "[layers][norm]") {
    BatchNorm1d sequences({.channels = 3, .activation = Activation::relu});
    BatchNorm2d images({.channels = 3, .activation = Activation::relu});
    const Tensor x = random_tensor({4, 3, 5});
    const Tensor y = sequences.forward(x), z = images.forward(reshape(x, {4, 3, 5, 1}));
    CHECK(differences(y.to_vector<double>(), z.to_vector<double>()) == "");
    CHECK(differences(sequences.running_mean().to_vector<double>(), images.running_mean().to_vector<double>()) == "");
    CHECK(differences(sequences.running_var().to_vector<double>(), images.running_var().to_vector<double>()) == "");
}

TEST_CASE("attention of a module starts with biases of 0 and weights by Glorot's rule") {
    manual_seed(4);
    const MultiHeadAttention layer({.embed_dim = 32, .heads = 4});
    double largest = 0;
    for (const auto& [name, tensor] : layer.state()) {
        for (const double v : tensor.to_vector<double>()) {
            if (name.ends_with("bias")) CHECK(v == 0);
            if (name == "in_proj_weight") largest = std::max(largest, std::abs(v));
        }
    }
    const double bound = std::sqrt(6.0 / (32 + 96));
    CHECK(largest <= bound);
    CHECK(largest > 0.95 * bound);
}

TEST_CASE("a mask keeps queries from keys in self-attention") {
    manual_seed(5);
    MultiHeadAttention causal({.embed_dim = 4, .heads = 2, .causal = true}), plain({.embed_dim = 4, .heads = 2});
    plain.load_state(causal.state());
    const Tensor x = random_tensor({2, 3, 4});
    const std::vector<std::uint8_t> lower{1, 0, 0, 1, 1, 0, 1, 1, 1};
    CHECK(relative_difference(plain.forward(x, Tensor::from(lower, {3, 3})), causal.forward(x)) < 1e-6);
    CHECK(relative_difference(plain.forward(x, x, x), plain.forward(x)) < 1e-6);
}

TEST_CASE("norms and attention name themselves when an input or option does not fit") {
    const Tensor image = Tensor::zeros({2, 3, 8, 8}), matrix = Tensor::zeros({2, 3});
    CHECK(error_of([&] { BatchNorm1d({.channels = 3}).forward(image); }) ==
          "BatchNorm1d: input has shape [2, 3, 8, 8], expected [N, C] or [N, C, L]");
    CHECK(error_of([&] { BatchNorm1d({.channels = 4}).forward(matrix); }) ==
          "BatchNorm1d: input has 3 channels, weight expects 4");
    CHECK(error_of([&] { LayerNorm({.shape = {4}}).forward(matrix); }) ==
          "LayerNorm: input has shape [2, 3], expected [4] as its last extents");
    CHECK(error_of([&] {
              RMSNorm({.shape = {2, 2, 3}}).forward(matrix);
          }) == "RMSNorm: input has shape [2, 3], expected [2, 2, 3] as its last extents");
    CHECK(error_of([&] { LayerNorm2d({.channels = 3}).forward(matrix); }) ==
          "LayerNorm2d: input has shape [2, 3], expected [N, C, H, W]");
    CHECK(error_of([&] { GroupNorm({.groups = 2, .channels = 4}).forward(image); }) ==
          "GroupNorm: input has 3 channels, weight expects 4");
    CHECK(error_of([&] { InstanceNorm2d({.channels = 4}).forward(image); }) ==
          "InstanceNorm2d: input has 3 channels, weight expects 4");
    CHECK(error_of([&] { MultiHeadAttention({.embed_dim = 4}).forward(matrix); }) ==
          "MultiHeadAttention: input has shape [2, 3], expected [N, L, 4]");
    CHECK(error_of([] { GroupNorm({.groups = 4, .channels = 6}); }) ==
          "GroupNorm: groups 4 does not divide channels 6");
    CHECK(error_of([] { MultiHeadAttention({.embed_dim = 6, .heads = 4}); }) ==
          "MultiHeadAttention: heads 4 does not divide embed_dim 6");
    CHECK(error_of([] { LayerNorm({.shape = {}}); }) ==
          "LayerNorm: shape is [], expected at least one extent, each at least 1");
    CHECK(error_of([] { LayerNorm({.shape = {2}, .epsilon = 0}); }) == "LayerNorm: epsilon is 0, expected above 0");
    CHECK(error_of([] { BatchNorm1d({.channels = 0}); }) == "BatchNorm1d: channels is 0, expected at least 1");
}

}  // namespace radial::test
