// Which part of an image a network sees, and at what size.
#pragma once

#include "radial/core/tensor/random.h"

#include <cstdint>

/// Data sets, images, transforms and the loader.
namespace radial::data {

/// A rectangle of pixels.
struct Region {
    std::int64_t top = 0, left = 0, height = 0, width = 0;  ///< position and extents, in pixels
    friend bool operator==(const Region&, const Region&) = default;
};

/// The first of the middle `part` of `whole` pixels. Half of an odd remainder is rounded half to even, as in Python.
std::int64_t middle(std::int64_t whole, std::int64_t part);

/// A view of an image: `box` is resized to [height, width], and `kept` is the part of the result that is used.
struct View {
    Region box;                          ///< part of the image
    std::int64_t height = 0, width = 0;  ///< size that `box` is resized to
    Region kept;                         ///< part of the resized box
};

/// How an image of any size is cropped in evaluation: the shorter side is resized to `resize` pixels, and the centre
/// `crop` x `crop` is used.
struct EvaluationView {
    std::int64_t resize = 256, crop = 224;  ///< in pixels
};

/// The evaluation view of an image of [height, width], rounded as torchvision's Resize and CenterCrop do. Throws Error
/// when the image has no pixels, or unless 1 <= crop <= resize.
View evaluation_view(std::int64_t height, std::int64_t width, const EvaluationView& options);

/// Options of random_region().
struct RandomRegionOptions {
    double min_area = 0.08, max_area = 1;               ///< area of the region, as a fraction of the image's
    double min_aspect = 3.0 / 4, max_aspect = 4.0 / 3;  ///< width over height, with uniform logarithm
};

/// Throws Error unless 0 < min_area <= max_area <= 1 and 0 < min_aspect <= max_aspect.
void check(const RandomRegionOptions& options);

/// A region of random area, shape and position (Szegedy et al. 2015, "Going Deeper with Convolutions", Sec. 6), drawn
/// as by torchvision's RandomResizedCrop: if ten attempts give no region that fits, it is the centre with the nearest
/// allowed shape.
Region random_region(std::int64_t height, std::int64_t width, const RandomRegionOptions& options, Generator& random);

/// The whole of `region` resized to [height, width].
View resized(const Region& region, std::int64_t height, std::int64_t width);

}  // namespace radial::data
