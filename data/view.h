// Which part of a picture a network sees, and at what size.
#pragma once

#include "radial/core/tensor/random.h"

#include <cstdint>

namespace radial::data {

/// A rectangle of pixels.
struct Region {
    std::int64_t top = 0, left = 0, height = 0, width = 0;
    friend bool operator==(const Region&, const Region&) = default;
};

/// Where the middle `part` of `whole` pixels begins; an odd remainder is split half to even, as Python rounds.
std::int64_t middle(std::int64_t whole, std::int64_t part);

/// The picture's `box` is resized to [height, width], and of that `kept` is the view.
struct View {
    Region box;
    std::int64_t height = 0, width = 0;
    Region kept;
};

/// How a picture of any size is seen in evaluation: its shorter side is made `resize` pixels long, and the middle
/// `crop` x `crop` is cut out of that.
struct EvaluationView {
    std::int64_t resize = 256, crop = 224;
};

/// That view of a picture of [height, width], as torchvision's Resize and CenterCrop round it. Throws Error when the
/// picture has no pixel, or unless 1 <= crop <= resize.
View evaluation_view(std::int64_t height, std::int64_t width, const EvaluationView& options);

struct RandomRegionOptions {
    double min_area = 0.08, max_area = 1;               ///< as parts of the picture's
    double min_aspect = 3.0 / 4, max_aspect = 4.0 / 3;  ///< width over height, even by its logarithm
};

/// Throws Error unless 0 < min_area <= max_area <= 1 and 0 < min_aspect <= max_aspect.
void check(const RandomRegionOptions& options);

/// A region of random area, shape and place (Szegedy et al. 2015, "Going Deeper with Convolutions", Sec. 6), by the
/// rule of torchvision's RandomResizedCrop: when ten tries give none that fits, the middle with the nearest shape
/// allowed.
Region random_region(std::int64_t height, std::int64_t width, const RandomRegionOptions& options, Generator& random);

/// The whole of `region` resized to [height, width].
View resized(const Region& region, std::int64_t height, std::int64_t width);

}  // namespace radial::data
