// The arithmetic of regions.
#include "radial/data/view.h"

#include "radial/core/util/error.h"

#include <cmath>

namespace radial::data {
namespace {

double between(double low, double high, Generator& random) { return low + (high - low) * random.uniform(); }

std::int64_t up_to(std::int64_t last, Generator& random) {
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(last) + 1));
}

/// The largest region around the middle whose shape is allowed.
Region middle_region(std::int64_t height, std::int64_t width, const RandomRegionOptions& options) {
    const double aspect = static_cast<double>(width) / static_cast<double>(height);
    Region region{.height = height, .width = width};
    if (aspect < options.min_aspect) region.height = std::llround(static_cast<double>(width) / options.min_aspect);
    if (aspect > options.max_aspect) region.width = std::llround(static_cast<double>(height) * options.max_aspect);
    region.top = (height - region.height) / 2;
    region.left = (width - region.width) / 2;
    return region;
}

}  // namespace

std::int64_t middle(std::int64_t whole, std::int64_t part) {
    const std::int64_t rest = whole - part, down = rest / 2;
    return down + (rest % 2 != 0 && down % 2 != 0 ? 1 : 0);
}

View evaluation_view(std::int64_t height, std::int64_t width, const EvaluationView& options) {
    const auto [resize, crop] = options;
    RADIAL_CHECK(height >= 1 && width >= 1, "evaluation_view: of {} x {} pixels, expected at least 1 x 1", height,
                 width);
    RADIAL_CHECK(crop >= 1 && crop <= resize,
                 "evaluation_view: cuts {0} x {0} pixels, expected 1 to {1}, the shorter side", crop, resize);
    View view{.box = {0, 0, height, width},
              .height = height <= width ? resize : resize * height / width,
              .width = height <= width ? resize * width / height : resize,
              .kept = {}};
    view.kept = {middle(view.height, crop), middle(view.width, crop), crop, crop};
    return view;
}

void check(const RandomRegionOptions& options) {
    RADIAL_CHECK(options.min_area > 0 && options.min_area <= options.max_area && options.max_area <= 1,
                 "random_region: areas are {} to {}, expected parts of 1 in ascending order", options.min_area,
                 options.max_area);
    RADIAL_CHECK(options.min_aspect > 0 && options.min_aspect <= options.max_aspect,
                 "random_region: aspects are {} to {}, expected above 0 in ascending order", options.min_aspect,
                 options.max_aspect);
}

Region random_region(std::int64_t height, std::int64_t width, const RandomRegionOptions& options, Generator& random) {
    constexpr int tries = 10;
    for (int i = 0; i < tries; ++i) {
        const double area = between(options.min_area, options.max_area, random) * static_cast<double>(height) *
                            static_cast<double>(width);
        const double aspect = std::exp(between(std::log(options.min_aspect), std::log(options.max_aspect), random));
        Region region{.height = std::llround(std::sqrt(area / aspect)),
                      .width = std::llround(std::sqrt(area * aspect))};
        if (region.height < 1 || region.width < 1 || region.height > height || region.width > width) continue;
        region.top = up_to(height - region.height, random);
        region.left = up_to(width - region.width, random);
        return region;
    }
    return middle_region(height, width, options);
}

View resized(const Region& region, std::int64_t height, std::int64_t width) {
    return {region, height, width, {0, 0, height, width}};
}

}  // namespace radial::data
