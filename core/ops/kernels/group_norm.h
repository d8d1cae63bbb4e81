// Kernels of group_norm(): x [N, C, area] with C channels in groups, in either layout.
//
// Every pass processes planes, that is, single channels of single images. The results of the planes are then combined
// into those of the groups. In channels_last memory, the planes of an image are interleaved, and a task processes up to
// `plane_block` adjacent ones. All results per plane or group are float64.
#pragma once

#include "radial/core/kernels/team.h"
#include "radial/core/kernels/values.h"
#include "radial/core/ops/kernels/layer_norm.h"

#include <cmath>
#include <cstdint>

namespace radial::kernels {

/// The largest number of adjacent channels of a channels_last image that one task sums.
inline constexpr std::int64_t plane_block = 32;

/// The memory of a batch of images. Element (n, c, i) is at (n * channels + c) * area + i, or in channels_last memory
/// at (n * area + i) * channels + c.
struct PlaneShape {
    std::int64_t channels, area;
    std::int64_t groups;
    /// The group of a plane n * channels + c, as n * groups + g.
    RADIAL_HD std::int64_t group_of(std::int64_t plane) const {
        return plane / channels * groups + plane % channels / (channels / groups);
    }
};

/// The mean of each plane and the sum of squared distances from it.
template <class X>
struct PlaneMoments {
    using V = Compute<X>;
    const X* x;
    double* moments;  ///< [planes, 2]
    PlaneShape shape;

    /// Computes the moments of a plane whose elements are `step` apart.
    template <class Team>
    RADIAL_HD void plane(const Team& team, const X* in, std::int64_t step, double* out) const {
        const auto count = static_cast<double>(shape.area);
        const V origin = convert<V>(*in);
        const double sum = team.sum(
            shape.area, [=](std::int64_t i) { return static_cast<double>(convert<V>(in[i * step]) - origin); });
        const double mean = static_cast<double>(origin) + sum / count;
        const Centre<V> centre(mean);
        const double squares = team.sum(shape.area, [=](std::int64_t i) {
            const V distance = centre.distance(convert<V>(in[i * step]));
            return static_cast<double>(distance * distance);
        });
        team.once([=] {
            out[0] = mean;
            out[1] = squares;
        });
    }
    /// Computes the moments of plane `row` of row-major memory.
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        plane(team, x + row * shape.area, 1, moments + 2 * row);
    }
};

/// PlaneMoments for blocks of planes of channels_last memory; block b of image n is row n * blocks + b.
template <class X>
struct PlaneBlockMoments : PlaneMoments<X> {
    using V = Compute<X>;
    std::int64_t blocks;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const std::int64_t channels = this->shape.channels, first = row % blocks * plane_block, image = row / blocks;
        const std::int64_t end = first + plane_block < channels ? first + plane_block : channels;
        for (std::int64_t c = first; c < end; ++c) {
            this->plane(team, this->x + image * this->shape.area * channels + c, channels,
                        this->moments + 2 * (image * channels + c));
        }
    }
    /// A single lane reads all of the block's channels of a pixel at once.
    RADIAL_HD void operator()(const SerialTeam&, std::int64_t row) const {
        const std::int64_t channels = this->shape.channels, area = this->shape.area;
        const std::int64_t first = row % blocks * plane_block, image = row / blocks;
        const std::int64_t width = first + plane_block < channels ? plane_block : channels - first;
        const X* const in = this->x + image * area * channels + first;
        double sums[plane_block] = {}, squares[plane_block] = {};
        V origin[plane_block] = {}, high[plane_block] = {}, low[plane_block] = {};
        for (std::int64_t k = 0; k < width; ++k) origin[k] = convert<V>(in[k]);
        for (std::int64_t i = 0; i < area; ++i) {
            const X* const pixel = in + i * channels;
            RADIAL_SIMD()
            for (std::int64_t k = 0; k < width; ++k) sums[k] += static_cast<double>(convert<V>(pixel[k]) - origin[k]);
        }
        for (std::int64_t k = 0; k < width; ++k) {
            sums[k] = static_cast<double>(origin[k]) + sums[k] / static_cast<double>(area);
            const Centre<V> centre(sums[k]);
            high[k] = centre.high;
            low[k] = centre.low;
        }
        for (std::int64_t i = 0; i < area; ++i) {
            const X* const pixel = in + i * channels;
            RADIAL_SIMD()
            for (std::int64_t k = 0; k < width; ++k) {
                const V distance = (convert<V>(pixel[k]) - high[k]) - low[k];
                squares[k] += static_cast<double>(distance * distance);
            }
        }
        double* const out = this->moments + 2 * (image * channels + first);
        for (std::int64_t k = 0; k < width; ++k) {
            out[2 * k] = sums[k];
            out[2 * k + 1] = squares[k];
        }
    }
};

/// Combines the moments of the planes of group `row` into its mean and 1 / sqrt(variance + epsilon) (Chan, Golub,
/// LeVeque 1983).
struct GroupStatistics {
    const double* moments;  ///< [planes, 2]
    double* statistics;     ///< [N * groups, 2]
    PlaneShape shape;
    double epsilon;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const std::int64_t width = shape.channels / shape.groups;
        const double* const in = moments + 2 * row * width;
        const auto planes = static_cast<double>(width), area = static_cast<double>(shape.area);
        const double mean = team.sum(width, [=](std::int64_t c) { return in[2 * c]; }) / planes;
        const double squares = team.sum(width, [=](std::int64_t c) {
            const double distance = in[2 * c] - mean;
            return in[2 * c + 1] + area * distance * distance;
        });
        double* const out = statistics + 2 * row;
        const double inverse = 1 / std::sqrt(squares / (planes * area) + epsilon);
        team.once([=] {
            out[0] = mean;
            out[1] = inverse;
        });
    }
};

/// The coefficients of a plane: y = (x - centre) * factor + shift.
template <class V>
struct PlaneAffine {
    const double* statistics;
    const V *weight, *bias;      ///< [channels]
    V *centre, *factor, *shift;  ///< [planes]
    PlaneShape shape;
    RADIAL_HD void operator()(std::int64_t plane) const {
        const double* const group = statistics + 2 * shape.group_of(plane);
        const Centre<V> mean(group[0]);
        const std::int64_t c = plane % shape.channels;
        const double scale = group[1] * static_cast<double>(weight[c]);
        centre[plane] = mean.high;
        factor[plane] = static_cast<V>(scale);
        shift[plane] = static_cast<V>(static_cast<double>(bias[c]) - static_cast<double>(mean.low) * scale);
    }
};

/// y = (x - centre) * factor + shift, plane by plane.
template <class X>
struct NormalisePlane {
    using V = Compute<X>;
    const X* x;
    X* y;
    const V *centre, *factor, *shift;
    PlaneShape shape;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t plane) const {
        const X* const in = x + plane * shape.area;
        X* const out = y + plane * shape.area;
        const V m = centre[plane], f = factor[plane], s = shift[plane];
        team.each(shape.area, [=](std::int64_t i) { out[i] = convert<X>((convert<V>(in[i]) - m) * f + s); });
    }
};
/// The same for pixel `row` of channels_last memory.
template <class X>
struct NormalisePixel : NormalisePlane<X> {
    using V = Compute<X>;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const std::int64_t channels = this->shape.channels, first = row / this->shape.area * channels;
        const X* const in = this->x + row * channels;
        X* const out = this->y + row * channels;
        const V *const m = this->centre + first, *const f = this->factor + first, *const s = this->shift + first;
        team.each(channels, [=](std::int64_t c) { out[c] = convert<X>((convert<V>(in[c]) - m[c]) * f[c] + s[c]); });
    }
};

/// The sums of dy and of dy * normalised x over each plane.
template <class X>
struct PlaneGradients {
    using V = Compute<X>;
    const X *x, *dy;
    const double* statistics;
    double* sums;  ///< [planes, 2]
    PlaneShape shape;

    /// Computes the sums over a plane whose elements are `step` apart.
    template <class Team>
    RADIAL_HD void plane(const Team& team, std::int64_t start, std::int64_t step, std::int64_t plane) const {
        const X *const in = x + start, *const grad = dy + start;
        const double* const group = statistics + 2 * shape.group_of(plane);
        const Centre<V> centre(group[0]);
        const double rstd = group[1];
        const double first =
            team.sum(shape.area, [=](std::int64_t i) { return static_cast<double>(convert<V>(grad[i * step])); });
        const double second = team.sum(shape.area, [=](std::int64_t i) {
            return static_cast<double>(convert<V>(grad[i * step]) * centre.distance(convert<V>(in[i * step])));
        });
        double* const out = sums + 2 * plane;
        team.once([=] {
            out[0] = first;
            out[1] = second * rstd;
        });
    }
    /// Computes the sums over plane `row` of row-major memory.
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        plane(team, row * shape.area, 1, row);
    }
};

/// PlaneGradients for blocks of planes of channels_last memory; block b of image n is row n * blocks + b.
template <class X>
struct PlaneBlockGradients : PlaneGradients<X> {
    using V = Compute<X>;
    std::int64_t blocks;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const std::int64_t channels = this->shape.channels, first = row % blocks * plane_block, image = row / blocks;
        const std::int64_t end = first + plane_block < channels ? first + plane_block : channels;
        for (std::int64_t c = first; c < end; ++c)
            this->plane(team, image * this->shape.area * channels + c, channels, image * channels + c);
    }
    /// A single lane reads all of the block's channels of a pixel at once.
    RADIAL_HD void operator()(const SerialTeam&, std::int64_t row) const {
        const std::int64_t channels = this->shape.channels, area = this->shape.area;
        const std::int64_t first = row % blocks * plane_block, image = row / blocks;
        const std::int64_t width = first + plane_block < channels ? plane_block : channels - first;
        const std::int64_t start = image * area * channels + first, plane = image * channels + first;
        double grads[plane_block] = {}, products[plane_block] = {};
        V high[plane_block] = {}, low[plane_block] = {};
        for (std::int64_t k = 0; k < width; ++k) {
            const Centre<V> centre(this->statistics[2 * this->shape.group_of(plane + k)]);
            high[k] = centre.high;
            low[k] = centre.low;
        }
        for (std::int64_t i = 0; i < area; ++i) {
            const X *const in = this->x + start + i * channels, *const grad = this->dy + start + i * channels;
            RADIAL_SIMD()
            for (std::int64_t k = 0; k < width; ++k) {
                const V g = convert<V>(grad[k]);
                grads[k] += static_cast<double>(g);
                products[k] += static_cast<double>(g * ((convert<V>(in[k]) - high[k]) - low[k]));
            }
        }
        for (std::int64_t k = 0; k < width; ++k) {
            double* const out = this->sums + 2 * (plane + k);
            out[0] = grads[k];
            out[1] = products[k] * this->statistics[2 * this->shape.group_of(plane + k) + 1];
        }
    }
};

/// For reduce_columns(): the sums of a plane.
struct PlaneSums {
    const double* sums;  ///< [planes, 2]
    std::int64_t channels;
    RADIAL_HD Pair<double> operator()(std::int64_t image, std::int64_t channel) const {
        const double* const plane = sums + 2 * (image * channels + channel);
        return {plane[0], plane[1]};
    }
};

/// The coefficients of dx = dy * factor + ((x - centre) * slope + offset) for the planes of group `row`. They are those
/// of rstd * (g - mean(g) - normalised x * mean(g * normalised x)) with g = dy * weight.
template <class V>
struct GroupGradient {
    const double *sums, *statistics;
    const V* weight;                      ///< [channels]
    V *centre, *factor, *slope, *offset;  ///< [planes]
    PlaneShape shape;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const std::int64_t width = shape.channels / shape.groups, plane = row * width;
        const double* const in = sums + 2 * plane;
        const V* const w = weight + row % shape.groups * width;
        const double count = static_cast<double>(width) * static_cast<double>(shape.area);
        const double grad =
            team.sum(width, [=](std::int64_t c) { return in[2 * c] * static_cast<double>(w[c]); }) / count;
        const double product =
            team.sum(width, [=](std::int64_t c) { return in[2 * c + 1] * static_cast<double>(w[c]); }) / count;
        const Centre<V> mean(statistics[2 * row]);
        const double rstd = statistics[2 * row + 1], steep = -rstd * rstd * product;
        const double constant = -rstd * grad - static_cast<double>(mean.low) * steep;
        V *const m = centre + plane, *const f = factor + plane, *const k = slope + plane, *const s = offset + plane;
        team.each(width, [=](std::int64_t c) {
            m[c] = mean.high;
            f[c] = static_cast<V>(rstd * static_cast<double>(w[c]));
            k[c] = static_cast<V>(steep);
            s[c] = static_cast<V>(constant);
        });
    }
};

/// dx = dy * factor + ((x - centre) * slope + offset), plane by plane. dx may equal dy.
template <class X>
struct GradientPlane {
    using V = Compute<X>;
    const X *x, *dy;
    X* dx;
    const V *centre, *factor, *slope, *offset;
    PlaneShape shape;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t plane) const {
        const X *const in = x + plane * shape.area, *const grad = dy + plane * shape.area;
        X* const out = dx + plane * shape.area;
        const V m = centre[plane], f = factor[plane], k = slope[plane], s = offset[plane];
        team.each(shape.area, [=](std::int64_t i) {
            out[i] = convert<X>(convert<V>(grad[i]) * f + ((convert<V>(in[i]) - m) * k + s));
        });
    }
};
/// The same for pixel `row` of channels_last memory.
template <class X>
struct GradientPixel : GradientPlane<X> {
    using V = Compute<X>;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const std::int64_t channels = this->shape.channels, first = row / this->shape.area * channels;
        const X *const in = this->x + row * channels, *const grad = this->dy + row * channels;
        X* const out = this->dx + row * channels;
        const V *const m = this->centre + first, *const f = this->factor + first;
        const V *const k = this->slope + first, *const s = this->offset + first;
        team.each(channels, [=](std::int64_t c) {
            out[c] = convert<X>(convert<V>(grad[c]) * f[c] + ((convert<V>(in[c]) - m[c]) * k[c] + s[c]));
        });
    }
};

}  // namespace radial::kernels
