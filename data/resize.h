// Resizing of images, and cropping of their centre.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>

namespace radial::data {

/// Resizes uint8 [H, W, C] on the CPU to [height, width, C] by the triangle ("bilinear") filter, which is widened by
/// the ratio of sizes when the image gets smaller, so that every pixel counts. Gives the same bytes as resize(BILINEAR)
/// of Pillow 13, which resizes rows before columns when a tall image is reduced (resample.h); older versions differ
/// there by 1 in some bytes. Throws Error when the image is not uint8 [H, W, C] with at least one pixel, or a size is
/// below 1.
Tensor resize_bilinear(const Tensor& image, std::int64_t height, std::int64_t width);

/// Resizes so that the shorter side has `side` pixels and the longer one side * longer / shorter, rounded down.
/// Throws as resize_bilinear().
Tensor resize_shorter_side(const Tensor& image, std::int64_t side);

/// The centre [height, width, C] of uint8 [H, W, C]. Half of an odd remainder is rounded half to even, as in Python.
/// Throws Error when the image is smaller.
Tensor center_crop(const Tensor& image, std::int64_t height, std::int64_t width);

/// The view on which networks are evaluated: center_crop(resize_shorter_side(image, side), crop, crop) without
/// computing what is cropped, in planes: uint8 [C, crop, crop]. Throws as these functions do, and Error when crop is
/// above side.
Tensor evaluation_view(const Tensor& image, std::int64_t side, std::int64_t crop);

}  // namespace radial::data
