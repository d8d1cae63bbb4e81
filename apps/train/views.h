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
    six   ///< those two, and each shifted by one pixel to the upper left and to the lower right, at half the weight
};
/// The names of the choices.
constexpr auto words_of(Views /*value*/) { return std::to_array<std::string_view>({"1", "2", "6"}); }

/// One view of an image.
struct ImageView {
    bool mirrored = false;   ///< left and right swapped
    std::int64_t shift = 0;  ///< pixels by which the content moves down and to the right; negative: up and to the left
    double weight = 1;       ///< weight of the view in the mean; the weights of all views add up to 1
};
/// Returns the views that `views` names (Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 3.5). The
/// first is the image itself.
const std::vector<ImageView>& image_views(Views views);

/// Returns `images`, float32 [N, C, H, W] on the CPU, mirrored and shifted as `view` says. Pixels that the shift leaves
/// empty are filled by reflecting the image at its edge, as in data::random_crop() with Border::reflect. Throws Error
/// for other types or shapes, and when a side of the images is not longer than the shift.
Tensor shown_in(const ImageView& view, const Tensor& images);

/// Returns the weighted mean of the logits [N, C] over all views. `plain` are the logits of the first view; those of
/// each other view are computed by logits_of(shown_in(view, images)).
Tensor mean_logits(Views views, const Tensor& images, const Tensor& plain,
                   const std::function<Tensor(const Tensor&)>& logits_of);

}  // namespace radial::train
