// Loops over a short row, and rounding of rows to bfloat16.
#pragma once

#include "radial/core/kernels/bfloat16.h"

#include <bit>
#include <cstdint>

#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

namespace radial::rounding {

inline constexpr std::int64_t vector = 16;

/// Calls f(i) for i in [0, count), in vectors of 16: the compiler's own vectors for bfloat16 are so long that many of a
/// short row's elements would be processed one by one. The last vector overlaps the one before, so f may be called
/// twice for an i.
template <class F>
void each_column(std::int64_t count, const F& f) {
    const std::int64_t whole = count / vector * vector;
#pragma omp simd simdlen(16)
    for (std::int64_t i = 0; i < whole; ++i) f(i);
    if (whole == count) return;
    const std::int64_t last = count - vector;
    if (last >= 0) {
#pragma omp simd simdlen(16)
        for (std::int64_t i = 0; i < vector; ++i) f(last + i);
        return;
    }
    const std::int64_t quads = count / 4 * 4;
#pragma omp simd simdlen(4)
    for (std::int64_t i = 0; i < quads; ++i) f(i);
    for (std::int64_t i = quads; i < count; ++i) f(i);
}

#ifdef __AVX512BF16__

/// The bits of 16 bfloat16 numbers, and the same bits in the lower halves of 16 words of 32 bits.
using Bits __attribute__((vector_size(32), aligned(2), may_alias)) = std::uint16_t;
using WideBits __attribute__((vector_size(64), aligned(4), may_alias)) = std::uint32_t;

/// The bits of the 16 numbers from p on, rounded. The instruction rounds as bfloat16() does, except that numbers
/// smaller than the smallest normal one become 0.
inline Bits bits_of(const float* p) { return std::bit_cast<Bits>(_mm512_cvtneps_pbh(_mm512_loadu_ps(p))); }

#endif

/// to[i] = from[i], rounded, for i in [0, count).
inline void round_row(const float* from, std::int64_t count, bfloat16* to) {
    std::int64_t i = 0;
#ifdef __AVX512BF16__
    for (; i + vector <= count; i += vector) *reinterpret_cast<Bits*>(to + i) = bits_of(from + i);
#endif
#pragma omp simd
    for (std::int64_t k = i; k < count; ++k) to[k] = bfloat16(from[k]);
}

/// For i in [0, count), rounds lower[i] and upper[i] to bfloat16 and stores their bits in the lower and upper half of
/// out[i].
inline void round_pairs(const float* lower, const float* upper, std::int64_t count, std::uint32_t* out) {
    std::int64_t i = 0;
#ifdef __AVX512BF16__
    for (; i + vector <= count; i += vector) {
        const WideBits low = __builtin_convertvector(bits_of(lower + i), WideBits),
                       high = __builtin_convertvector(bits_of(upper + i), WideBits);
        *reinterpret_cast<WideBits*>(out + i) = low | high << 16;
    }
#endif
#pragma omp simd
    for (std::int64_t k = i; k < count; ++k)
        out[k] = bfloat16(lower[k]).bits | std::uint32_t{bfloat16(upper[k]).bits} << 16;
}

}  // namespace radial::rounding
