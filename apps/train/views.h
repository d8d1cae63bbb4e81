// Test-time augmentation: logits averaged over several views of each image.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace radial::train {

/// The views of an image over which logits are averaged.
enum class Views : std::uint8_t {
    one,  ///< the image itself
    two,  ///< the image and its mirror image
    six   ///< these, and both shifted by one pixel to the upper left and to the lower right, at half the weight
};
/// The names of the choices.
constexpr auto words_of(Views /*value*/) { return std::to_array<std::string_view>({"1", "2", "6"}); }

/// One view of an image.
struct ImageView {
    bool mirrored = false;   ///< left and right swapped
    std::int64_t shift = 0;  ///< pixels by which the content moves down and to the right; negative: up and to the left
    double weight = 1;       ///< share of the view in the mean; the shares of all views have the sum 1
};
/// The views of each choice (Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 3.5). The first is the
/// image itself.
const std::vector<ImageView>& image_views(Views views);

/// `images`, float32 [N, C, H, W] on the CPU, as `view` shows them. Pixels that a shift leaves empty are reflected at
/// the image's edge, as by data::random_crop(). Throws Error when an image is not larger than the shift.
Tensor shown_in(const ImageView& view, const Tensor& images);

/// The weighted mean of logits_of(shown_in(view, images)) over all views but the first, whose logits are given as
/// `plain` [N, C].
Tensor mean_logits(Views views, const Tensor& images, const Tensor& plain,
                   const std::function<Tensor(const Tensor&)>& logits_of);

}  // namespace radial::train
