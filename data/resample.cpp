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

void Resampler::run(const std::uint8_t* from, std::int64_t stride, std::int64_t channels, std::uint8_t* to) {
    const std::int64_t height = rows().size(), length = std::ssize(across_.sources) * channels;
    const std::int64_t bytes = columns().size() * channels;
    narrowed_.resize(static_cast<std::size_t>(height * length));
    row_.resize(static_cast<std::size_t>(bytes) + 1);  // a pixel is read as four bytes
    for (std::int64_t y = 0; y < height; ++y) {
        std::uint8_t* const narrowed = narrowed_.data() + y * length;
        std::copy_n(from + y * stride, bytes, row_.data());
        channels == 3 ? narrow<4>(row_.data(), narrowed) : narrow<1>(row_.data(), narrowed);
    }
    sums_.resize(static_cast<std::size_t>(length));
    std::int32_t* const sums = sums_.data();
    const std::int32_t* weights = down_.values.data();
    for (const Range sources : down_.sources) {
        std::fill_n(sums, length, half);
        for (std::int64_t i = 0; i < sources.size(); ++i) {
            const std::uint8_t* const row = narrowed_.data() + (sources.begin - rows().begin + i) * length;
            const std::int32_t weight = weights[i];
            for (std::int64_t x = 0; x < length; ++x) sums[x] += weight * row[x];
        }
        to = std::transform(sums, sums + length, to, to_byte);
        weights += down_.stride;
    }
}

}  // namespace radial::data
