// Tests of the registry of networks: names, options, exact error messages.
#include "radial/models/registry.h"
#include "../expect.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"

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
          }) == "lenetpp has no option \"dropout\"; did you mean recompute? Its options are recompute");
}

TEST_CASE("a network's options are its defaults under those given", "[models][registry]") {
    const ModelInfo info{.name = "a",
                         .family = "",
                         .source = "",
                         .image = {3, 4, 4},
                         .options = {{.name = "dropout", .value = 0.0}, {.name = "drop-connect", .value = 0.2}},
                         .make = {}};
    CHECK(model_settings(info) == info.defaults());
    CHECK(model_settings(info, {{"dropout", 0.5}}) == ModelSettings{{"dropout", 0.5}, {"drop-connect", 0.2}});
    CHECK(error_of([&] {
              model_settings(info, {{"dropuot", 0.5}});
          }) == "a has no option \"dropuot\"; did you mean dropout? Its options are dropout, drop-connect");
}

namespace {

/// A network that returns the mean of an image's pixels times a weight.
struct Mean : Layer {
    Tensor weight = register_parameter("weight", Tensor::full({1}, 2));
    Tensor forward(Tensor x) override { return mean(flatten(x), {1}, true) * weight; }
};

ModelInfo mean_model(const std::string& name) {
    return {.name = name,
            .family = "mean",
            .source = "this test",
            .image = {1, 2, 2},
            .classes = 2,
            .dim = 1,
            .make = [](std::int64_t, const ModelSettings&) { return std::make_unique<Mean>(); }};
}

}  // namespace

TEST_CASE("a registered model is built by its name until it is taken back", "[models][registry]") {
    register_model(mean_model("mean-pixel"));
    const ModelInfo* const info = find_model("mean-pixel");
    REQUIRE(info != nullptr);
    const Tensor y = make_model(*info, 1, {{"recompute", 1}})->forward(Tensor::full({3, 1, 2, 2}, 4));
    CHECK(y.to_vector<float>() == std::vector<float>(3, 8));
    unregister_model("mean-pixel");
    CHECK(find_model("mean-pixel") == nullptr);
}

TEST_CASE("a model that cannot be registered says why", "[models][registry]") {
    CHECK(error_of([] { register_model(mean_model("resnet20")); }) == "there is a model called \"resnet20\" already");
    CHECK(error_of([] { register_model(mean_model("7up")); }) ==
          "\"7up\" cannot be the name of a model: expected a letter, then letters, digits, hyphens and underscores");
    CHECK(error_of([] {
              ModelInfo info = mean_model("empty");
              info.make = nullptr;
              register_model(info);
          }) == "the model \"empty\" has no function that makes it");
    CHECK(error_of([] {
              ModelInfo info = mean_model("flat");
              info.image = {4};
              register_model(info);
          }) == "the model \"flat\" takes images [4], expected [C, H, W]");
    CHECK(error_of([] { unregister_model("resnet20"); }) == "no model called \"resnet20\" was registered");
}

}  // namespace radial::test
