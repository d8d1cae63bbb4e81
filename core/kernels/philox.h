// Philox 4x32-10 random numbers (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
#pragma once

#include "radial/core/kernels/host_device.h"

#include <cstdint>

namespace radial::kernels {

/// One block of random bits.
struct Philox4 {
    std::uint32_t word[4];  ///< 32 random bits each
};

/// The block for the key `seed` and the 128-bit counter `high`:`low`.
RADIAL_HD inline Philox4 philox(std::uint64_t seed, std::uint64_t low, std::uint64_t high) {
    std::uint32_t c0 = static_cast<std::uint32_t>(low), c1 = static_cast<std::uint32_t>(low >> 32);
    std::uint32_t c2 = static_cast<std::uint32_t>(high), c3 = static_cast<std::uint32_t>(high >> 32);
    std::uint32_t k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t p0 = std::uint64_t{0xD2511F53} * c0;
        const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * c2;
        const std::uint32_t n0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
        const std::uint32_t n2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
        c1 = static_cast<std::uint32_t>(p1);
        c3 = static_cast<std::uint32_t>(p0);
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    return {{c0, c1, c2, c3}};
}

/// Block `counter` of the stream `seed`.
RADIAL_HD inline Philox4 philox(std::uint64_t seed, std::uint64_t counter) { return philox(seed, counter, 0); }

/// Number `index` of the stream `seed`: word index % 4 of block index / 4.
RADIAL_HD inline std::uint32_t random_bits(std::uint64_t seed, std::uint64_t index) {
    return philox(seed, index / 4).word[index % 4];
}

/// The upper 24 bits of `bits` as a number in [0, 1).
RADIAL_HD inline float to_unit(std::uint32_t bits) { return static_cast<float>(bits >> 8) * 0x1p-24F; }

}  // namespace radial::kernels
