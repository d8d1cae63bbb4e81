// Compares decoded, resized and cropped images with the results of Pillow and torchvision for the same bytes.
#include "../expect.h"
#include "../folders.h"
#include "radial/core/io/safetensors.h"
#include "radial/data/images/image.h"
#include "radial/data/images/view.h"

#include <cstdlib>

using namespace radial;
using namespace radial::data;
using namespace radial::test;

namespace {

const TensorFile& recorded() {
    static const TensorFile file = read_safetensors(test_folder() + "/golden/images.safetensors");
    return file;
}

/// The recorded tensors whose names begin with `prefix`, with the prefix removed from the names.
std::vector<NamedTensor> recorded(const std::string& prefix) {
    std::vector<NamedTensor> found;
    for (const auto& [name, tensor] : recorded().tensors)
        if (name.starts_with(prefix)) found.push_back({name.substr(prefix.size()), tensor});
    return found;
}

/// The largest difference between two images of bytes; 256 if their shapes differ.
int largest_difference(const Tensor& a, const Tensor& b) {
    if (a.str() != b.str()) return 256;
    const auto x = a.to_vector<int>(), y = b.to_vector<int>();
    int largest = 0;
    for (std::size_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::abs(x[i] - y[i]));
    return largest;
}

void check_files(const std::string& kind, std::int64_t channels) {
    const auto files = recorded("file/");
    REQUIRE(files.size() == 30);
    for (const auto& [name, content] : files) {
        INFO(name);
        const Tensor pixels = decode_image(content.values<std::uint8_t>(), name, {.channels = channels});
        // The result of the cosine transform depends on the version of libjpeg; PNG is exact.
        CHECK(largest_difference(pixels, recorded().at(fmt::format("{}/{}", kind, name))) <=
              (name.ends_with(".png") ? 0 : 2));
    }
}

/// Converts "24x20" to two numbers.
std::pair<std::int64_t, std::int64_t> two_numbers(const std::string& text) {
    return {std::stol(text), std::stol(text.substr(text.find('x') + 1))};
}

void check_resizes(const std::string& kind) {
    const auto cases = recorded(kind + "resize/");
    REQUIRE(cases.size() == 7);
    for (const auto& [size, expected] : cases) {
        INFO(size);
        const auto [height, width] = two_numbers(size);
        CHECK(largest_difference(resize_bilinear(recorded().at(kind + "source"), height, width), expected) == 0);
    }
}

/// Checks all recorded views of this kind; returns their number.
std::size_t check_views(const std::string& kind) {
    const auto cases = recorded(kind + "view/");
    for (const auto& [size, expected] : cases) {
        INFO(kind << size);
        const auto [side, crop] = two_numbers(size);
        CHECK(largest_difference(evaluation_view(recorded().at(kind + "source"), side, crop), expected) == 0);
    }
    return cases.size();
}

}  // namespace

TEST_CASE("JPEG and PNG files of every kind have the colours that Pillow sees", "[host][golden][image]") {
    check_files("rgb", 3);
}

TEST_CASE("JPEG and PNG files of every kind have the greys that Pillow sees", "[host][golden][image]") {
    check_files("grey", 1);
}

TEST_CASE("resizing gives Pillow's bytes", "[host][golden][resize]") { check_resizes(""); }

TEST_CASE("resizing a tall picture gives Pillow's bytes, rows before columns where Pillow takes them first",
          "[host][golden][resize]") {
    check_resizes("tall_");
}

TEST_CASE("the view for evaluation is torchvision's Resize and CenterCrop", "[host][golden][resize]") {
    CHECK(check_views("") == 5);
    CHECK(check_views("tall_") == 2);
}
