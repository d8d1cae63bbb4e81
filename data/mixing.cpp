// Beta-distributed shares, blending and cutting.
#include "radial/data/mixing.h"

#include "radial/core/util/error.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace radial::data {
namespace {

/// A number of N(0, 1), by Box and Muller.
double normal(Generator& random) {
    const double u = 1.0 - random.uniform(), v = random.uniform();
    return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
}

/// A number of Gamma(shape, 1), by Marsaglia & Tsang 2000, "A simple method for generating gamma variables".
double gamma(double shape, Generator& random) {
    if (shape < 1) {
        const double boost = std::pow(1.0 - random.uniform(), 1 / shape);
        return boost * gamma(shape + 1, random);
    }
    const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
    for (;;) {
        const double x = normal(random), root = 1 + c * x, v = root * root * root;
        const double u = 1.0 - random.uniform();
        if (v > 0 && std::log(u) < x * x / 2 + d - d * v + d * std::log(v)) return d * v;
    }
}

double beta(double alpha, Generator& random) {
    const double x = gamma(alpha, random), y = gamma(alpha, random);
    // For a tiny alpha both can underflow; all the weight is at the ends then.
    return x + y > 0 ? x / (x + y) : static_cast<double>(random.below(2));
}

void blend(const Tensor& images, const Tensor& old, std::span<const std::int64_t> partners, float share) {
    const std::int64_t pixels = images.numel() / images.size(0);
    float* to = images.data<float>();
    for (const std::int64_t partner : partners) {
        const float* const other = old.data<float>() + partner * pixels;
        for (std::int64_t i = 0; i < pixels; ++i) to[i] = share * to[i] + (1 - share) * other[i];
        to += pixels;
    }
}

/// Returns the part of an image that stays.
double cut(const Tensor& images, const Tensor& old, std::span<const std::int64_t> partners, double share,
           Generator& random) {
    const std::int64_t planes = images.size(1), height = images.size(2), width = images.size(3);
    const double side = std::sqrt(1 - share);
    const auto stretch = [&](std::int64_t whole) {
        const auto center = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(whole)));
        const auto half = static_cast<std::int64_t>(static_cast<double>(whole) * side) / 2;
        return std::pair{std::max<std::int64_t>(center - half, 0), std::min(center + half, whole)};
    };
    const auto [top, bottom] = stretch(height);
    const auto [left, right] = stretch(width);
    for (std::size_t i = 0; i < partners.size(); ++i)
        for (std::int64_t plane = 0; plane < planes; ++plane)
            for (std::int64_t y = top; y < bottom; ++y) {
                const auto place = [&, c = plane, row = y, l = left](std::int64_t image) {
                    return ((image * planes + c) * height + row) * width + l;
                };
                std::copy_n(old.data<float>() + place(partners[i]), right - left,
                            images.data<float>() + place(static_cast<std::int64_t>(i)));
            }
    return 1 - static_cast<double>((bottom - top) * (right - left)) / static_cast<double>(height * width);
}

}  // namespace

void check(const MixingOptions& options) {
    RADIAL_CHECK(options.mixup >= 0 && std::isfinite(options.mixup),
                 "mixing: mixup's alpha is {}, expected a finite number of at least 0", options.mixup);
    RADIAL_CHECK(options.cutmix >= 0 && std::isfinite(options.cutmix),
                 "mixing: CutMix's alpha is {}, expected a finite number of at least 0", options.cutmix);
}

double mix(const Tensor& images, std::span<const std::int64_t> partners, const MixingOptions& options,
           Generator& random) {
    const bool both = options.mixup > 0 && options.cutmix > 0;
    const bool cuts = both ? random.below(2) == 1 : options.cutmix > 0;
    const double share = beta(cuts ? options.cutmix : options.mixup, random);
    const Tensor old = images.clone();
    if (cuts) return cut(images, old, partners, share, random);
    blend(images, old, partners, static_cast<float>(share));
    return share;
}

}  // namespace radial::data
