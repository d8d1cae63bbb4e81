// Tests of the loader: its batches, their order, and interrupted epochs.
#include "radial/data/loader.h"

#include "../catch.h"
#include "../expect.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

using namespace radial;
using namespace radial::data;
using namespace radial::test;

namespace {

using Indices = std::vector<std::int64_t>;

/// `size` images of 2 channels and 2 x 3 pixels. The value of a byte depends on its position; the labels are 0 to 9 in
/// turn.
ImageSet sample_dataset(std::int64_t size) {
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size) * 12);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 37 + i / 251);
    Indices labels(static_cast<std::size_t>(size));
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int64_t>(i % 10);
    return {Tensor::from(bytes, {size, 2, 2, 3}), Tensor::from(labels, {size}), std::vector<std::string>(10, "class")};
}

/// All batches of one epoch.
std::vector<Batch> epoch_of(Loader& loader, std::int64_t epoch) {
    std::vector<Batch> batches;
    loader.start(epoch);
    while (std::optional<Batch> batch = loader.next()) batches.push_back(*std::move(batch));
    return batches;
}

Indices indices_of(const std::vector<Batch>& batches) {
    Indices all;
    for (const Batch& batch : batches) all.insert(all.end(), batch.indices.begin(), batch.indices.end());
    return all;
}

std::string error_with(const LoaderOptions& options) {
    return error_of([&] { const Loader loader(sample_dataset(4), options); });
}

std::string error_with(const Tensor& images, const Tensor& labels) {
    return error_of([&] { const Loader loader({images, labels, {}}, {}); });
}

}  // namespace

TEST_CASE("batches are the same whatever the number of workers and the prefetch", "[host][data][loader]") {
    const ImageSet set = sample_dataset(103);
    for (const std::int64_t epoch : {0, 1}) {
        std::vector<Batch> expected;
        for (const auto& [workers, prefetch] : {std::pair{0, 4}, {1, 1}, {1, 4}, {3, 2}, {3, 16}}) {
            Loader loader(set, {.batch_size = 8, .shuffle = true, .seed = 5, .workers = workers, .prefetch = prefetch});
            std::vector<Batch> batches = epoch_of(loader, epoch);
            if (expected.empty()) expected = batches;
            CHECK(differences(indices_of(batches), epoch_order(103, true, 5, epoch)) == "");
            REQUIRE(batches.size() == expected.size());
            for (std::size_t i = 0; i < batches.size(); ++i) {
                CHECK(differences(batches[i].images.to_vector<float>(), expected[i].images.to_vector<float>()) == "");
                CHECK(differences(batches[i].labels.to_vector<int>(), expected[i].labels.to_vector<int>()) == "");
            }
        }
    }
}

TEST_CASE("every sample comes once, in batches of the size asked for and a smaller last one", "[host][data][loader]") {
    Loader loader(sample_dataset(23), {.batch_size = 5, .shuffle = true, .workers = 2});
    CHECK(loader.batches() == 5);
    const std::vector<Batch> batches = epoch_of(loader, 0);
    REQUIRE(batches.size() == 5);
    CHECK(batches[0].images.str() == "float32[5, 2, 2, 3]");
    CHECK(batches[4].images.str() == "float32[3, 2, 2, 3]");
    CHECK(batches[4].labels.str() == "int64[3]");
    Indices all = indices_of(batches);
    std::sort(all.begin(), all.end());
    CHECK(differences(all, epoch_order(23, false, 0, 0)) == "");
    CHECK_FALSE(loader.next().has_value());
}

TEST_CASE("drop_last leaves out a last batch that is not full, and no other", "[host][data][loader]") {
    Loader ragged(sample_dataset(23), {.batch_size = 5, .drop_last = true});
    CHECK(ragged.batches() == 4);
    CHECK(epoch_of(ragged, 0).size() == 4);
    Loader even(sample_dataset(20), {.batch_size = 5, .drop_last = true});
    CHECK(even.batches() == 4);
    CHECK(epoch_of(even, 0).size() == 4);
}

TEST_CASE("an epoch of no samples ends at once", "[host][data][loader]") {
    Loader loader(sample_dataset(0), {.workers = 2});
    CHECK(loader.batches() == 0);
    CHECK(epoch_of(loader, 0).empty());
}

TEST_CASE("a batch holds its samples' normalised bytes and labels exactly", "[host][data][loader]") {
    const ImageSet set = sample_dataset(50);
    const std::vector<float> mean = {0.1307F, 0.5F}, std = {0.3081F, 0.25F};
    Loader loader(set, {.batch_size = 7, .shuffle = true, .seed = 3, .mean = mean, .std = std});
    const std::span<const std::uint8_t> bytes = set.images.values<std::uint8_t>();
    for (const Batch& batch : epoch_of(loader, 2)) {
        std::vector<float> images;
        Indices labels;
        for (const std::int64_t sample : batch.indices) {
            labels.push_back(sample % 10);
            for (std::size_t i = 0; i < 12; ++i) {
                const float byte = bytes[static_cast<std::size_t>(sample) * 12 + i];
                images.push_back((byte / 255.0F - mean[i / 6]) / std[i / 6]);
            }
        }
        CHECK(differences(batch.images.to_vector<float>(), images) == "");
        CHECK(differences(batch.labels.to_vector<std::int64_t>(), labels) == "");
    }
}

TEST_CASE("without a mean and std, bytes become 0 to 1", "[host][data][loader]") {
    std::vector<std::uint8_t> bytes(256);
    std::iota(bytes.begin(), bytes.end(), 0);
    Loader loader({Tensor::from(bytes, {1, 1, 16, 16}), Tensor::from(Indices{0}, {1}), {}}, {});
    const std::vector<float> images = epoch_of(loader, 0).at(0).images.to_vector<float>();
    for (std::size_t i = 0; i < 256; ++i) CHECK(images[i] == static_cast<float>(i) / 255.0F);
}

TEST_CASE("an error in a worker is thrown when its batch is due, and again until a new start", "[host][data][loader]") {
    for (const int workers : {0, 1, 3}) {
        const ImageSet set = sample_dataset(20);
        set.labels.values<std::int64_t>()[11] = 10;
        Loader loader(set, {.batch_size = 5, .workers = workers});
        const std::string expected = "Loader: label of sample 11 is 10, expected 0 to 9";
        loader.start(0);
        CHECK(loader.next()->indices.front() == 0);
        CHECK(loader.next()->indices.front() == 5);
        CHECK(error_of([&] { loader.next(); }) == expected);
        CHECK(error_of([&] { loader.next(); }) == expected);
        set.labels.values<std::int64_t>()[11] = 1;
        CHECK(epoch_of(loader, 1).size() == 4);
    }
}

TEST_CASE("start in the middle of an epoch drops the rest of it", "[host][data][loader]") {
    for (const int workers : {0, 1, 3}) {
        Loader loader(sample_dataset(103), {.batch_size = 4, .shuffle = true, .seed = 7, .workers = workers});
        for (std::int64_t epoch = 0; epoch < 20; ++epoch) {
            loader.start(epoch);
            const Indices order = epoch_order(103, true, 7, epoch);
            for (std::ptrdiff_t i = 0; i < epoch % 5; ++i) {
                CHECK(loader.next()->indices == Indices(order.begin() + 4 * i, order.begin() + 4 * i + 4));
            }
        }
        CHECK(differences(indices_of(epoch_of(loader, 99)), epoch_order(103, true, 7, 99)) == "");
    }
}

TEST_CASE("start twice begins the second epoch", "[host][data][loader]") {
    Loader loader(sample_dataset(40), {.batch_size = 4, .shuffle = true, .workers = 2});
    loader.start(0);
    CHECK(differences(indices_of(epoch_of(loader, 1)), epoch_order(40, true, 0, 1)) == "");
}

TEST_CASE("a loader can go away at any point of an epoch", "[host][data][loader]") {
    const ImageSet set = sample_dataset(200);
    std::vector<Batch> kept;
    for (int taken = 0; taken < 8; ++taken) {
        Loader loader(set, {.batch_size = 3, .workers = 3, .prefetch = 5});
        if (taken > 0) loader.start(0);
        for (int i = 1; i < taken; ++i) kept.push_back(*loader.next());
    }
    REQUIRE(kept.size() == 21);
    // Batches remain valid after the loader that made them is destroyed.
    CHECK(kept.back().indices == Indices{15, 16, 17});
    CHECK(kept.back().labels.to_vector<int>() == std::vector<int>{5, 6, 7});
}

TEST_CASE("an epoch can start in its middle", "[host][data][loader]") {
    for (const int workers : {0, 1, 3}) {
        Loader loader(sample_dataset(23), {.batch_size = 5, .shuffle = true, .seed = 2, .workers = workers});
        const std::vector<Batch> whole = epoch_of(loader, 4);
        loader.start(4, 3);
        for (const std::size_t i : {3, 4}) {
            const Batch batch = *loader.next();
            CHECK(batch.indices == whole[i].indices);
            CHECK(differences(batch.images.to_vector<float>(), whole[i].images.to_vector<float>()) == "");
        }
        CHECK_FALSE(loader.next().has_value());
        loader.start(4, 5);
        CHECK_FALSE(loader.next().has_value());
        CHECK(error_of([&] { loader.start(4, 6); }) == "Loader: start from batch 6, expected 0 to 5");
    }
}

TEST_CASE("an epoch goes on behind what a loader of another batch size gave", "[host][data][loader]") {
    for (const int workers : {0, 3}) {
        Loader first(sample_dataset(23), {.batch_size = 5, .shuffle = true, .seed = 2, .workers = workers});
        Loader other(sample_dataset(23), {.batch_size = 4, .shuffle = true, .seed = 2, .workers = workers});
        const Indices whole = indices_of(epoch_of(first, 4));
        const EpochPosition given = first.position_after(3);
        CHECK(given == EpochPosition{3, 15});
        CHECK(other.batches(given) == 5);
        other.start(4, given);
        Indices rest;
        while (const auto batch = other.next()) rest.insert(rest.end(), batch->indices.begin(), batch->indices.end());
        CHECK(rest == Indices(whole.begin() + 15, whole.end()));
        CHECK(error_of([&] {
                  other.start(4, {3, 24});
              }) == "Loader: start after 3 batches and 24 samples, expected 0 to 23 samples");
    }
}

TEST_CASE("next before start is an error", "[host][data][loader]") {
    Loader loader(sample_dataset(4), {});
    CHECK(error_of([&] { loader.next(); }) == "Loader: next() before start()");
}

TEST_CASE("options that make no sense are refused by name and value", "[host][data][loader]") {
    CHECK(error_with({.batch_size = 0}) == "Loader: batch size is 0, expected at least 1");
    CHECK(error_with({.workers = -1}) == "Loader: number of workers is -1, expected at least 0");
    CHECK(error_with({.repeats = 0}) == "Loader: each sample 0 times in a row, expected at least 1");
    CHECK(error_with({.sampling = Sampling::balanced}) ==
          "Loader: balanced sampling draws at random, expected shuffle to be set");
    CHECK(error_with({.prefetch = 0}) == "Loader: prefetch is 0, expected at least 1");
    CHECK(error_with({.mean = {0, 0, 0}}) == "Loader: mean has 3 numbers for images of 2 channels, expected 1 or 2");
    CHECK(error_with({.std = {}}) == "Loader: std has 0 numbers for images of 2 channels, expected 1 or 2");
    CHECK(error_with({.std = {1, 0}}) == "Loader: std of channel 1 is 0, expected above 0");
    CHECK(error_with({.mean = {NAN}}) == "Loader: mean of channel 0 is nan, expected a finite number");
}

TEST_CASE("tensors that are no data set are refused by type and shape", "[host][data][loader]") {
    const ImageSet good = sample_dataset(4);
    CHECK(error_with(Tensor(), good.labels) == "Loader: the data set has no images or no labels");
    CHECK(error_with(Tensor::zeros({4, 2, 2, 3}), good.labels) ==
          "Loader: images are float32[4, 2, 2, 3], expected uint8 [N, C, H, W]");
    CHECK(error_with(good.images.view({4, 12}), good.labels) ==
          "Loader: images are uint8[4, 12], expected uint8 [N, C, H, W]");
    CHECK(error_with(good.images, sample_dataset(3).labels) == "Loader: labels are int64[3], expected int64[4]");
    CHECK(error_with(good.images, Tensor::zeros({4})) == "Loader: labels are float32[4], expected int64[4]");
}

TEST_CASE("the parts of a batch that ranks get are the whole batch in order, transformed alike",
          "[host][data][loader]") {
    const auto noise = [](Image& image, Generator& random) {
        for (float& pixel : image.pixels) pixel += random.uniform();
    };
    LoaderOptions options{
        .batch_size = 8, .shuffle = true, .seed = 5, .transforms = {.pixels = {}, .normalised = {noise}}};
    Loader whole(sample_dataset(29), options);
    const std::vector<Batch> batches = epoch_of(whole, 2);
    std::vector<std::vector<Batch>> parts;
    options.ranks = 3;
    for (options.rank = 0; options.rank < 3; ++options.rank) {
        Loader part(sample_dataset(29), options);
        CHECK(part.batches() == whole.batches());
        parts.push_back(epoch_of(part, 2));
    }
    for (std::size_t b = 0; b < batches.size(); ++b) {
        Indices indices;
        std::vector<float> pixels;
        for (const auto& part : parts) {
            indices.insert(indices.end(), part[b].indices.begin(), part[b].indices.end());
            const std::vector<float> own = part[b].images.to_vector<float>();
            pixels.insert(pixels.end(), own.begin(), own.end());
            CHECK(std::ssize(part[b].indices) >= std::ssize(batches[b].indices) / 3);
            CHECK(std::ssize(part[b].indices) <= std::ssize(batches[b].indices) / 3 + 1);
        }
        CHECK(differences(indices, batches[b].indices) == "");
        CHECK(differences(pixels, batches[b].images.to_vector<float>()) == "");
    }
}

TEST_CASE("an epoch of balanced sampling has as many samples of each class", "[host][data][loader]") {
    ImageSet set = sample_dataset(40);
    for (std::int64_t i = 0; i < 40; ++i) set.labels.data<std::int64_t>()[i] = i < 36 ? 0 : 1;
    Loader loader(set, {.batch_size = 8, .shuffle = true, .sampling = Sampling::balanced, .seed = 3});
    std::map<std::int64_t, int> found;
    for (const Batch& batch : epoch_of(loader, 0))
        for (const std::int64_t label : batch.labels.values<std::int64_t>()) ++found[label];
    CHECK(found == std::map<std::int64_t, int>{{0, 20}, {1, 20}});
}

TEST_CASE(
    "each use of a sample in an epoch has its own random numbers, and the first those of an epoch without repeats",
    "[host][data][loader]") {
    LoaderOptions once{.batch_size = 12};
    once.transforms.normalised = {random_crop(2, Border::zero)};
    LoaderOptions thrice = once;
    thrice.repeats = 3;
    Loader plain(sample_dataset(12), once), repeated(sample_dataset(12), thrice);
    const Batch expected = epoch_of(plain, 5).at(0), found = epoch_of(repeated, 5).at(0);
    CHECK(found.indices == Indices{0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3});
    int differing = 0;
    for (std::int64_t sample = 0; sample < 4; ++sample) {
        const auto first = found.images.rows(3 * sample, 3 * sample + 1).to_vector<float>();
        CHECK(first == expected.images.rows(sample, sample + 1).to_vector<float>());
        for (const std::int64_t copy : {1, 2})
            differing += first != found.images.rows(3 * sample + copy, 3 * sample + copy + 1).to_vector<float>();
    }
    CHECK(differing > 4);  // of 8; some crops may be equal
}

TEST_CASE("balanced sampling goes on in the middle of an epoch with the same batches", "[host][data][loader]") {
    const LoaderOptions options{
        .batch_size = 5, .shuffle = true, .sampling = Sampling::balanced, .repeats = 2, .seed = 3};
    Loader whole(sample_dataset(33), options), later(sample_dataset(33), options);
    const Indices all = indices_of(epoch_of(whole, 2));
    later.start(2, 3);
    Indices rest;
    while (const std::optional<Batch> batch = later.next())
        rest.insert(rest.end(), batch->indices.begin(), batch->indices.end());
    CHECK(rest == Indices(all.begin() + 15, all.end()));
}

TEST_CASE("a loader refuses a rank that is not among the ranks", "[host][data][loader]") {
    CHECK(error_with({.rank = 2, .ranks = 2}) == "Loader: rank is 2, expected 0 to 1");
    CHECK(error_with({.rank = -1}) == "Loader: rank is -1, expected 0 to 0");
}
