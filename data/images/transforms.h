// Image transforms applied between data set and batch: cropping, flipping, colour jitter, erasing, and mixing in pairs.
#pragma once

#include "radial/core/tensor/random.h"
#include "radial/core/tensor/tensor.h"

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace radial::data {

/// An image while its batch is prepared.
struct Image {
    std::int64_t channels = 0, height = 0, width = 0;  ///< extents of `pixels`
    std::vector<float> pixels;                         ///< [channels, height, width]

    /// Row `y` of a channel.
    std::span<float> row(std::int64_t channel, std::int64_t y) {
        return std::span(pixels).subspan(static_cast<std::size_t>((channel * height + y) * width),
                                         static_cast<std::size_t>(width));
    }
};

/// Changes an image in place; its size may change too. All random numbers come from `random`, the sample's own stream,
/// which depends only on the loader's seed, the epoch and the sample's number. The result therefore depends neither on
/// the order of work nor on the number of threads. Called by several threads at once.
using Transform = std::function<void(Image& image, Generator& random)>;

/// The transforms of a data set, in order.
struct Transforms {
    std::vector<Transform> pixels;      ///< before normalisation, on values in [0, 1]
    std::vector<Transform> normalised;  ///< after normalisation, when 0 is the mean colour
};

/// The content of the pixels that padding adds to an image.
enum class Border : std::uint8_t {
    zero,    ///< zeros
    reflect  ///< the image reflected at its edge, without repeating the edge itself
};
/// The names of the choices.
constexpr auto words_of(Border /*value*/) { return std::to_array<std::string_view>({"zero", "reflect"}); }
/// Maps `index` into [0, size) by reflection at the ends of a row of `size` pixels, without repeating the end pixels:
/// -1 becomes 1, and size becomes size - 2. `index` must be above -size and below 2 * size - 1.
inline std::int64_t reflected(std::int64_t index, std::int64_t size) {
    if (index < 0) return -index;
    return index < size ? index : 2 * size - 2 - index;
}

/// Pads the image with `padding` pixels on each side and crops a window of the image's own size at a uniformly
/// distributed position (He et al. 2016, 4.2). A border of zeros has the mean colour in Transforms::normalised, as in
/// pycls and the authors' code; in Transforms::pixels it is black, as in torchvision's usual recipe. Throws Error when
/// padding is negative. With Border::reflect, the transform throws Error when a side of the image is not longer than
/// `padding`.
Transform random_crop(std::int64_t padding, Border border = Border::zero);

/// Swaps left and right.
void mirror(Image& image);
/// Swaps left and right with the given probability. Throws Error unless it is in [0, 1].
Transform random_flip(double probability = 0.5);

/// Sets a square of `size` pixels per side around a random pixel to zero, clipped at the image's edge (DeVries & Taylor
/// 2017, "Improved Regularization of Convolutional Neural Networks with Cutout"; 16 for CIFAR-10, 8 for CIFAR-100).
/// Throws Error when size is below 1.
Transform cutout(std::int64_t size);

/// Options of color_jitter().
struct ColorJitterOptions {
    double brightness = 0, contrast = 0, saturation = 0;  ///< factors are drawn from [max(0, 1 - this), 1 + this]
    double hue = 0;  ///< hue is shifted by up to this fraction of the circle, at most 0.5
};
/// Changes brightness, contrast, saturation and hue, in random order, by random amounts, like torchvision's
/// ColorJitter. A property with the amount 0 is not changed. Values stay in [0, 1], so use it in Transforms::pixels.
/// Only the brightness and contrast of grey images are changed. Throws Error for an amount below 0 or above 100, or a
/// hue above 0.5.
Transform color_jitter(const ColorJitterOptions& options);

/// Options of random_erasing().
struct RandomErasingOptions {
    double probability = 0.5;                ///< probability that an image is changed
    double min_area = 0.02, max_area = 0.4;  ///< area of the rectangle, as a fraction of the image
    double min_aspect = 0.3;                 ///< height / width is between this and 1 / this; its logarithm is uniform
};
/// Fills a random rectangle inside the image with noise from N(0, 1) (Zhong et al. 2020, "Random Erasing Data
/// Augmentation"). The image is unchanged if ten attempts give no rectangle that fits. Use it in
/// Transforms::normalised. Throws Error unless 0 <= probability <= 1, 0 < min_area <= max_area <= 1 and 0 < min_aspect
/// <= 1.
Transform random_erasing(const RandomErasingOptions& options = {});

/// Options of mix(). An alpha of 0 disables a method. If both are enabled, each batch uses one of them, chosen with
/// equal probability.
struct MixingOptions {
    double mixup = 0;   ///< alpha of Beta(alpha, alpha), from which the share is drawn (Zhang et al. 2018, "mixup")
    double cutmix = 0;  ///< alpha of Beta(alpha, alpha) for CutMix (Yun et al. 2019, "CutMix")

    /// Whether a method is enabled.
    bool on() const { return mixup > 0 || cutmix > 0; }
};

/// Throws Error unless both alphas are finite numbers of at least 0.
void check(const MixingOptions& options);

/// Mixes each image i of `images`, float32 [N, C, H, W], with image partners[i], in place, and returns the share of its
/// original content that each image keeps. Mixup computes share * own + (1 - share) * partner. CutMix copies a
/// rectangle of the partner whose sides are sqrt(1 - share) times those of the image; the rectangle is then clipped at
/// the image's edge, which the returned share takes into account.
double mix(const Tensor& images, std::span<const std::int64_t> partners, const MixingOptions& options,
           Generator& random);

}  // namespace radial::data
