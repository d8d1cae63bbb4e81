// What may happen to an image between the data set and the batch: cropping, flipping, erasing.
#pragma once

#include "radial/core/tensor/random.h"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace radial::data {

/// One image while its batch is prepared.
struct Image {
    std::int64_t channels = 0, height = 0, width = 0;
    std::vector<float> pixels;  ///< [channels, height, width]

    std::span<float> row(std::int64_t channel, std::int64_t y) {
        return std::span(pixels).subspan(static_cast<std::size_t>((channel * height + y) * width),
                                         static_cast<std::size_t>(width));
    }
};

/// Changes an image, its size included, in place. All chance comes from `random`, which is the sample's own: it follows
/// from the loader's seed, the epoch and the sample's number alone, so that neither the order of work nor the number of
/// threads matters. Called by several threads at once.
using Transform = std::function<void(Image& image, Generator& random)>;

/// The transforms of a data set, in order.
struct Transforms {
    std::vector<Transform> pixels;      ///< before normalisation, on values in [0, 1]
    std::vector<Transform> normalised;  ///< after it, where 0 is the mean colour
};

/// Surrounds the image with `padding` zeros on each side and cuts out a window of the image's own size, each place
/// being equally likely (He et al. 2016, 4.2). Among Transforms::normalised, as in pycls and the authors' code, the
/// border has the mean colour; among Transforms::pixels it would be black, as torchvision's usual recipe has it.
/// Throws Error when padding is negative.
Transform random_crop(std::int64_t padding);

/// Mirrors left and right with this probability. Throws Error unless it is in [0, 1].
Transform random_flip(double probability = 0.5);

/// Zeros in a square of `size` pixels a side around a random pixel, cut off at the image's edge (DeVries & Taylor 2017,
/// "Improved Regularization of Convolutional Neural Networks with Cutout"; 16 for CIFAR-10, 8 for CIFAR-100).
/// Throws Error when size is below 1.
Transform cutout(std::int64_t size);

struct ColorJitterOptions {
    double brightness = 0, contrast = 0, saturation = 0;  ///< factors from 1 - this, at least 0, to 1 + this
    double hue = 0;                                       ///< turns by up to this part of the circle, at most 0.5
};
/// Changes brightness, contrast, saturation and hue, in random order, by random amounts, as torchvision's ColorJitter;
/// an amount of 0 leaves its part out. Values stay in [0, 1], so it belongs among Transforms::pixels. Of grey images
/// only brightness and contrast are changed. Throws Error for an amount below 0, or a hue above 0.5.
Transform color_jitter(const ColorJitterOptions& options);

struct RandomErasingOptions {
    double probability = 0.5;
    double min_area = 0.02, max_area = 0.4;  ///< as parts of the image
    double min_aspect = 0.3;                 ///< height over width, from this to its inverse, by its logarithm
};
/// Noise N(0, 1) in a random rectangle that lies wholly inside (Zhong et al. 2020, "Random Erasing Data Augmentation");
/// the image stays as it is when ten tries give none that fits. Belongs after normalisation.
/// Throws Error unless 0 <= probability <= 1, 0 < min_area <= max_area <= 1 and 0 < min_aspect <= 1.
Transform random_erasing(const RandomErasingOptions& options = {});

}  // namespace radial::data
