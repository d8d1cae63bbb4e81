// Tests of views of images: their regions, and decoding a part of a file, which gives the same pixels as decoding the
// whole file.
#include "radial/data/images/view.h"

#include "../catch.h"
#include "../expect.h"
#include "pictures.h"
#include "radial/data/image_folder.h"
#include "radial/data/images/image.h"

#include <cmath>
#include <cstdlib>
#include <iostream>

using namespace radial;
using namespace radial::data;
using namespace radial::test;
namespace fs = std::filesystem;

namespace {

/// The bytes of planes [3, H, W], rearranged to [H, W, 3].
std::vector<int> side_by_side(const Tensor& planes) {
    const std::vector<int> from = planes.to_vector<int>();
    const std::size_t pixels = from.size() / 3;
    std::vector<int> to;
    for (std::size_t i = 0; i < pixels; ++i)
        for (std::size_t c = 0; c < 3; ++c) to.push_back(from[c * pixels + i]);
    return to;
}

/// Cuts a rectangle out of an image [H, W, C] and resizes it, which is the definition of a view.
std::vector<int> view_of_whole(const Tensor& image, const Region& region, std::int64_t height, std::int64_t width) {
    const std::vector<std::uint8_t> pixels = image.to_vector<std::uint8_t>();
    std::vector<std::uint8_t> part;
    for (std::int64_t y = region.top; y < region.top + region.height; ++y) {
        const auto row = pixels.begin() + (y * image.size(1) + region.left) * image.size(2);
        part.insert(part.end(), row, row + region.width * image.size(2));
    }
    return resize_bilinear(Tensor::from(part, {region.height, region.width, image.size(2)}, Device{}), height, width)
        .to_vector<int>();
}

struct Difference {
    double mean = 0;
    int worst = 0;
};

Difference difference(std::span<const std::uint8_t> a, const std::vector<int>& b) {
    REQUIRE(a.size() == b.size());
    Difference found;
    for (std::size_t i = 0; i < b.size(); ++i) {
        const int distance = std::abs(a[i] - b[i]);
        found.mean += distance / static_cast<double>(b.size());
        found.worst = std::max(found.worst, distance);
    }
    return found;
}

/// For random regions of an image, compares the pixels of the region decoded from the file with those of
/// view_of_whole() on the whole image.
void compare_parts(const std::string& bytes, const std::string& name, int regions, Generator& random) {
    const std::span content(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    const Tensor whole = decode_image(content, name);
    ViewReader reader;
    for (int i = 0; i < regions; ++i) {
        Region region;
        const auto seen = reader.decode(content, name, [&](std::int64_t height, std::int64_t width) {
            region = random_region(height, width, {.min_area = 0.01}, random);
            return resized(region, 31, 29);
        });
        INFO(name << ": " << region.top << " " << region.left << " " << region.height << " " << region.width);
        CHECK(difference(seen, view_of_whole(whole, region, 31, 29)).worst == 0);
    }
}

}  // namespace

TEST_CASE("a random region lies within the picture and has an area and shape that are allowed", "[host][data][view]") {
    Generator random(3);
    double area = 0;
    constexpr int draws = 2000;
    for (int i = 0; i < draws; ++i) {
        const Region region = random_region(300, 400, {}, random);
        CHECK((region.top >= 0 && region.left >= 0 && region.height >= 1 && region.width >= 1));
        CHECK((region.top + region.height <= 300 && region.left + region.width <= 400));
        const double part = static_cast<double>(region.height * region.width) / (300 * 400);
        const double aspect = static_cast<double>(region.width) / static_cast<double>(region.height);
        CHECK((part > 0.079 && part <= 1));
        CHECK((aspect > 0.74 && aspect < 1.35));
        area += part / draws;
    }
    CHECK(area == Approx(0.4366).margin(0.015));  // the mean of torchvision's RandomResizedCrop over 5,000 draws
}

TEST_CASE("where no random region fits, it is the middle with the nearest shape", "[host][data][view]") {
    Generator random(1);
    CHECK(random_region(10, 1000, {}, random) == Region{0, 493, 10, 13});
    CHECK(random_region(1000, 10, {}, random) == Region{493, 0, 13, 10});
    CHECK(random_region(1, 1, {}, random) == Region{0, 0, 1, 1});
}

TEST_CASE("regions and views that make no sense are refused", "[host][data][view]") {
    CHECK(error_of([] { check(RandomRegionOptions{.min_area = 0}); }) ==
          "random_region: areas are 0 to 1, expected parts of 1 in ascending order");
    CHECK(error_of([] { check(RandomRegionOptions{.min_aspect = 2, .max_aspect = 1}); }) ==
          "random_region: aspects are 2 to 1, expected above 0 in ascending order");
    CHECK(error_of([] { evaluation_view(10, 10, {.resize = 8, .crop = 9}); }) ==
          "evaluation_view: cuts 9 x 9 pixels, expected 1 to 8, the shorter side");
}

TEST_CASE("the view for evaluation of a file is Pillow's", "[host][golden][view]") {
    const std::vector<std::string> names = recorded_files();
    REQUIRE(names.size() == 8);
    ViewReader reader;
    for (const std::string& name : names) {
        INFO(name);
        const auto content = recorded_views().at("file/" + name).values<std::uint8_t>();
        const auto seen = reader.decode(content, name, [](std::int64_t height, std::int64_t width) {
            return evaluation_view(height, width, {.resize = 48, .crop = 40});
        });
        // The result of the cosine transform depends on the version of libjpeg.
        const Difference found = difference(seen, side_by_side(recorded_views().at("view/" + name)));
        CHECK(found.mean <= 1);
        CHECK(found.worst <= 2);
    }
}

TEST_CASE("a region of a file, resized, is what Pillow cuts and resizes", "[host][golden][view]") {
    ViewReader reader;
    for (const std::string& name : recorded_files()) {
        INFO(name);
        const auto content = recorded_views().at("file/" + name).values<std::uint8_t>();
        const auto seen = reader.decode(content, name, [](std::int64_t, std::int64_t) {
            return resized({.top = 17, .left = 41, .height = 63, .width = 70}, 28, 28);
        });
        CHECK(difference(seen, side_by_side(recorded_views().at("part/" + name))).worst <= 2);
    }
}

TEST_CASE("a part of a JPEG has the pixels of the whole, wherever it lies", "[host][data][view]") {
    Generator random(8);
    for (const std::string& name : recorded_files()) compare_parts(recorded_bytes(name), name, 60, random);
}

TEST_CASE("a part of a real photograph has the pixels of the whole", "[host][data][view][real]") {
    const char* const data = std::getenv("RADIAL_DATA");
    if (data == nullptr || !fs::is_directory(fs::path(data) / "imagenet-mini/val")) {
        std::cout << "no imagenet-mini in RADIAL_DATA: test on parts of real photographs skipped\n";
        return;
    }
    Generator random(9);
    const std::vector<fs::path> files = find_images(fs::path(data) / "imagenet-mini/val").files;
    for (std::size_t i = 0; i < files.size(); i += 20)
        compare_parts(content_of(files[i]), files[i].string(), 5, random);
}

TEST_CASE("scaled decoding stays near the whole where it serves, and is off elsewhere", "[host][data][view]") {
    ViewReader scaled(true), exact;
    for (const std::string& name : recorded_files()) {
        INFO(name);
        const auto content = recorded_views().at("file/" + name).values<std::uint8_t>();
        const auto compare = [&](std::int64_t size) {
            const auto choose = [&](std::int64_t, std::int64_t) {
                return resized({.top = 5, .left = 3, .height = 90, .width = 100}, size, size);
            };
            const auto expected = exact.decode(content, name, choose);
            return difference(scaled.decode(content, name, choose), {expected.begin(), expected.end()});
        };
        for (const std::int64_t size : {10, 20, 40}) {
            const Difference found = compare(size);
            CHECK((found.mean > 0) == (name != "422.jpg"));  // not scaled, because its colours would lose detail
            CHECK(found.mean < 5);  // not small, because stripes of 30 pixels shrink to about a tenth
        }
        CHECK(compare(46).worst == 0);  // not scaled, because half of 90 rows would be too few
    }
}

TEST_CASE("a truncated file is found out even when its region is whole", "[host][data][view]") {
    ViewReader reader;
    for (const std::string& name : recorded_files()) {
        const std::string bytes = recorded_bytes(name);
        const std::span content(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size() * 3 / 4);
        CHECK(error_of<FileError>([&] {
                  reader.decode(content, name, [](std::int64_t, std::int64_t) {
                      return resized({.top = 0, .left = 0, .height = 16, .width = 16}, 8, 8);
                  });
              }) == name + ": truncated JPEG image");
    }
}

TEST_CASE("a view of planes in memory is that of the same picture", "[host][data][view]") {
    Generator random(4);
    const Tensor image = read_image(PictureSet().file(0));
    std::vector<std::uint8_t> planes;
    const auto pixels = image.values<std::uint8_t>();
    for (std::size_t c = 0; c < 3; ++c)
        for (std::size_t i = c; i < pixels.size(); i += 3) planes.push_back(pixels[i]);
    ViewReader reader;
    const auto seen = reader.resize(planes.data(), 3, image.size(0), image.size(1), [](std::int64_t, std::int64_t) {
        return resized({.top = 3, .left = 5, .height = 40, .width = 60}, 32, 24);
    });
    CHECK(difference(seen, view_of_whole(image, {3, 5, 40, 60}, 32, 24)).worst == 0);
}
