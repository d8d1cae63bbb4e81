// Making pictures smaller or larger, and cutting out their middle.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>

namespace radial::data {

/// Resizes uint8 [H, W, C] on the CPU to [height, width, C] by the triangle ("bilinear") filter, which is widened by
/// the ratio where the image gets smaller, so that every pixel counts: the same bytes as resize(BILINEAR) of Pillow 13,
/// which takes rows before columns where a tall image is reduced (resample.h); older ones differ there by 1 in some
/// bytes. Throws Error when the image is
/// not uint8 [H, W, C] with a pixel, or a size is below 1.
Tensor resize_bilinear(const Tensor& image, std::int64_t height, std::int64_t width);

/// Resizes so that the shorter side has `side` pixels and the longer one side * longer / shorter, rounded down.
/// Throws as resize_bilinear().
Tensor resize_shorter_side(const Tensor& image, std::int64_t side);

/// The middle [height, width, C] of uint8 [H, W, C]; an odd remainder is split half to even, as Python rounds.
/// Throws Error when the image is smaller.
Tensor center_crop(const Tensor& image, std::int64_t height, std::int64_t width);

/// What networks are evaluated on: center_crop(resize_shorter_side(image, side), crop, crop) without computing what is
/// cut off, as planes: uint8 [C, crop, crop]. Throws Error as they do, and when crop is above side.
Tensor evaluation_view(const Tensor& image, std::int64_t side, std::int64_t crop);

}  // namespace radial::data
