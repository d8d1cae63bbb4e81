// Views of whole tensors.
#include "radial/data/resize.h"

#include "radial/data/resample.h"
#include "radial/data/view.h"

#include <algorithm>

namespace radial::data {
namespace {

/// The part of `image` that `view` asks for, [rows, columns, C].
Tensor resize_part(const Tensor& image, const View& view) {
    const std::int64_t W = image.size(1), C = image.size(2);
    Resampler resampler;
    resampler.plan({.length = static_cast<double>(view.box.height),
                    .limit = view.box.height,
                    .to = view.height,
                    .wanted = {view.kept.top, view.kept.top + view.kept.height}},
                   {.length = static_cast<double>(view.box.width),
                    .limit = view.box.width,
                    .to = view.width,
                    .wanted = {view.kept.left, view.kept.left + view.kept.width}});
    const std::int64_t top = view.box.top + resampler.rows().begin, left = view.box.left + resampler.columns().begin;
    const Tensor result = Tensor::empty({view.kept.height, view.kept.width, C}, DType::uint8, Device{});
    resampler.run(image.data<std::uint8_t>() + (top * W + left) * C, W * C, C, result.data<std::uint8_t>());
    return result;
}

void check_image(const char* who, const Tensor& image) {
    RADIAL_CHECK(image.defined() && image.dtype() == DType::uint8 && image.rank() == 3 && image.numel() > 0 &&
                     (image.size(2) == 1 || image.size(2) == 3),
                 "{}: image {}, expected uint8 [H, W, 1] or [H, W, 3] with at least one pixel", who,
                 image.defined() ? "is " + image.str() : "is undefined");
}

}  // namespace

Tensor resize_bilinear(const Tensor& image, std::int64_t height, std::int64_t width) {
    check_image("resize_bilinear", image);
    RADIAL_CHECK(height >= 1 && width >= 1, "resize_bilinear: to {} x {}, expected at least 1 x 1", height, width);
    return resize_part(image, {{0, 0, image.size(0), image.size(1)}, height, width, {0, 0, height, width}});
}

Tensor resize_shorter_side(const Tensor& image, std::int64_t side) {
    check_image("resize_shorter_side", image);
    RADIAL_CHECK(side >= 1, "resize_shorter_side: to {} pixels, expected at least 1", side);
    const View view = evaluation_view(image.size(0), image.size(1), {.resize = side, .crop = 1});
    return resize_bilinear(image, view.height, view.width);
}

Tensor center_crop(const Tensor& image, std::int64_t height, std::int64_t width) {
    check_image("center_crop", image);
    RADIAL_CHECK(height >= 1 && width >= 1 && height <= image.size(0) && width <= image.size(1),
                 "center_crop: {} x {} of an image of {} x {}", height, width, image.size(0), image.size(1));
    const std::int64_t C = image.size(2);
    const std::int64_t top = middle(image.size(0), height), left = middle(image.size(1), width);
    const Tensor result = Tensor::empty({height, width, C}, DType::uint8, Device{});
    std::uint8_t* to = result.data<std::uint8_t>();
    for (std::int64_t y = top; y < top + height; ++y)
        to = std::copy_n(image.data<std::uint8_t>() + (y * image.size(1) + left) * C, width * C, to);
    return result;
}

Tensor evaluation_view(const Tensor& image, std::int64_t side, std::int64_t crop) {
    check_image("evaluation_view", image);
    const Tensor view =
        resize_part(image, evaluation_view(image.size(0), image.size(1), {.resize = side, .crop = crop}));
    const std::int64_t C = view.size(2), pixels = crop * crop;
    const Tensor planes = Tensor::empty({C, crop, crop}, DType::uint8, Device{});
    const std::uint8_t* const from = view.data<std::uint8_t>();
    std::uint8_t* to = planes.data<std::uint8_t>();
    for (std::int64_t c = 0; c < C; ++c)
        for (std::int64_t i = 0; i < pixels; ++i) *to++ = from[i * C + c];
    return planes;
}

}  // namespace radial::data
