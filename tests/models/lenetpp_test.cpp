// Tests of LeNets++: shapes, number of parameters, saving and loading, exact error messages.
#include "radial/models/lenetpp.h"
#include "../expect.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/io/safetensors.h"
#include "radial/core/tensor/random.h"

#include <filesystem>

namespace radial::test {
namespace {

Tensor random_images(std::int64_t count) {
    const Tensor x = Tensor::empty({count, 1, 28, 28});
    Generator generator(11);
    uniform_(x, 0, 1, generator);
    return x;
}

}  // namespace

TEST_CASE("LeNets++ gives one feature an image in any dimension") {
    for (const std::int64_t dim : {2, 10, 32, 128}) {
        LeNetPlusPlus net({.feature_dim = dim});
        CHECK(net.forward(random_images(3)).shape() == Shape{3, dim});
    }
}

TEST_CASE("LeNets++ has the parameters of its six convolutions, their slopes and its linear layer") {
    std::int64_t expected = 0, channels = 1;
    for (const std::int64_t width : {32, 32, 64, 64, 128, 128}) {
        expected += channels * width * 25 + width + width;  // filters, biases, slopes
        channels = width;
    }
    expected += 128 * 3 * 3 * 32 + 32;
    CHECK(LeNetPlusPlus({.feature_dim = 32}).parameter_count() == expected);
    CHECK(expected == 832'192);
}

TEST_CASE("LeNets++ names its parameters by their place in the chain") {
    const auto parameters = LeNetPlusPlus().named_parameters();
    REQUIRE(parameters.size() == 20);
    CHECK(parameters.front().name == "body.0.weight");
    CHECK(parameters[2].name == "body.1.weight");
    CHECK(parameters.back().name == "body.16.bias");
    CHECK(parameters[18].tensor.shape() == Shape{32, 1152});
}

TEST_CASE("LeNets++ refuses images of another size or number of channels") {
    LeNetPlusPlus net;
    CHECK(error_of([&] {
              net.forward(Tensor::zeros({2, 1, 32, 32}));
          }) == "LeNetPlusPlus: input has shape [2, 1, 32, 32], expected [N, 1, 28, 28]");
    CHECK(error_of([&] {
              net.forward(Tensor::zeros({2, 3, 28, 28}));
          }) == "LeNetPlusPlus: input has shape [2, 3, 28, 28], expected [N, 1, 28, 28]");
    CHECK(error_of([] { LeNetPlusPlus({.feature_dim = 0}); }) ==
          "LeNetPlusPlus: feature_dim 0 and in_channels 1 must each be at least 1");
}

TEST_CASE("LeNets++ read back from a file gives the features of the one that was written") {
    const auto path = std::filesystem::temp_directory_path() / "radial-lenetpp-round-trip.safetensors";
    LeNetPlusPlus written, read;
    write_safetensors(path, {.tensors = written.state(), .metadata = {}});
    const Tensor images = random_images(2);
    const NoGrad no_grad;
    REQUIRE(written.forward(images).to_vector<float>() != read.forward(images).to_vector<float>());
    read.load_state(read_safetensors(path).tensors);
    CHECK(differences(written.forward(images).to_vector<float>(), read.forward(images).to_vector<float>()) == "");
    std::filesystem::remove(path);
}

}  // namespace radial::test
