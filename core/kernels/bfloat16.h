// bfloat16: the upper half of a float32, for activations on devices with fast bfloat16 arithmetic.
#pragma once

#include "radial/core/kernels/host_device.h"

#include <concepts>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace radial {

/// A 16-bit floating-point number with float32's exponent and 8 significant bits. A storage type only: arithmetic
/// converts to float.
struct bfloat16 {        // NOLINT(readability-identifier-naming): named as the type that it is
    std::uint16_t bits;  ///< sign, exponent and fraction

    bfloat16() = default;
    bfloat16(const bfloat16&) = default;
    bfloat16& operator=(const bfloat16&) = default;
#ifndef __CUDACC__
    /// Assigns a temporary. The result is that of the default operator, but GCC vectorises only assignments of `bits`.
    /// Because this operator is a template, the type stays trivially copyable. A class with a member of this type keeps
    /// a trivial copy constructor but not a trivial move assignment, so device code omits the operator.
    template <std::same_as<bfloat16> T>
    bfloat16& operator=(T&& value) {  // NOLINT(*-missing-std-forward): copies bits
        bits = value.bits;
        return *this;
    }
#endif
    /// Rounds to nearest, ties to even. NaN stays NaN.
    RADIAL_HD explicit bfloat16(float value) : bits(round(value)) {}
    /// Rounds to float, then as the constructor for a float does.
    RADIAL_HD explicit bfloat16(double value) : bits(round(static_cast<float>(value))) {}
    /// The exact value.
    RADIAL_HD explicit operator float() const {
        const std::uint32_t wide = std::uint32_t{bits} << 16;
        float value;
        std::memcpy(&value, &wide, sizeof(value));
        return value;
    }
    /// The exact value.
    RADIAL_HD explicit operator double() const { return static_cast<double>(static_cast<float>(*this)); }

private:
    RADIAL_HD static std::uint16_t round(float value) {
        std::uint32_t wide;
        std::memcpy(&wide, &value, sizeof(wide));
        const std::uint32_t rounded = (wide + 0x7FFFU + (wide >> 16 & 1U)) >> 16;
        const std::uint32_t quiet = wide >> 16 | 0x40U;  // prevents a NaN from being rounded to infinity
        return static_cast<std::uint16_t>((wide & 0x7FFFFFFFU) > 0x7F800000U ? quiet : rounded);
    }
};

static_assert(std::is_trivially_copyable_v<bfloat16>);

/// Maps a type to the type that its numbers are computed in: float for bfloat16 and float, double for double.
template <class T>
struct ComputeOf {
    using type = T;  ///< the type to compute in
};
/// bfloat16 is computed in float.
template <>
struct ComputeOf<bfloat16> {
    using type = float;  ///< the type to compute in
};
/// The type to compute numbers of T in.
template <class T>
using Compute = typename ComputeOf<T>::type;

}  // namespace radial
