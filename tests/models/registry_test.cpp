// The registry of networks: names, options, exact error messages.
#include "radial/models/registry.h"
#include "../expect.h"
#include "radial/core/autograd/autograd.h"

#include <set>

namespace radial::test {

TEST_CASE("every network of the registry has a name of its own, a family and a source", "[models][registry]") {
    std::set<std::string> names;
    for (const ModelInfo& info : model_registry()) {
        INFO(info.name);
        CHECK(names.insert(info.name).second);
        CHECK(find_model(info.name) == &info);
        CHECK(!info.family.empty());
        CHECK(!info.source.empty());
        CHECK(info.image.rank() == 3);
        CHECK(info.classes > 1);
    }
    CHECK(find_model("resnet21") == nullptr);
}

TEST_CASE("the registry's networks take the images and give the features that it says", "[models][registry]") {
    const NoGrad no_grad;
    for (const std::string name : {"lenetpp", "resnet20", "resnet18"}) {
        const ModelInfo& info = *find_model(name);
        const Tensor x = Tensor::zeros({1, info.image[0], info.image[1], info.image[2]});
        CHECK(make_model(info, info.dim)->forward(x).shape() == Shape{1, info.dim});
    }
}

TEST_CASE("a network is built for the feature that it can give", "[models][registry]") {
    CHECK(make_model(*find_model("lenetpp"), 5)->forward(Tensor::zeros({1, 1, 28, 28})).shape() == Shape{1, 5});
    CHECK(error_of([] { make_model(*find_model("resnet20"), 32); }) ==
          "resnet20: its feature has 64 dimensions, not 32");
}

TEST_CASE("an option that a network does not have is refused", "[models][registry]") {
    CHECK(error_of([] {
              make_model(*find_model("lenetpp"), 64, {{"dropout", 0.5}});
          }) == "lenetpp has no option \"dropout\"; did you mean checkpoint? Its options are checkpoint");
}

TEST_CASE("a network's options are its defaults under those given", "[models][registry]") {
    const ModelInfo info{.name = "a",
                         .family = "",
                         .source = "",
                         .image = {3, 4, 4},
                         .settings = {{"dropout", 0}, {"drop-connect", 0.2}},
                         .make = {}};
    CHECK(model_settings(info) == info.settings);
    CHECK(model_settings(info, {{"dropout", 0.5}}) == ModelSettings{{"dropout", 0.5}, {"drop-connect", 0.2}});
    CHECK(error_of([&] {
              model_settings(info, {{"dropuot", 0.5}});
          }) == "a has no option \"dropuot\"; did you mean dropout? Its options are drop-connect, dropout");
}

}  // namespace radial::test
