// Tests of data sets from tensors, of subsets and concatenations, and of a user's own data sets in the loader.
#include "radial/data/dataset.h"

#include "../catch.h"
#include "../expect.h"

#include "radial/data/loader.h"
#include "radial/data/registry.h"

#include <memory>

namespace radial::test {
namespace {

using namespace radial::data;

/// Five samples with the inputs [i, 10 i] and the targets i / 2.
std::shared_ptr<const Dataset> pairs() {
    std::vector<float> inputs, targets;
    for (int i = 0; i < 5; ++i) {
        inputs.insert(inputs.end(), {static_cast<float>(i), static_cast<float>(10 * i)});
        targets.push_back(static_cast<float>(i) / 2);
    }
    return std::make_shared<TensorSet>(Tensor::from(inputs, {5, 2}), Tensor::from(targets, {5, 1}));
}

/// Images of one channel and 2 by 2 pixels. All pixels of image i are 51 * i, as bytes or as floats in [0, 1].
class Numbered : public Dataset {
public:
    explicit Numbered(bool floats) : floats_(floats) { class_names = {"even", "odd"}; }
    std::int64_t size() const override { return 4; }
    Sample get(std::int64_t index) const override {
        const Tensor label = Tensor::from(std::vector<std::int64_t>{index % 2}, {});
        if (floats_) return {Tensor::full({1, 2, 2}, 0.2 * static_cast<double>(index)), label};
        return {Tensor::from(std::vector<std::uint8_t>(4, static_cast<std::uint8_t>(51 * index)), {1, 2, 2}), label};
    }

private:
    bool floats_;
};

/// A data set whose samples a function returns.
class Made : public Dataset {
public:
    explicit Made(std::function<Sample(std::int64_t)> make) : make_(std::move(make)) {}
    std::int64_t size() const override { return 2; }
    Sample get(std::int64_t index) const override { return make_(index); }

private:
    std::function<Sample(std::int64_t)> make_;
};

std::vector<float> first_inputs(Loader& loader) {
    loader.start(0);
    return loader.next()->images.to_vector<float>();
}

}  // namespace

TEST_CASE("a set of tensors gives its rows", "[host][data]") {
    const Sample sample = pairs()->get(3);
    CHECK(sample.input.to_vector<float>() == std::vector<float>{3, 30});
    CHECK(sample.target.to_vector<float>() == std::vector<float>{1.5});
    CHECK(pairs()->input_shape() == Shape{2});
    CHECK(error_of([] { pairs()->get(5); }) == "TensorSet: sample 5 of 5 asked for");
    CHECK(error_of([] {
              TensorSet(Tensor::zeros({2, 2}), Tensor::zeros({3}));
          }) == "TensorSet: inputs are float32[2, 2], targets float32[3], expected as many rows");
}

TEST_CASE("a subset gives the samples of its indices, and a part of a subset those of its own", "[host][data]") {
    const auto odd = std::make_shared<Subset>(pairs(), std::vector<std::int64_t>{3, 1});
    CHECK(odd->size() == 2);
    CHECK(odd->get(0).input.to_vector<float>() == std::vector<float>{3, 30});
    CHECK(first(odd, 1)->size() == 1);
    CHECK(first(odd, 1)->get(0).input.to_vector<float>() == std::vector<float>{3, 30});
    CHECK(error_of([] { Subset(pairs(), {0, 5}); }) == "Subset: sample 5 of 5 asked for");
}

TEST_CASE("several sets are one after the other", "[host][data]") {
    const ConcatSet both({pairs(), first(pairs(), 2)});
    CHECK(both.size() == 7);
    CHECK(both.get(4).input.to_vector<float>() == std::vector<float>{4, 40});
    CHECK(both.get(5).input.to_vector<float>() == std::vector<float>{0, 0});
    CHECK(both.get(6).input.to_vector<float>() == std::vector<float>{1, 10});
    CHECK(error_of([&] { both.get(7); }) == "ConcatSet: sample 7 of 7 asked for");
    CHECK(error_of([] {
              ConcatSet({pairs(), std::make_shared<Numbered>(false)});
          }) == "ConcatSet: the sets' class names differ");
}

TEST_CASE("classes are read of any set that has them", "[host][data]") {
    CHECK(labels_of(Numbered(false)).to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 1, 0, 1});
    CHECK(error_of([] { labels_of(*pairs()); }) == "the target of sample 0 is float32[1], expected a class, int64[]");
}

TEST_CASE("the loader stacks inputs and targets of any shape", "[host][data][loader]") {
    for (const int workers : {0, 2}) {
        Loader loader(pairs(), {.batch_size = 3, .workers = workers});
        loader.start(0);
        const Batch batch = *loader.next(), rest = *loader.next();
        CHECK(batch.images.shape() == Shape{3, 2});
        CHECK(batch.images.to_vector<float>() == std::vector<float>{0, 0, 1, 10, 2, 20});
        CHECK(batch.labels.shape() == Shape{3, 1});
        CHECK(rest.labels.to_vector<float>() == std::vector<float>{1.5, 2});
        CHECK_FALSE(loader.next());
    }
}

TEST_CASE("images of a set of your own are normalised and transformed, bytes and floats alike",
          "[host][data][loader]") {
    const LoaderOptions options{.batch_size = 4, .workers = 0, .mean = {0.5F}, .std = {0.25F}};
    Loader bytes(std::make_shared<Numbered>(false), options), floats(std::make_shared<Numbered>(true), options);
    const std::vector<float> from_bytes = first_inputs(bytes), from_floats = first_inputs(floats);
    REQUIRE(from_bytes.size() == 16);
    for (std::size_t i = 0; i < 16; ++i) {
        const std::size_t image = i / 4;
        CHECK(from_bytes[i] == Approx((0.2 * static_cast<double>(image) - 0.5) / 0.25));
        CHECK(from_floats[i] == Approx(from_bytes[i]).margin(1e-6));
    }
    LoaderOptions cropped = options;
    cropped.transforms.normalised = {random_crop(1)};
    Loader moved(std::make_shared<Numbered>(false), cropped);
    CHECK(first_inputs(moved) != from_bytes);
}

TEST_CASE("samples that do not fit together are refused by name", "[host][data][loader]") {
    const auto error_with = [](std::function<Sample(std::int64_t)> make, LoaderOptions options = {.workers = 0}) {
        return error_of([&] {
            Loader loader(std::make_shared<Made>(std::move(make)), options);
            loader.start(0);
            loader.next();
        });
    };
    const Tensor number = Tensor::zeros({1});
    CHECK(error_with([&](std::int64_t i) {
              return Sample{Tensor::zeros({2 + i}), number};
          }) == "Loader: the input of sample 1 is float32[3], others of the batch are rows of float32[2, 2]");
    CHECK(error_with([&](std::int64_t i) {
              return Sample{Tensor::zeros({2}), Tensor::zeros({1}, i == 0 ? DType::float32 : DType::int64)};
          }) == "Loader: the target of sample 1 is int64[1], others of the batch are rows of float32[2, 1]");
    CHECK(error_with([&](std::int64_t) {
              return Sample{Tensor::zeros({2}, DType::int64), number};
          }) == "Loader: the input of sample 0 is int64[2], expected uint8 [C, H, W] or float32");
    CHECK(error_with([&](std::int64_t) {
              return Sample{Tensor::zeros({2}), {}};
          }) == "Loader: sample 0 has no input or no target on the CPU");
    CHECK(error_with(
              [&](std::int64_t) {
                  return Sample{Tensor::zeros({2}), number};
              },
              {.workers = 0, .mean = {0.5F}}) ==
          "Loader: inputs of shape [2] are not images [C, H, W], which alone are transformed and normalised");
}

TEST_CASE("a class out of range in a set of your own is refused", "[host][data][loader]") {
    class Wrong : public Numbered {
    public:
        Wrong() : Numbered(false) {}
        Sample get(std::int64_t index) const override {
            return {Numbered::get(index).input, Tensor::from(std::vector<std::int64_t>{index}, {})};
        }
    };
    Loader loader(std::make_shared<Wrong>(), {.workers = 0});
    loader.start(0);
    CHECK(error_of([&] { loader.next(); }) == "Loader: label of sample 2 is 2, expected 0 to 1");
}

TEST_CASE("data sets are known by name, and others can be registered", "[host][data]") {
    CHECK(dataset_registry().names() == std::vector<std::string>{"mnist", "cifar10", "cifar100", "imagenet"});
    register_dataset({.name = "numbered",
                      .source = "this test",
                      .mean = {0.5F},
                      .std = {0.25F},
                      .read = [](const auto&, bool train) { return std::make_shared<Numbered>(train); }});
    CHECK(dataset_registry().at("numbered").read("", true)->size() == 4);
    CHECK(error_of([] {
              register_dataset({.name = "numbered", .source = "", .mean = {}, .std = {}, .read = [](const auto&, bool) {
                                    return std::make_shared<Numbered>(true);
                                }});
          }) == "there is a data set called \"numbered\" already");
    unregister_dataset("numbered");
    CHECK(dataset_registry().find("numbered") == nullptr);
    CHECK(error_of([] {
              register_dataset({"empty", "", {}, {}, nullptr});
          }) == "the data set \"empty\" has no function that reads it");
    CHECK(error_of([] { unregister_dataset("mnist"); }) == "no data set called \"mnist\" was registered");
}

TEST_CASE("pictures of a report come from sets whose inputs are images of bytes", "[host][data]") {
    CHECK(Numbered(false).picture(2).to_vector<std::uint8_t>() == std::vector<std::uint8_t>(4, 102));
    CHECK_FALSE(Numbered(true).picture(2).defined());
    CHECK_FALSE(pairs()->picture(0).defined());
}

}  // namespace radial::test
