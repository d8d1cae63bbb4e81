// bfloat16: the upper half of a float32, for activations on devices that multiply it fast.
#pragma once

#include "radial/core/kernels/host_device.h"

#include <cstdint>
#include <cstring>

namespace radial {

/// A 16-bit float with float32's exponent and 8 significant bits. Only stored: arithmetic converts to float.
struct bfloat16 {  // NOLINT(readability-identifier-naming): named as the type that it is
    std::uint16_t bits;

    bfloat16() = default;
    /// Rounds to the nearest, ties to even; a NaN stays a NaN.
    RADIAL_HD explicit bfloat16(float value) : bits(round(value)) {}
    RADIAL_HD explicit bfloat16(double value) : bits(round(static_cast<float>(value))) {}
    RADIAL_HD explicit operator float() const {
        const std::uint32_t wide = std::uint32_t{bits} << 16;
        float value;
        std::memcpy(&value, &wide, sizeof(value));
        return value;
    }
    RADIAL_HD explicit operator double() const { return static_cast<double>(static_cast<float>(*this)); }

private:
    RADIAL_HD static std::uint16_t round(float value) {
        std::uint32_t wide;
        std::memcpy(&wide, &value, sizeof(wide));
        const std::uint32_t rounded = (wide + 0x7FFFU + (wide >> 16 & 1U)) >> 16;
        const std::uint32_t quiet = wide >> 16 | 0x40U;  // keeps a NaN from rounding to infinity
        return static_cast<std::uint16_t>((wide & 0x7FFFFFFFU) > 0x7F800000U ? quiet : rounded);
    }
};

/// What numbers of a type are computed in: float for bfloat16 and float, double for double.
template <class T>
struct ComputeOf {
    using type = T;
};
template <>
struct ComputeOf<bfloat16> {
    using type = float;
};
template <class T>
using Compute = typename ComputeOf<T>::type;

}  // namespace radial
