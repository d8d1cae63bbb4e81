// Encoding by libpng's simplified interface, and base64 by libcrypto.
#include "radial/apps/train/events/png_writer.h"

#include "radial/core/util/error.h"
#include "radial/data/images/view.h"

#include <openssl/evp.h>
#include <png.h>

#include <algorithm>

namespace radial::train {
namespace {

/// [C, H, W] to [H, W, C].
Tensor interleaved(const Tensor& planes) {
    const std::int64_t channels = planes.size(0), pixels = planes.size(1) * planes.size(2);
    const Tensor result = Tensor::empty({planes.size(1), planes.size(2), channels}, DType::uint8, Device{});
    const std::uint8_t* const from = planes.data<std::uint8_t>();
    std::uint8_t* const to = result.data<std::uint8_t>();
    for (std::int64_t c = 0; c < channels; ++c)
        for (std::int64_t i = 0; i < pixels; ++i) to[i * channels + c] = from[c * pixels + i];
    return result;
}

}  // namespace

PngPicture png_of(const Tensor& planes, std::int64_t shorter_side) {
    RADIAL_CHECK(planes.rank() == 3 && (planes.size(0) == 1 || planes.size(0) == 3) && planes.numel() > 0 &&
                     planes.dtype() == DType::uint8,
                 "png_of: {} {}, expected uint8 [1 or 3, H, W]", name_of(planes.dtype()), planes.shape().str());
    Tensor pixels = interleaved(planes);
    if (std::min(pixels.size(0), pixels.size(1)) > shorter_side)
        pixels = data::resize_shorter_side(pixels, shorter_side);
    PngPicture picture{.file = {}, .width = pixels.size(1), .height = pixels.size(0), .channels = pixels.size(2)};
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = static_cast<png_uint_32>(picture.width);
    image.height = static_cast<png_uint_32>(picture.height);
    image.format = picture.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
    picture.file.resize(size);
    const int written =
        png_image_write_to_memory(&image, picture.file.data(), &size, 0, pixels.data<std::uint8_t>(), 0, nullptr);
    RADIAL_CHECK(written != 0, "png_of: {}", static_cast<const char*>(image.message));
    picture.file.resize(size);
    return picture;
}

std::string data_uri(std::string_view png) {
    constexpr std::string_view head = "data:image/png;base64,";
    std::string uri(head.size() + (png.size() + 2) / 3 * 4 + 1, '\0');  // and the 0 that libcrypto puts behind it
    head.copy(uri.data(), head.size());
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(uri.data() + head.size()),
                    reinterpret_cast<const unsigned char*>(png.data()), static_cast<int>(png.size()));
    uri.pop_back();
    return uri;
}

}  // namespace radial::train
