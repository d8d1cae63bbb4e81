// Batch normalisation of a float32 or bfloat16 matrix of rows (pixels) and columns (channels): loops for the CPU's
// vector units.
//
// With few channels the loops over a row would be short, so several rows are processed as one longer row (`Fold`). Sums
// are computed from partial sums over chunks whose bounds depend only on the sizes, so that results do not depend on
// the number of threads.
#pragma once

#include "radial/core/backend/backend.h"
#include "radial/core/backend/cpu/rounding.h"
#include "radial/core/kernels/values.h"
#include "radial/core/tensor/tensor.h"

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace radial::norm_kernels {

/// Views a matrix [rows, channels] as `lengths` longer rows. The last `rest` rows of the matrix do not fill another
/// long row.
struct Fold {
    std::int64_t rows, channels;
    std::int64_t times;    ///< rows of the matrix per long row
    std::int64_t width;    ///< elements per long row
    std::int64_t lengths;  ///< number of long rows
    std::int64_t rest;     ///< remaining rows of the matrix

    Fold(std::int64_t rows_in, std::int64_t channels_in) : rows(rows_in), channels(channels_in) {
        constexpr std::int64_t wanted = 128;
        times = std::max<std::int64_t>(1, wanted / channels);
        width = times * channels;
        lengths = rows / times;
        rest = rows - lengths * times;
    }
};

/// A vector [channels] repeated to the width of a long row.
template <class T>
std::vector<float> repeated(const T* vector, const Fold& fold) {
    std::vector<float> all(static_cast<std::size_t>(fold.width));
    for (std::int64_t i = 0; i < fold.width; ++i)
        all[static_cast<std::size_t>(i)] = static_cast<float>(vector[i % fold.channels]);
    return all;
}

/// Divides the long rows into `count` chunks of `length` rows. The last chunk may be shorter.
struct Chunks {
    static constexpr std::int64_t most = 64, least_rows = 16;
    std::int64_t length, count;
    explicit Chunks(const Fold& fold)
        : length(std::max(least_rows, (fold.lengths + most - 1) / most)),
          count(std::max<std::int64_t>(1, (fold.lengths + length - 1) / length)) {}
};

/// Whether a matrix is large enough to use several threads.
inline bool large(const Fold& fold) { return fold.rows * fold.channels >= 16384; }

/// The number of long rows that are summed in float before the result is added to a double. It is small because
/// gradients of a scale are often small differences of large sums.
inline constexpr std::int64_t rows_in_float = 8;

/// Adds the two values of each element of `count` rows of `width`, starting at element `first`, to total[0 .. width)
/// and total[width .. 2 width).
template <std::int64_t count, class Value>
void add_rows(std::int64_t first, std::int64_t width, const Value& value, double* total) {
#pragma omp simd
    for (std::int64_t i = 0; i < width; ++i) {
        float a = 0, b = 0;
        // Without unrolling, a body that contains an exponential stays a loop, and the outer loop is not vectorised.
#pragma GCC unroll 8
        for (std::int64_t k = 0; k < count; ++k) value(first + k * width + i, i, a, b);
        total[i] += static_cast<double>(a);
        total[width + i] += static_cast<double>(b);
    }
}

/// Sums two values per channel: value(element, column, a, b) adds the two values of an element to a and b, where
/// `column` is an index within a long row. The results are double, [channels] each.
template <class Value>
void column_sums(const Fold& fold, const Value& value, std::vector<double>& first, std::vector<double>& second) {
    const Chunks chunks(fold);
    // Allocated by the caching allocator, because page faults on fresh memory would cost more than the sums.
    const Tensor held = Tensor::empty({chunks.count, 2 * fold.width}, DType::float64, Device{});
    double* const partial = held.data<double>();
#pragma omp parallel for schedule(static) if (large(fold))
    for (std::int64_t k = 0; k < chunks.count; ++k) {
        double* const mine = partial + 2 * k * fold.width;
        std::fill_n(mine, 2 * fold.width, 0.0);
        const std::int64_t end = std::min(fold.lengths, (k + 1) * chunks.length);
        std::int64_t r = k * chunks.length;
        for (; r + rows_in_float <= end; r += rows_in_float)
            add_rows<rows_in_float>(r * fold.width, fold.width, value, mine);
        for (; r < end; ++r) add_rows<1>(r * fold.width, fold.width, value, mine);
    }
    // The rows that do not fill a long row are summed separately.
    std::vector<double> last(2 * static_cast<std::size_t>(fold.channels));
    for (std::int64_t r = 0; r < fold.rest; ++r)
        add_rows<1>(fold.lengths * fold.width + r * fold.channels, fold.channels, value, last.data());
    first.assign(static_cast<std::size_t>(fold.channels), 0);
    second.assign(static_cast<std::size_t>(fold.channels), 0);
    for (std::int64_t c = 0; c < fold.channels; ++c) {
        first[static_cast<std::size_t>(c)] = last[static_cast<std::size_t>(c)];
        second[static_cast<std::size_t>(c)] = last[static_cast<std::size_t>(fold.channels + c)];
    }
    for (std::int64_t k = 0; k < chunks.count; ++k) {
        const double* const part = partial + 2 * k * fold.width;
        for (std::int64_t i = 0; i < fold.width; ++i) {
            const auto channel = static_cast<std::size_t>(i % fold.channels);
            first[channel] += part[i];
            second[channel] += part[fold.width + i];
        }
    }
}

/// The values that statistics are computed from: an element's distance from the origin of its column, and the square of
/// this distance.
template <class T>
struct Distance {
    const T* x;
    const float* origin;
    void operator()(std::int64_t element, std::int64_t column, float& sum, float& square) const {
        const float distance = static_cast<float>(x[element]) - origin[column];
        sum += distance;
        square += distance * distance;
    }
};

/// Writes the mean and variance of a batch from each channel's sums of distances from an origin and of their squares.
/// An origin near the mean preserves the precision of a variance that is much smaller than the square of the mean.
inline void write_statistics(const float* origin, std::int64_t rows, const std::vector<double>& distances,
                             const std::vector<double>& squares, float* mean, float* variance) {
    for (std::size_t c = 0; c < distances.size(); ++c) {
        const double distance = distances[c] / static_cast<double>(rows),
                     spread = squares[c] / static_cast<double>(rows) - distance * distance;
        mean[c] = static_cast<float>(static_cast<double>(origin[c]) + distance);
        variance[c] = static_cast<float>(spread < 0 ? 0.0 : spread);  // NaN stays NaN
    }
}

/// Calls apply(first element, count) for every long row, then for the remaining rows.
template <class Apply>
void each_row(const Fold& fold, const Apply& apply) {
#pragma omp parallel for schedule(static) if (large(fold))
    for (std::int64_t r = 0; r < fold.lengths; ++r) apply(r * fold.width, fold.width);
    for (std::int64_t r = 0; r < fold.rest; ++r) apply(fold.lengths * fold.width + r * fold.channels, fold.channels);
}

/// to[i] = value(i) for i in [0, count), rounded to T. Numbers are rounded in a loop of their own, because one loop
/// that both computes and rounds is slower (docs/performance.md).
template <class T, class Value>
void write_row(T* to, std::int64_t count, const Value& value) {
    if constexpr (std::is_same_v<T, float>) {
#pragma omp simd
        for (std::int64_t i = 0; i < count; ++i) to[i] = value(i);
    } else {
        constexpr std::int64_t most = 512;
        float wide[most];
        for (std::int64_t begin = 0; begin < count; begin += most) {
            const std::int64_t length = std::min(most, count - begin);
            rounding::each_column(length, [&, begin](std::int64_t i) { wide[i] = value(begin + i); });
            rounding::round_row(wide, length, to + begin);
        }
    }
}

inline float sigmoid(float v) { return 1 / (1 + kernels::exponential(-v)); }

template <Activation activation>
float activated(float v) {
    if constexpr (activation == Activation::relu) return v < 0 ? 0.0F : v;  // NaN stays NaN
    if constexpr (activation == Activation::silu) return v * sigmoid(v);
    if constexpr (activation == Activation::gelu) return v * kernels::normal_at(v).cdf;
    if constexpr (activation == Activation::relu6) return kernels::up_to_six(v);
    if constexpr (activation == Activation::hard_swish) {
        const float product = v * (kernels::up_to_six(v + 3) * (1.0F / 6));
        return v <= -3 ? 0.0F : product;
    }
    return v;
}

/// The gradient of the activation's input v, given the gradient of the activation's result.
template <Activation activation>
float behind(float gradient, float v) {
    if constexpr (activation == Activation::relu) return v > 0 ? gradient : 0.0F;
    if constexpr (activation == Activation::silu) {
        const float s = sigmoid(v);
        return gradient * (s + v * s * (1 - s));
    }
    if constexpr (activation == Activation::gelu) {
        const kernels::NormalAt<float> normal = kernels::normal_at(v);
        return gradient * (normal.cdf + v * normal.density);
    }
    if constexpr (activation == Activation::relu6) return v > 0 && v < 6 ? gradient : 0.0F;
    if constexpr (activation == Activation::hard_swish) {
        const float inside = gradient * (v * (1.0F / 3) + 0.5F), above = v >= 3 ? gradient : inside;
        return v <= -3 ? 0.0F : above;
    }
    return gradient;
}

}  // namespace radial::norm_kernels
