// Value types and functors for kernels: pairs of sums, packs that are loaded as one word of up to 16 bytes, functors
// that fill, convert and transpose arrays, a clamp, and an exp and a normal distribution that the compiler can
// vectorise, unlike those of the standard library.
#pragma once

#include "radial/core/kernels/bfloat16.h"
#include "radial/core/kernels/host_device.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace radial::kernels {

/// Converts a number to another type. Conversions from and to bfloat16 go through float.
template <class To, class From>
RADIAL_HD To convert(From value) {
    if constexpr (std::is_same_v<To, From>) {
        return value;
    } else if constexpr (std::is_same_v<To, bfloat16>) {
        return bfloat16(static_cast<float>(value));
    } else if constexpr (std::is_same_v<From, bfloat16>) {
        return static_cast<To>(static_cast<float>(value));
    } else {
        return static_cast<To>(value);
    }
}

/// Sets every element to one value.
template <class T>
struct Fill {
    T* out;                                                              ///< destination
    T value;                                                             ///< the value
    RADIAL_HD void operator()(std::int64_t i) const { out[i] = value; }  ///< for element i
};

/// Converts every element to another type.
template <class To, class From>
struct Convert {
    const From* in;                                                                   ///< source
    To* out;                                                                          ///< destination
    RADIAL_HD void operator()(std::int64_t i) const { out[i] = convert<To>(in[i]); }  ///< for element i
};

/// Transposes the planes of a batch: [batch, rows, columns] to [batch, columns, rows].
template <class T>
struct SwapPlanes {
    const T* in;                 ///< source
    T* out;                      ///< destination
    std::int64_t rows, columns;  ///< extents of a source plane
    /// Writes the element of row `row` in plane and column `batch_and_column` = batch * columns + column.
    RADIAL_HD void operator()(std::int64_t batch_and_column, std::int64_t row) const {
        const std::int64_t batch = batch_and_column / columns, column = batch_and_column % columns;
        out[batch_and_column * rows + row] = in[(batch * rows + row) * columns + column];
    }
};

/// Two numbers that are summed together.
template <class T>
struct Pair {
    T first{}, second{};  ///< the numbers
    /// Adds the numbers pairwise.
    RADIAL_HD Pair& operator+=(const Pair& other) {
        first += other.first;
        second += other.second;
        return *this;
    }
};

/// N consecutive numbers, aligned so that a device loads up to 16 bytes at once.
template <class T, int N>
struct alignas(sizeof(T) * N <= 16 ? sizeof(T) * N : 16) Pack {
    T value[N];  ///< the numbers
    /// Adds the numbers elementwise.
    RADIAL_HD Pack& operator+=(const Pack& other) {
        for (int i = 0; i < N; ++i) value[i] += other.value[i];
        return *this;
    }
};
/// The number of values of type T that fit into 16 bytes.
template <class T>
inline constexpr int pack_width = static_cast<int>(16 / sizeof(T));

/// Maps a type to the type in which sums of many values are accumulated: double for a number.
template <class V>
struct WideOf {
    using type = double;                                                   ///< the type of the sum
    RADIAL_HD static double widen(V v) { return static_cast<double>(v); }  ///< `v` as that type
};
/// Each number of a pair is widened.
template <class T>
struct WideOf<Pair<T>> {
    using type = Pair<typename WideOf<T>::type>;  ///< the type of the sum
    /// `v` as that type.
    RADIAL_HD static type widen(const Pair<T>& v) { return {WideOf<T>::widen(v.first), WideOf<T>::widen(v.second)}; }
};
/// Each number of a pack is widened.
template <class T, int N>
struct WideOf<Pack<T, N>> {
    using type = Pack<typename WideOf<T>::type, N>;  ///< the type of the sum
    /// `v` as that type.
    RADIAL_HD static type widen(const Pack<T, N>& v) {
        type wide{};
        for (int i = 0; i < N; ++i) wide.value[i] = WideOf<T>::widen(v.value[i]);
        return wide;
    }
};
/// The type in which sums of many V are accumulated.
template <class V>
using Wide = typename WideOf<V>::type;

/// min(max(v, 0), 6). NaN stays NaN.
template <class V>
RADIAL_HD V up_to_six(V v) {
    const V above = v < 0 ? V{0} : v;
    return above > 6 ? V{6} : above;
}

/// exp(x) with an error of at most 2 units in the last place. On the host, the result is 0 if it would be below the
/// smallest normal number, 1.2e-38.
RADIAL_HD inline float exponential(float x) {
#ifdef __CUDA_ARCH__
    return expf(x);
#else
    // x = n ln 2 + r. e^r is computed by a polynomial (expf of Cephes), 2^n by setting the exponent bits.
    constexpr float lowest = -87.33654F, highest = 88.72283F, log2e = 1.44269504F;
    constexpr float ln2_high = 0.693359375F, ln2_low = -2.12194440e-4F;
    constexpr float magic = 12582912.0F;  // adding it puts the nearest integer into the low bits
    const float clamped = x < lowest ? lowest : x > highest ? highest : x;
    const float shifted = clamped * log2e + magic, n = shifted - magic;
    const float r = (clamped - n * ln2_high) - n * ln2_low;
    float p = 1.9875691500e-4F;
    p = p * r + 1.3981999507e-3F;
    p = p * r + 8.3334519073e-3F;
    p = p * r + 4.1665795894e-2F;
    p = p * r + 1.6666665459e-1F;
    p = p * r + 5.0000001201e-1F;
    const float mantissa = p * r * r + r + 1.0F;
    // 2^n is applied in two steps, because 2^128 is not a float.
    const std::int32_t power = std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(magic);
    const std::int32_t half = power >> 1, rest = power - half;
    constexpr std::int32_t bias = 127, fraction_bits = 23;
    const float result = mantissa * std::bit_cast<float>((half + bias) << fraction_bits) *
                         std::bit_cast<float>((rest + bias) << fraction_bits);
    const float capped = x > highest ? std::numeric_limits<float>::infinity() : result;
    return x < lowest ? 0.0F : capped;
#endif
}
/// exp(x) of the standard library.
RADIAL_HD inline double exponential(double x) { return std::exp(x); }

/// The distribution function and the density of N(0, 1) at a point.
template <class V>
struct NormalAt {
    V cdf;      ///< probability of a smaller value
    V density;  ///< derivative of `cdf`
};
/// The normal distribution at x, computed with one exponential in a form that the compiler can vectorise. Relative
/// errors are at most 6e-7 within 4 standard deviations, and 5e-6 further out, where x^2 / 2 loses digits. Beyond 13.2
/// standard deviations the smaller tail is 0.
RADIAL_HD inline NormalAt<float> normal_at(float x) {
    // The smaller tail is e^(-x^2 / 2) q(t) with t = 1 / (1 + 0.23 |x|). The polynomial q was fitted for |x| < 13.3.
    const float size = x < 0 ? -x : x, t = 1 / (1 + 0.23F * size), bell = exponential(-0.5F * x * x);
    float q = -7.84098728e-2F;
    q = q * t + 2.90121417e-1F;
    q = q * t - 2.77490784e-1F;
    q = q * t + 3.00701932e-1F;
    q = q * t - 3.23515807e-2F;
    q = q * t + 1.19253027e-1F;
    q = q * t + 8.58356324e-2F;
    q = q * t + 9.23672337e-2F;
    q = q * t - 2.70284288e-5F;
    const float tail = bell * q;
    return {x < 0 ? tail : 1 - tail, 0.398942280F * bell};
}
/// The normal distribution at x, computed with the standard library.
RADIAL_HD inline NormalAt<double> normal_at(double x) {
    constexpr double root_half = 0.70710678118654752, density_at_0 = 0.39894228040143268;
    return {std::erfc(-x * root_half) / 2, density_at_0 * std::exp(-x * x / 2)};
}

}  // namespace radial::kernels
