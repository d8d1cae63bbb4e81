// Tests of reading images: the errors for files that are not images, and decoding at a reduced size.
#include "radial/data/images/image.h"

#include "../catch.h"
#include "../expect.h"
#include "../folders.h"
#include "radial/core/io/safetensors.h"
#include "radial/data/images/view.h"
#include "scratch.h"

using namespace radial;
using namespace radial::data;
using namespace radial::test;
namespace fs = std::filesystem;
using namespace std::string_literals;

namespace {

/// The bytes of a file in tests/golden/images.safetensors.
std::string recorded(const std::string& name) {
    static const TensorFile file = read_safetensors(test_folder() + "/golden/images.safetensors");
    const auto bytes = file.at("file/" + name).values<std::uint8_t>();
    return {bytes.begin(), bytes.end()};
}

/// The error message of read_image for a file with these bytes, without the path and ": ".
std::string complaint(const std::string& bytes, const ImageOptions& options = {}) {
    const Scratch scratch;
    const fs::path path = scratch.write("file.jpg", bytes);
    const std::string message = error_of<FileError>([&] { read_image(path, options); });
    const std::string prefix = path.string() + ": ";
    return message.starts_with(prefix) ? message.substr(prefix.size()) : "(no file name) " + message;
}

/// `bytes` with the bytes from position `at` on overwritten by `replacement`.
std::string patched(std::string bytes, std::size_t at, const std::string& replacement) {
    return bytes.replace(at, replacement.size(), replacement);
}

/// A grey progressive JPEG of 8 x 8 pixels with the given number of scans: the first contains the mean, all others
/// contain the same remaining coefficients.
std::string progressive(int scans) {
    const auto segment = [](char marker, const std::string& data) {
        const std::size_t length = data.size() + 2;
        return "\xff"s + marker + static_cast<char>(length >> 8U) + static_cast<char>(length & 0xFFU) + data;
    };
    const std::string one_code = "\1"s + std::string(15, '\0');
    std::string bytes = "\xff\xd8"s + segment('\xdb', "\0"s + std::string(64, '\1'));
    bytes += segment('\xc2', "\x08\0\x08\0\x08\1\1\x11\0"s);
    bytes += segment('\xc4', "\0"s + one_code + "\0"s) + segment('\xc4', "\x10"s + one_code + "\xe0"s);
    bytes += segment('\xda', "\1\1\0\0\0\0"s) + "\x7f";
    for (int i = 1; i < scans; ++i) bytes += segment('\xda', "\1\1\0\1\x3f\0"s) + "\0\1"s;
    return bytes + "\xff\xd9";
}

}  // namespace

TEST_CASE("an image is known by its content, not its name", "[host][data][image]") {
    const Scratch scratch;
    CHECK(read_image(scratch.write("a.png", recorded("rgb.jpg"))).str() == "uint8[19, 26, 3]");
    CHECK(read_image(scratch.write("b.jpg", recorded("grey.png")), {.channels = 1}).str() == "uint8[13, 10, 1]");
}

TEST_CASE("a file that is no image is named with what is wrong", "[host][data][image]") {
    CHECK(complaint("") == "empty file, expected a JPEG or PNG image");
    CHECK(complaint("GIF89a") == "neither a JPEG nor a PNG image: it begins with 47 49 46 38");
    CHECK(complaint("\x89P") == "neither a JPEG nor a PNG image: it begins with 89 50");
    const Scratch scratch;
    const fs::path nowhere = scratch.path() / "nowhere.jpg";
    CHECK(error_of<FileError>([&] { read_image(nowhere); }) == nowhere.string() + ": no such file");
    CHECK(error_of<FileError>([&] { read_image(scratch.path()); }) == scratch.path().string() + ": not a regular file");
}

TEST_CASE("an image that ends early is an error wherever it ends", "[host][data][image]") {
    for (const std::string name : {"rgb.jpg", "progressive.jpg", "cmyk.jpg", "rgb.png", "interlaced.png"}) {
        const std::string whole = recorded(name);
        const std::string format = name.ends_with(".png") ? "PNG" : "JPEG";
        for (std::size_t length = 8; length + 1 < whole.size(); length += 7) {
            INFO(name << " of " << length << " bytes");
            CHECK(complaint(whole.substr(0, length)) == "truncated " + format + " image");
        }
    }
}

TEST_CASE("an image with damaged data is an error that says what the decoder found", "[host][data][image]") {
    const std::string png = recorded("rgb.png");
    CHECK(complaint(patched(png, png.find("IDAT") + 20, "\x55\x55\x55")) ==
          "corrupt PNG image: IDAT: invalid literal/lengths set");
    CHECK(complaint(patched(png, 24, "\x05")) == "corrupt PNG image: IHDR: CRC error");
    const std::string jpeg = recorded("rgb.jpg");
    CHECK(complaint(patched(jpeg, jpeg.size() - 60, "\xff\xd9")) ==
          "corrupt JPEG image: Corrupt JPEG data: premature end of data segment");
    CHECK(complaint("\xff\xd8\xff\xd9"s) == "corrupt JPEG image: JPEG datastream contains no image");
}

TEST_CASE("no flipped byte does more than give an error or other pixels", "[host][data][image]") {
    for (const std::string name : {"rgb.jpg", "progressive.jpg", "ycck.jpg", "orientation6.jpg", "palette.png",
                                   "rgb16.png", "orientation6.png"}) {
        const std::string whole = recorded(name);
        for (std::size_t at = 0; at < whole.size(); ++at) {
            INFO(name << ", byte " << at);
            const std::string bytes = patched(whole, at, std::string(1, static_cast<char>(~whole[at])));
            const std::span<const std::uint8_t> content(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                        bytes.size());
            std::string outcome = name + ": ";
            try {
                if (decode_image(content, name, {.max_pixels = 100000}).numel() == 0) outcome = "no pixels";
            } catch (const FileError& error) {
                outcome = error.what();
            }
            CHECK(outcome.starts_with(name + ": "));
        }
    }
}

TEST_CASE("an image of too many pixels is refused before it is decoded", "[host][data][image]") {
    CHECK(complaint(recorded("rgb.jpg"), {.max_pixels = 493}) == "26 x 19 pixels, at most 493 are taken");
    CHECK(complaint(recorded("rgb.png"), {.max_pixels = 129}) == "10 x 13 pixels, at most 129 are taken");
    // A header with 2^31 - 1 pixels per side. Its checksum is correct, so that only the size is wrong.
    std::string huge = patched(recorded("rgb.png"), 16, "\x7f\xff\xff\xff\x7f\xff\xff\xff");
    CHECK(complaint(patched(huge, 29, "\x9b\xab\x9c\x31")) ==
          "2147483647 x 2147483647 pixels, at most 178956970 are taken");
}

TEST_CASE("an image of too long a side is refused before it is decoded", "[host][data][image]") {
    CHECK(complaint(recorded("rgb.jpg"), {.max_side = 25}) == "26 x 19 pixels, at most 25 are taken on a side");
    CHECK(complaint(recorded("rgb.png"), {.max_side = 12}) == "10 x 13 pixels, at most 12 are taken on a side");
    // 1 x 100,000,000 pixels with the correct checksum: the number of pixels is allowed, the number of rows is not.
    CHECK(complaint(patched(patched(recorded("rgb.png"), 16, "\0\0\0\1\5\xf5\xe1\0"s), 29, "\x03\xe0\x72\xb9")) ==
          "1 x 100000000 pixels, at most 1000000 are taken on a side");
}

TEST_CASE("a progressive JPEG of 100 scans is decoded, one of more refused", "[host][data][image]") {
    const std::string whole = progressive(100);
    const std::span<const std::uint8_t> content(reinterpret_cast<const std::uint8_t*>(whole.data()), whole.size());
    CHECK(decode_image(content, "x").str() == "uint8[8, 8, 3]");
    CHECK(complaint(progressive(101)) == "JPEG image of more than 100 scans");
    CHECK(complaint(progressive(2000)) == "JPEG image of more than 100 scans");
}

TEST_CASE("a JPEG is decoded no smaller than the shorter side asked for", "[host][data][image]") {
    const std::string bytes = recorded("rgb.jpg");
    const std::span<const std::uint8_t> content(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    const auto decoded = [&](std::int64_t side) { return decode_image(content, "x", {.shorter_side = side}); };
    CHECK(decoded(10).str() == "uint8[19, 26, 3]");
    CHECK(decoded(9).str() == "uint8[10, 13, 3]");
    CHECK(decoded(4).str() == "uint8[5, 7, 3]");
    CHECK(decoded(1).str() == "uint8[3, 4, 3]");
    // Decoding at a reduced size keeps the mean colour.
    const auto mean = [](const Tensor& image) {
        double sum = 0;
        for (const double value : image.to_vector<double>()) sum += value;
        return sum / static_cast<double>(image.numel());
    };
    CHECK(mean(decoded(9)) == Approx(mean(decoded(0))).margin(4));
}

TEST_CASE("pictures have one or three channels", "[host][data][image]") {
    const Scratch scratch;
    const fs::path path = scratch.write("x.png", recorded("rgb.png"));
    CHECK(error_of([&] { read_image(path, {.channels = 4}); }) == "read_image: 4 channels, expected 1 or 3");
}

TEST_CASE("the middle is cut out with an odd remainder split half to even", "[host][data][resize]") {
    const Tensor image = Tensor::from(std::vector<std::uint8_t>{0, 1, 2, 3, 4, 5, 6, 7}, {1, 8, 1}, Device{});
    const auto middle = [&](std::int64_t width) { return center_crop(image, 1, width).to_vector<int>(); };
    CHECK(middle(8) == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7});
    CHECK(middle(4) == std::vector<int>{2, 3, 4, 5});
    CHECK(middle(5) == std::vector<int>{2, 3, 4, 5, 6});  // 1.5 is rounded to 2
    CHECK(middle(3) == std::vector<int>{2, 3, 4});        // 2.5 is rounded to 2, too
}

TEST_CASE("resizing says what it cannot resize", "[host][data][resize]") {
    const Tensor image = Tensor::zeros({2, 3, 3}, DType::uint8, Device{});
    CHECK(error_of([&] { resize_bilinear(image, 0, 4); }) == "resize_bilinear: to 0 x 4, expected at least 1 x 1");
    CHECK(error_of([&] {
              resize_bilinear(Tensor::zeros({2, 3, 3}), 4, 4);
          }) ==
          "resize_bilinear: image is float32[2, 3, 3], expected uint8 [H, W, 1] or [H, W, 3] with at least one pixel");
    CHECK(error_of([&] { resize_shorter_side({}, 4); }) ==
          "resize_shorter_side: image is undefined, expected uint8 [H, W, 1] or [H, W, 3] with at least one pixel");
    CHECK(error_of([&] { resize_shorter_side(image, 0); }) == "resize_shorter_side: to 0 pixels, expected at least 1");
    CHECK(error_of([&] { center_crop(image, 3, 3); }) == "center_crop: 3 x 3 of an image of 2 x 3");
    CHECK(error_of([&] { evaluation_view(image, 8, 9); }) ==
          "evaluation_view: cuts 9 x 9 pixels, expected 1 to 8, the shorter side");
}
