// Tests of transforms: their effect on an image, how often they change it, and that random choices depend only on seed,
// epoch and sample.
#include "radial/data/images/transforms.h"

#include "../catch.h"
#include "../expect.h"
#include "radial/data/loader.h"
#include "radial/data/preprocessor.h"

#include <map>
#include <numeric>
#include <set>

using namespace radial;
using namespace radial::data;
using namespace radial::test;

namespace {

/// An image with the pixels 1, 2, 3, ... in order.
Image counting_image(std::int64_t channels, std::int64_t height, std::int64_t width) {
    Image image{channels, height, width, {}};
    image.pixels.resize(static_cast<std::size_t>(channels * height * width));
    std::iota(image.pixels.begin(), image.pixels.end(), 1.0F);
    return image;
}

/// A counting image after `transform`, with the random stream of sample `sample`.
Image after(const Transform& transform, std::int64_t sample, std::int64_t side = 6) {
    Image image = counting_image(2, side, side);
    Generator random = sample_stream(1, 0, sample);
    transform(image, random);
    return image;
}

float pixel(const Image& image, std::int64_t c, std::int64_t y, std::int64_t x) {
    return image.pixels[static_cast<std::size_t>((c * image.height + y) * image.width + x)];
}

/// The pixels of the image shifted by (down, right), with zeros in the vacated area.
std::vector<float> moved(const Image& image, std::int64_t down, std::int64_t right) {
    std::vector<float> pixels;
    for (std::int64_t c = 0; c < image.channels; ++c)
        for (std::int64_t y = 0; y < image.height; ++y)
            for (std::int64_t x = 0; x < image.width; ++x) {
                const std::int64_t from_y = y - down, from_x = x - right;
                const bool inside = from_y >= 0 && from_y < image.height && from_x >= 0 && from_x < image.width;
                pixels.push_back(inside ? pixel(image, c, from_y, from_x) : 0);
            }
    return pixels;
}

/// 40 images of 3 x 8 x 8.
ImageSet sample_dataset() {
    std::vector<std::uint8_t> bytes(40 * 3 * 64);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 37 + i / 251);
    std::vector<std::int64_t> labels(40);
    return {Tensor::from(bytes, {40, 3, 8, 8}), Tensor::from(labels, {40}), {}};
}

Transforms every_transform() {
    return {.pixels = {},
            .normalised = {random_crop(2), random_flip(), cutout(3), random_erasing({.probability = 0.5})}};
}

/// The images of an epoch, by sample.
std::map<std::int64_t, std::vector<float>> images_of(const LoaderOptions& options, std::int64_t epoch) {
    Loader loader(sample_dataset(), options);
    loader.start(epoch);
    std::map<std::int64_t, std::vector<float>> images;
    while (const std::optional<Batch> batch = loader.next()) {
        const std::vector<float> all = batch->images.to_vector<float>();
        for (std::size_t i = 0; i < batch->indices.size(); ++i)
            images[batch->indices[i]].assign(all.begin() + static_cast<std::ptrdiff_t>(192 * i),
                                             all.begin() + static_cast<std::ptrdiff_t>(192 * (i + 1)));
    }
    return images;
}

}  // namespace

TEST_CASE("a random crop moves the image by every offset that its padding allows", "[host][data][transforms]") {
    const Image image = counting_image(2, 6, 6);
    std::map<std::vector<float>, std::pair<std::int64_t, std::int64_t>> possible;
    for (std::int64_t down = -2; down <= 2; ++down)
        for (std::int64_t right = -2; right <= 2; ++right) possible[moved(image, down, right)] = {down, right};
    REQUIRE(possible.size() == 25);
    std::map<std::pair<std::int64_t, std::int64_t>, int> count;
    for (std::int64_t sample = 0; sample < 2500; ++sample) {
        const auto found = possible.find(after(random_crop(2), sample).pixels);
        REQUIRE(found != possible.end());
        ++count[found->second];
    }
    CHECK(count.size() == 25);
    // Each offset is expected about 100 times; 50 and 150 are five standard deviations away.
    for (const auto& [offset, times] : count) CHECK((times > 50 && times < 150));
}

TEST_CASE("a crop with a reflected border continues the image at its edge", "[host][data][transforms]") {
    const Image image = counting_image(2, 6, 6);
    std::set<std::vector<float>> possible, found;
    for (std::int64_t down = -2; down <= 2; ++down) {
        for (std::int64_t right = -2; right <= 2; ++right) {
            std::vector<float> pixels;
            for (std::int64_t c = 0; c < 2; ++c)
                for (std::int64_t y = 0; y < 6; ++y)
                    for (std::int64_t x = 0; x < 6; ++x) {
                        // NumPy's mode "reflect": 2 1 | 0 1 2 3 4 5 | 4 3
                        const std::array<std::int64_t, 10> row = {2, 1, 0, 1, 2, 3, 4, 5, 4, 3};
                        pixels.push_back(pixel(image, c, row[static_cast<std::size_t>(y - down + 2)],
                                               row[static_cast<std::size_t>(x - right + 2)]));
                    }
            possible.insert(pixels);
        }
    }
    for (std::int64_t sample = 0; sample < 1000; ++sample)
        found.insert(after(random_crop(2, Border::reflect), sample).pixels);
    CHECK(found == possible);
    CHECK(error_of([] { after(random_crop(6, Border::reflect), 0); }) ==
          "random_crop: an image of 6 x 6 cannot be reflected by a padding of 6");
}

TEST_CASE("an alternating flip mirrors each image in every other epoch, half of them first",
          "[host][data][transforms]") {
    const LoaderOptions plain{.batch_size = 7}, alternating{.batch_size = 7, .alternating_flip = true};
    const auto as_they_are = images_of(plain, 0), first = images_of(alternating, 0), second = images_of(alternating, 1);
    CHECK(images_of(alternating, 2) == first);
    CHECK(images_of(alternating, 3) == second);
    int flipped_first = 0;
    for (const auto& [sample, pixels] : as_they_are) {
        std::vector<float> mirrored = pixels;
        for (auto row = mirrored.begin(); row != mirrored.end(); row += 8) std::reverse(row, row + 8);
        const bool flipped = first.at(sample) == mirrored;
        CHECK(first.at(sample) == (flipped ? mirrored : pixels));
        CHECK(second.at(sample) == (flipped ? pixels : mirrored));
        flipped_first += flipped ? 1 : 0;
    }
    CHECK(flipped_first > 8);  // of 40
    CHECK(flipped_first < 32);
}

TEST_CASE("a crop without padding leaves the image alone", "[host][data][transforms]") {
    for (std::int64_t sample = 0; sample < 10; ++sample)
        CHECK(after(random_crop(0), sample).pixels == counting_image(2, 6, 6).pixels);
}

TEST_CASE("padding wider than the image may leave nothing of it", "[host][data][transforms]") {
    Image image = counting_image(1, 2, 2);
    bool emptied = false;
    for (std::int64_t sample = 0; sample < 50; ++sample) {
        Image moving = image;
        Generator random = sample_stream(1, 0, sample);
        random_crop(5)(moving, random);
        CHECK(moving.pixels.size() == 4);
        emptied = emptied || moving.pixels == std::vector<float>(4, 0.0F);
    }
    CHECK(emptied);
}

TEST_CASE("a flip mirrors every row, half of the time", "[host][data][transforms]") {
    Image mirrored = counting_image(2, 6, 6);
    for (std::int64_t c = 0; c < 2; ++c)
        for (std::int64_t y = 0; y < 6; ++y) {
            const std::span<float> row = mirrored.row(c, y);
            std::reverse(row.begin(), row.end());
        }
    int flipped = 0;
    for (std::int64_t sample = 0; sample < 1000; ++sample) {
        const Image image = after(random_flip(), sample);
        const bool flips = image.pixels == mirrored.pixels;
        CHECK((flips || image.pixels == counting_image(2, 6, 6).pixels));
        flipped += flips ? 1 : 0;
    }
    CHECK(flipped > 420);  // five standard deviations below the expected 500
    CHECK(flipped < 580);
}

TEST_CASE("a flip of probability 0 never happens, of probability 1 always", "[host][data][transforms]") {
    for (std::int64_t sample = 0; sample < 20; ++sample) {
        CHECK(pixel(after(random_flip(0), sample), 0, 0, 0) == 1);
        CHECK(pixel(after(random_flip(1), sample), 0, 0, 0) == 6);
    }
}

TEST_CASE("cutout makes one square of zeros around any pixel, cut off at the edge", "[host][data][transforms]") {
    std::set<std::int64_t> areas;
    for (std::int64_t sample = 0; sample < 500; ++sample) {
        const Image image = after(cutout(3), sample);
        std::int64_t holes = 0, top = 6, left = 6, bottom = -1, right = -1;
        for (std::int64_t y = 0; y < 6; ++y)
            for (std::int64_t x = 0; x < 6; ++x) {
                CHECK((pixel(image, 0, y, x) == 0) == (pixel(image, 1, y, x) == 0));
                if (pixel(image, 0, y, x) != 0) continue;
                ++holes;
                top = std::min(top, y), left = std::min(left, x);
                bottom = std::max(bottom, y), right = std::max(right, x);
            }
        CHECK(holes == (bottom - top + 1) * (right - left + 1));
        CHECK(bottom - top < 3);
        CHECK(right - left < 3);
        areas.insert(holes);
    }
    CHECK(areas == std::set<std::int64_t>{4, 6, 9});
}

TEST_CASE("random erasing fills a rectangle of the area asked for with noise", "[host][data][transforms]") {
    const Transform erase = random_erasing({.probability = 1, .min_area = 0.1, .max_area = 0.2});
    double sum = 0, squares = 0, count = 0;
    for (std::int64_t sample = 0; sample < 200; ++sample) {
        const Image image = after(erase, sample, 32), before = counting_image(2, 32, 32);
        double changed = 0;
        for (std::size_t i = 0; i < image.pixels.size(); ++i) {
            if (image.pixels[i] == before.pixels[i]) continue;
            const double noise = image.pixels[i];
            sum += noise, squares += noise * noise;
            ++changed;
        }
        // Half of the changed values are in the first channel. Rounding the sides changes an area by some pixels.
        CHECK(changed / 2 / 1024 > 0.08);
        CHECK(changed / 2 / 1024 < 0.22);
        count += changed;
    }
    CHECK(sum / count == Approx(0).margin(0.02));
    CHECK(squares / count == Approx(1).margin(0.03));
}

TEST_CASE("random erasing happens as often as asked for", "[host][data][transforms]") {
    int erased = 0;
    for (std::int64_t sample = 0; sample < 1000; ++sample)
        erased += after(random_erasing({.probability = 0.25}), sample, 16).pixels != counting_image(2, 16, 16).pixels;
    CHECK(erased > 180);
    CHECK(erased < 320);
}

TEST_CASE("options of transforms that make no sense are refused by value", "[host][data][transforms]") {
    CHECK(error_of([] { random_crop(-1); }) == "random_crop: padding is -1, expected at least 0");
    CHECK(error_of([] { random_flip(1.5); }) == "random_flip: probability is 1.5, expected 0 to 1");
    CHECK(error_of([] { random_flip(NAN); }) == "random_flip: probability is nan, expected 0 to 1");
    CHECK(error_of([] { cutout(0); }) == "cutout: size is 0, expected at least 1");
    CHECK(error_of([] { random_erasing({.probability = -1}); }) ==
          "random_erasing: probability is -1, expected 0 to 1");
    CHECK(error_of([] { random_erasing({.min_area = 0.5, .max_area = 0.2}); }) ==
          "random_erasing: areas are 0.5 to 0.2, expected parts of 1 in ascending order");
    CHECK(error_of([] { random_erasing({.min_aspect = 0}); }) ==
          "random_erasing: smallest aspect is 0, expected above 0 and at most 1");
}

TEST_CASE("transformed samples are the same for any number of workers, batch size and order",
          "[host][data][loader][transforms]") {
    const auto expected = images_of({.batch_size = 8, .seed = 3, .workers = 0, .transforms = every_transform()}, 2);
    CHECK(expected.size() == 40);
    for (const int workers : {1, 4}) {
        CHECK(images_of({.batch_size = 8, .seed = 3, .workers = workers, .transforms = every_transform()}, 2) ==
              expected);
        CHECK(images_of(
                  {.batch_size = 7, .shuffle = true, .seed = 3, .workers = workers, .transforms = every_transform()},
                  2) == expected);
    }
}

TEST_CASE("another epoch or seed transforms the samples otherwise", "[host][data][loader][transforms]") {
    const LoaderOptions options{.batch_size = 8, .seed = 3, .transforms = every_transform()};
    LoaderOptions other = options;
    other.seed = 4;
    const auto images = images_of(options, 0);
    for (const auto& changed : {images_of(options, 1), images_of(other, 0)}) {
        int same = 0;
        for (const auto& [sample, pixels] : images) same += changed.at(sample) == pixels ? 1 : 0;
        CHECK(same < 4);
    }
}

TEST_CASE("a sample's stream is a function of seed, epoch and sample", "[host][data][transforms]") {
    std::set<std::uint64_t> seeds;
    for (std::uint64_t seed = 0; seed < 5; ++seed)
        for (std::int64_t epoch = 0; epoch < 5; ++epoch)
            for (std::int64_t sample = 0; sample < 5; ++sample) seeds.insert(sample_stream(seed, epoch, sample).seed());
    CHECK(seeds.size() == 125);
    CHECK(sample_stream(1, 2, 3).seed() == sample_stream(1, 2, 3).seed());
}

TEST_CASE("transforms of pixels see values in [0, 1], those after normalisation see what it leaves",
          "[host][data][loader][transforms]") {
    std::vector<float> before, after_it;
    const auto watch = [](std::vector<float>& seen) {
        return [&seen](Image& image, Generator&) { seen = image.pixels; };
    };
    ImageSet set = sample_dataset().first(1);
    Loader loader(set, {.workers = 0,
                        .mean = {0.5F, 0.25F, 0.0F},
                        .std = {0.5F, 0.25F, 2.0F},
                        .transforms = {.pixels = {watch(before)}, .normalised = {watch(after_it)}}});
    loader.start(0);
    const Batch batch = *loader.next();
    const auto bytes = set.images.values<std::uint8_t>();
    for (std::size_t i = 0; i < 192; ++i) {
        const float value = static_cast<float>(bytes[i]) / 255.0F;
        CHECK(before[i] == value);
        const std::vector<float> mean{0.5F, 0.25F, 0.0F}, std{0.5F, 0.25F, 2.0F};
        CHECK(after_it[i] == (value - mean[i / 64]) / std[i / 64]);
    }
    CHECK(differences(batch.images.to_vector<float>(), after_it) == "");
}

TEST_CASE("a batch takes the size that transforms leave, which must be one size", "[host][data][loader][transforms]") {
    const Transform halve = [](Image& image, Generator&) {
        image = {image.channels, 4, 4, std::vector<float>(static_cast<std::size_t>(image.channels * 16))};
    };
    Loader loader(sample_dataset(), {.batch_size = 8, .transforms = {.pixels = {halve}, .normalised = {}}});
    loader.start(0);
    CHECK(loader.next()->images.str() == "float32[8, 3, 4, 4]");

    const Transform sometimes = [halve](Image& image, Generator& random) {
        if (image.pixels.front() > 0) halve(image, random);
    };
    Loader ragged(sample_dataset(), {.batch_size = 8, .transforms = {.pixels = {sometimes}, .normalised = {}}});
    ragged.start(0);
    CHECK(error_of([&] { ragged.next(); }) ==
          "Loader: sample 1 is 4x4 pixels after its transforms, others of the batch are 8x8");
}
