// Tests of holding samples out of a data set.
#include "radial/data/split.h"

#include "../catch.h"
#include "../expect.h"

#include "radial/data/image_set.h"

#include <algorithm>
#include <map>

namespace radial::test {
namespace {

using namespace radial::data;

/// 37 images of one pixel: 20, 16 and 1 of the classes 0, 1 and 2. The pixel of image i is i.
std::shared_ptr<const ImageSet> numbered_images() {
    std::vector<std::uint8_t> pixels;
    std::vector<std::int64_t> labels;
    for (int i = 0; i < 37; ++i) {
        pixels.push_back(static_cast<std::uint8_t>(i));
        labels.push_back(i == 30 ? 2 : i % 9 < 5 && labels.size() < 36 ? 0 : 1);
    }
    return std::make_shared<ImageSet>(Tensor::from(pixels, {37, 1, 1, 1}, Device{}),
                                      Tensor::from(labels, {37}, Device{}), std::vector<std::string>{"a", "b", "c"});
}

std::map<std::int64_t, std::int64_t> counts_of(const Dataset& set) {
    std::map<std::int64_t, std::int64_t> counts;
    for (const std::int64_t label : labels_of(set).to_vector<std::int64_t>()) ++counts[label];
    return counts;
}

std::vector<int> pixels_of(const Dataset& set) {
    std::vector<int> pixels;
    for (std::int64_t i = 0; i < set.size(); ++i) pixels.push_back(set.get(i).input.to_vector<std::uint8_t>().front());
    return pixels;
}

}  // namespace

TEST_CASE("a split holds out the same share of every class, and of a class of one image none", "[host]") {
    const auto set = numbered_images();
    auto whole = counts_of(*set);
    const SplitSets parts = split(set, 0.25, 7);
    auto train = counts_of(*parts.train), held = counts_of(*parts.held_out);
    for (const std::int64_t label : {0, 1}) {
        CHECK(held[label] == std::llround(0.25 * static_cast<double>(whole[label])));
        CHECK(train[label] + held[label] == whole[label]);
    }
    CHECK(whole[2] == 1);
    CHECK(train[2] == 1);
    CHECK(split(set, 0.001, 7).held_out->size() == 2);  // one of each class that has at least two
    CHECK(counts_of(*split(set, 0.999, 7).train).size() == 3);
}

TEST_CASE("the two parts of a split are all samples, each once, in their order and with their labels", "[host]") {
    const auto set = numbered_images();
    const SplitSets parts = split(set, 0.4, 3);
    const std::vector<int> train = pixels_of(*parts.train), held = pixels_of(*parts.held_out);
    CHECK(std::ranges::is_sorted(train));
    CHECK(std::ranges::is_sorted(held));
    std::vector<int> all;
    std::ranges::merge(train, held, std::back_inserter(all));
    CHECK(all == pixels_of(*set));
    for (const auto& part : {parts.train, parts.held_out}) {
        CHECK(part->class_names == set->class_names);
        const std::vector<int> pixels = pixels_of(*part);
        for (std::int64_t i = 0; i < part->size(); ++i)
            CHECK(part->get(i).target.item() == set->get(pixels[static_cast<std::size_t>(i)]).target.item());
    }
}

TEST_CASE("the seed decides which samples a split holds out", "[host]") {
    const auto set = numbered_images();
    CHECK(pixels_of(*split(set, 0.3, 1).held_out) == pixels_of(*split(set, 0.3, 1).held_out));
    CHECK(pixels_of(*split(set, 0.3, 1).held_out) != pixels_of(*split(set, 0.3, 2).held_out));
}

TEST_CASE("a set of files is split without reading a file", "[host]") {
    const ImageSet files({"/nowhere/a", "/nowhere/b", "/nowhere/c", "/nowhere/d"},
                         Tensor::from(std::vector<std::int64_t>{0, 0, 1, 1}, {4}, Device{}), {"x", "y"});
    const SplitSets parts = split(std::make_shared<ImageSet>(files), 0.5, 1);
    const auto& held = dynamic_cast<const ImageSet&>(*parts.held_out);
    REQUIRE(held.files->size() == 2);
    CHECK(held.files->at(0).string() < "/nowhere/c");
    CHECK(held.files->at(1).string() > "/nowhere/b");
    CHECK(held.labels.to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 1});
}

TEST_CASE("a set without classes is split at random", "[host]") {
    const auto set = std::make_shared<TensorSet>(Tensor::zeros({10, 2}, DType::float32, Device{}),
                                                 Tensor::zeros({10, 1}, DType::float32, Device{}));
    const SplitSets parts = split(set, 0.3, 1);
    CHECK(parts.train->size() == 7);
    CHECK(parts.held_out->size() == 3);
}

TEST_CASE("a split that cannot be made is refused with the reason", "[host]") {
    const std::vector<std::int64_t> single = {0, 1, 2};
    CHECK(error_of([&] { stratified_split(single, 0.5, 1); }) ==
          "split: no class has two samples, so that none of 3 can be held out");
    CHECK(error_of([&] { stratified_split(single, 1, 1); }) ==
          "split: the fraction to hold out is 1, expected 0 < fraction < 1");
    CHECK(error_of([] { random_split(1, 0.5, 1); }) == "split: 1 sample, expected at least 2");
    CHECK(error_of([] { select(numbered_images(), {37}); }) == "select: sample 37 of 37 asked for");
}

}  // namespace radial::test
