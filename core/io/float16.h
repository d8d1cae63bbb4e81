// Converts IEEE 754 half-precision (16-bit) floating-point numbers, which weight files may contain.
#pragma once

#include <bit>
#include <cstdint>

namespace radial {

/// The value of a float16 with these bits. float32 represents every such value exactly, including the payload of a NaN.
inline float float_from_float16(std::uint16_t bits) {
    const std::uint32_t sign = (bits & 0x8000U) << 16, magnitude = (bits & 0x7FFFU) << 13;
    if ((bits & 0x7C00U) == 0x7C00U) return std::bit_cast<float>(sign | magnitude | 0x7F800000U);
    // The exponent bias is 15 for float16 and 127 for float32. Scaling by a multiplication also handles subnormal
    // numbers.
    const float value = std::bit_cast<float>(magnitude) * 0x1p112F;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(value));
}

}  // namespace radial
