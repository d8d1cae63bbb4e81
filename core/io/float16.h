// IEEE 754's 16-bit floating-point numbers, which files of weights may hold.
#pragma once

#include <bit>
#include <cstdint>

namespace radial {

/// The number that the bits stand for; float32 holds every one, a NaN with its payload.
inline float float_from_float16(std::uint16_t bits) {
    const std::uint32_t sign = (bits & 0x8000U) << 16, magnitude = (bits & 0x7FFFU) << 13;
    if ((bits & 0x7C00U) == 0x7C00U) return std::bit_cast<float>(sign | magnitude | 0x7F800000U);
    // The exponent is biased by 15 and float32's by 127; a product also takes care of subnormal numbers.
    const float value = std::bit_cast<float>(magnitude) * 0x1p112F;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(value));
}

}  // namespace radial
