// exp for loops that the compiler can vectorise. The standard library's is an opaque call.
#pragma once

#include "radial/core/kernels/host_device.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace radial::kernels {

/// exp(x) with an error of at most 2 units in the last place. 0 where the result would be below the smallest normal
/// number, 1.2e-38.
RADIAL_HD inline float exponential(float x) {
#ifdef __CUDA_ARCH__
    return expf(x);
#else
    // x = n ln 2 + r; e^r by a polynomial (Cephes' expf), 2^n by its bits.
    constexpr float lowest = -87.33654F, highest = 88.72283F, log2e = 1.44269504F;
    constexpr float ln2_high = 0.693359375F, ln2_low = -2.12194440e-4F;
    constexpr float magic = 12582912.0F;  // adding it leaves the nearest integer in the low bits
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
    // In two steps, because 2^128 is not a float.
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

}  // namespace radial::kernels
