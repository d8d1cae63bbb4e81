// Weights in fixed point, and the two passes.
#include "radial/data/resample.h"

#include <algorithm>
#include <cmath>

namespace radial::data {
namespace {

/// Bits after the point: with 8 before it and 2 for what overshoots, 32.
constexpr int precision = 22;
constexpr std::int32_t half = 1 << (precision - 1);

std::uint8_t to_byte(std::int32_t sum) { return static_cast<std::uint8_t>(std::clamp(sum >> precision, 0, 255)); }

}  // namespace

void Resampler::weigh(const Axis& axis, Weights& weights) {
    const double scale = axis.length / static_cast<double>(axis.to);
    const double support = std::max(scale, 1.0);
    weights.stride = 2 * static_cast<std::int64_t>(std::ceil(support)) + 1;
    weights.values.resize(static_cast<std::size_t>(weights.stride * axis.wanted.size()));
    weights.sources.clear();
    std::int32_t* values = weights.values.data();
    for (std::int64_t target = axis.wanted.begin; target < axis.wanted.end; ++target, values += weights.stride) {
        const double center = axis.offset + (static_cast<double>(target) + 0.5) * scale;
        const Range sources{
            std::max<std::int64_t>(static_cast<std::int64_t>(std::floor(center - support + 0.5)), 0),
            std::min<std::int64_t>(static_cast<std::int64_t>(std::floor(center + support + 0.5)), axis.limit)};
        exact_.clear();
        double sum = 0;
        for (std::int64_t source = sources.begin; source < sources.end; ++source) {
            const double distance = std::abs((static_cast<double>(source) - center + 0.5) * (1.0 / support));
            exact_.push_back(std::max(1.0 - distance, 0.0));
            sum += exact_.back();
        }
        std::transform(exact_.begin(), exact_.end(), values, [sum](double weight) {
            return static_cast<std::int32_t>(std::floor(weight / sum * (1 << precision) + 0.5));
        });
        weights.sources.push_back(sources);
    }
}

void Resampler::plan(const Axis& down, const Axis& across) {
    const double height = down.length - static_cast<double>(down.to),
                 width = across.length - static_cast<double>(across.to);
    rows_first_ = height > 0 && height > 2 * width;
    weigh(down, down_);
    weigh(across, across_);
}

/// One row through `across_`. C is 1, or 4: RGB with the next pixel's first byte, whose sum is dropped.
template <int C>
void Resampler::narrow(const std::uint8_t* row, std::uint8_t* to) const {
    constexpr int kept = C == 4 ? 3 : C;
    const std::int64_t begin = columns().begin;
    const std::int32_t* weights = across_.values.data();
    for (const Range sources : across_.sources) {
        const std::uint8_t* from = row + (sources.begin - begin) * kept;
        std::int32_t sums[C];
        std::fill_n(sums, C, half);
        for (std::int64_t i = 0; i < sources.size(); ++i, from += kept) {
#pragma omp simd
            for (int c = 0; c < C; ++c) sums[c] += weights[i] * from[c];
        }
        for (int c = 0; c < kept; ++c) *to++ = to_byte(sums[c]);
        weights += across_.stride;
    }
}

void Resampler::narrow(const std::uint8_t* row, std::int64_t channels, std::uint8_t* to) const {
    channels == 3 ? narrow<4>(row, to) : narrow<1>(row, to);
}

void Resampler::shorten(std::int64_t target, const std::uint8_t* from, std::int64_t stride, std::int64_t length,
                        std::uint8_t* to) {
    const Range sources = down_.sources[static_cast<std::size_t>(target)];
    const std::int32_t* const weights = down_.values.data() + target * down_.stride;
    sums_.resize(static_cast<std::size_t>(length));
    std::int32_t* const sums = sums_.data();
    std::fill_n(sums, length, half);
    for (std::int64_t i = 0; i < sources.size(); ++i) {
        const std::uint8_t* const row = from + (sources.begin - rows().begin + i) * stride;
        const std::int32_t weight = weights[i];
        for (std::int64_t x = 0; x < length; ++x) sums[x] += weight * row[x];
    }
    std::transform(sums, sums + length, to, to_byte);
}

void Resampler::columns_first(const std::uint8_t* from, std::int64_t stride, std::int64_t channels, std::uint8_t* to) {
    const std::int64_t height = rows().size(), length = std::ssize(across_.sources) * channels;
    const std::int64_t bytes = columns().size() * channels;
    narrowed_.resize(static_cast<std::size_t>(height * length));
    for (std::int64_t y = 0; y < height; ++y) {
        std::copy_n(from + y * stride, bytes, row_.data());
        narrow(row_.data(), channels, narrowed_.data() + y * length);
    }
    for (std::int64_t target = 0; target < std::ssize(down_.sources); ++target)
        shorten(target, narrowed_.data(), length, length, to + target * length);
}

void Resampler::rows_first(const std::uint8_t* from, std::int64_t stride, std::int64_t channels, std::uint8_t* to) {
    const std::int64_t length = std::ssize(across_.sources) * channels, bytes = columns().size() * channels;
    for (std::int64_t target = 0; target < std::ssize(down_.sources); ++target) {
        shorten(target, from, stride, bytes, row_.data());
        narrow(row_.data(), channels, to + target * length);
    }
}

void Resampler::run(const std::uint8_t* from, std::int64_t stride, std::int64_t channels, std::uint8_t* to) {
    row_.resize(static_cast<std::size_t>(columns().size() * channels) + 1);  // a pixel is read as four bytes
    rows_first_ ? rows_first(from, stride, channels, to) : columns_first(from, stride, channels, to);
}

}  // namespace radial::data
