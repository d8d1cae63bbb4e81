// Small values that kernels compute with: pairs of sums, and packs that are loaded as one word of up to 16 bytes.
#pragma once

#include "radial/core/kernels/bfloat16.h"
#include "radial/core/kernels/host_device.h"

#include <cstdint>

namespace radial::kernels {

/// Two numbers that are summed together.
template <class T>
struct Pair {
    T first{}, second{};  ///< the numbers
    /// Adds each number.
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
    /// Adds each number.
    RADIAL_HD Pack& operator+=(const Pack& other) {
        for (int i = 0; i < N; ++i) value[i] += other.value[i];
        return *this;
    }
};
/// How many numbers of type T fit into 16 bytes.
template <class T>
inline constexpr int pack_width = static_cast<int>(16 / sizeof(T));

/// Maps a type to the one in which many values of it are summed: double for a number.
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
/// The type in which many V are summed.
template <class V>
using Wide = typename WideOf<V>::type;

}  // namespace radial::kernels
