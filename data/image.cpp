// Reading a picture: which format it is, and what follows its decoding.
#include "radial/data/image.h"

#include "radial/core/io/files.h"
#include "radial/data/decoded.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

namespace radial::data {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::uint8_t, 3> jpeg_magic = {0xFF, 0xD8, 0xFF};
constexpr std::array<std::uint8_t, 8> png_magic = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

template <std::size_t N>
bool begins_with(std::span<const std::uint8_t> content, const std::array<std::uint8_t, N>& magic) {
    return content.size() >= N && std::equal(magic.begin(), magic.end(), content.begin());
}

/// Grey to RGB or back.
Tensor with_channels(const Tensor& pixels, std::int64_t channels) {
    if (pixels.size(2) == channels) return pixels;
    const Tensor result = Tensor::empty({pixels.size(0), pixels.size(1), channels}, DType::uint8, Device{});
    const std::int64_t count = pixels.size(0) * pixels.size(1);
    const std::uint8_t* from = pixels.data<std::uint8_t>();
    std::uint8_t* to = result.data<std::uint8_t>();
    if (channels == 3) {
        for (std::int64_t i = 0; i < count; ++i, to += 3) std::fill_n(to, 3, from[i]);
    } else {
        // 0.299, 0.587 and 0.114 in 16 bits, rounded.
        for (std::int64_t i = 0; i < count; ++i, from += 3)
            to[i] = static_cast<std::uint8_t>((from[0] * 19595U + from[1] * 38470U + from[2] * 7471U + 32768U) >> 16U);
    }
    return result;
}

}  // namespace

void check_size(std::string_view name, std::int64_t width, std::int64_t height, const ImageOptions& options) {
    if (width < 1 || height < 1) throw FileError(fmt::format("{}: {} x {} pixels", name, width, height));
    if (width > options.max_pixels / height) {
        throw FileError(
            fmt::format("{}: {} x {} pixels, at most {} are taken", name, width, height, options.max_pixels));
    }
    if (std::max(width, height) > options.max_side) {
        throw FileError(
            fmt::format("{}: {} x {} pixels, at most {} are taken on a side", name, width, height, options.max_side));
    }
}

bool is_jpeg(std::span<const std::uint8_t> content) { return begins_with(content, jpeg_magic); }
bool is_png(std::span<const std::uint8_t> content) { return begins_with(content, png_magic); }

Tensor decode_image(std::span<const std::uint8_t> content, std::string_view name, const ImageOptions& options) {
    RADIAL_CHECK(options.channels == 1 || options.channels == 3, "read_image: {} channels, expected 1 or 3",
                 options.channels);
    if (content.empty()) throw FileError(fmt::format("{}: empty file, expected a JPEG or PNG image", name));
    Decoded decoded;
    if (is_jpeg(content)) {
        decoded = decode_jpeg(content, name, options);
    } else if (is_png(content)) {
        decoded = decode_png(content, name, options);
    } else {
        const auto first = content.first(std::min<std::size_t>(content.size(), 4));
        throw FileError(fmt::format("{}: neither a JPEG nor a PNG image: it begins with {:02x}", name,
                                    fmt::join(first.begin(), first.end(), " ")));
    }
    return upright(with_channels(decoded.pixels, options.channels), decoded.orientation);
}

void read_bytes(const fs::path& path, std::vector<std::uint8_t>& content) {
    check_regular_file(path);
    std::error_code error;
    const auto close = [](std::FILE* file) { std::fclose(file); };
    const std::unique_ptr<std::FILE, decltype(close)> file(std::fopen(path.c_str(), "rb"), close);
    if (file == nullptr) throw FileError(fmt::format("{}: cannot open: {}", path.string(), std::strerror(errno)));
    content.resize(fs::file_size(path, error));
    content.resize(std::fread(content.data(), 1, content.size(), file.get()));
    if (std::ferror(file.get()) != 0)
        throw FileError(fmt::format("{}: cannot read: {}", path.string(), std::strerror(errno)));
}

Tensor read_image(const fs::path& path, const ImageOptions& options) {
    std::vector<std::uint8_t> content;
    read_bytes(path, content);
    return decode_image(content, path.string(), options);
}

}  // namespace radial::data
