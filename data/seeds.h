// Derives seeds from seeds, for independent random streams.
#pragma once

#include <cstdint>

namespace radial::data {

/// The finaliser of SplitMix64 (Steele et al. 2014): a bijection in which every input bit affects every output bit.
inline std::uint64_t splitmix64(std::uint64_t x) {
    x += 0x9E3779B97F4A7C15;
    x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27U)) * 0x94D049BB133111EB;
    return x ^ (x >> 31U);
}

/// The seed of stream `number`, derived from `seed`. Both are hashed rather than added, so that adjacent seeds share no
/// stream.
inline std::uint64_t stream_seed(std::uint64_t seed, std::int64_t number) {
    return splitmix64(splitmix64(seed) ^ static_cast<std::uint64_t>(number));
}

}  // namespace radial::data
