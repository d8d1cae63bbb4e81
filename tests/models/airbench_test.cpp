// Tests of the airbench network: shapes, initial weights, exact error messages.
#include "radial/models/airbench.h"

#include "../expect.h"
#include "radial/core/autograd/autograd.h"
#include "random_images.h"

namespace radial::test {

TEST_CASE("airbench networks take images of several sizes and give one feature an image", "[models]") {
    const NoGrad no_grad;
    Airbench net;
    CHECK(net.forward(random_images({3, 3, 32, 32})).shape() == Shape{3, 256});
    CHECK(net.forward(random_images({2, 3, 17, 9})).shape() == Shape{2, 256});
    net.eval();
    CHECK(net.forward(random_images({1, 3, 48, 64})).shape() == Shape{1, 256});
}

TEST_CASE("an airbench network's convolutions start by copying their inputs", "[models]") {
    const Airbench net({.widths = {4, 5}, .in_channels = 1});
    for (const auto& [name, tensor] : net.named_parameters()) {
        if (tensor.rank() != 4) continue;
        INFO(name);
        const std::int64_t inputs = tensor.size(1);
        const auto values = tensor.to_vector<double>();
        for (std::int64_t k = 0; k < std::min(tensor.size(0), inputs); ++k)
            for (std::int64_t i = 0; i < inputs * 9; ++i)
                CHECK(values[static_cast<std::size_t>(k * inputs * 9 + i)] == (i == k * 9 + 4 ? 1 : 0));
    }
}

TEST_CASE("an airbench network recomputes its blocks to the same gradients", "[models]") {
    const Tensor x = random_images({4, 3, 20, 20});
    const auto gradients = [&](bool recompute) {
        manual_seed(8);
        Airbench net({.widths = {4, 5}});
        net.set_recompute(recompute);
        sum(square(net.forward(x))).backward();
        std::vector<std::vector<float>> all;
        for (const Tensor& parameter : net.parameters()) all.push_back(parameter.grad().to_vector<float>());
        return all;
    };
    CHECK(gradients(true) == gradients(false));
}

TEST_CASE("airbench networks say what does not fit", "[models]") {
    CHECK(error_of([] { Airbench({.widths = {}}); }) ==
          "Airbench: widths [] and in_channels 3, expected one width or more, all at least 1");
    CHECK(error_of([] {
              Airbench({.widths = {4, 0}});
          }) == "Airbench: widths [4, 0] and in_channels 3, expected one width or more, all at least 1");
    CHECK(error_of([] {
              Airbench().forward(Tensor::zeros({2, 3, 8, 9}));
          }) == "Airbench: input has shape [2, 3, 8, 9], expected [N, 3, H, W] with H and W of at least 9");
    CHECK(error_of([] { Airbench().forward(Tensor()); }) ==
          "Airbench: input is undefined, expected [N, 3, H, W] with H and W of at least 9");
}

}  // namespace radial::test
