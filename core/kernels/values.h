// Small values that kernels compute with: pairs of sums, and packs that are loaded as one word of 16 bytes.
#pragma once

#include "radial/core/kernels/bfloat16.h"
#include "radial/core/kernels/host_device.h"

#include <cstdint>

namespace radial::kernels {

/// Two sums formed together.
template <class T>
struct Pair {
    T first{}, second{};
    RADIAL_HD Pair& operator+=(const Pair& other) {
        first += other.first;
        second += other.second;
        return *this;
    }
};

/// N neighbouring numbers; aligned so that a device loads 16 bytes at once.
template <class T, int N>
struct alignas(sizeof(T) * N <= 16 ? sizeof(T) * N : 16) Pack {
    T value[N];
    RADIAL_HD Pack& operator+=(const Pack& other) {
        for (int i = 0; i < N; ++i) value[i] += other.value[i];
        return *this;
    }
};
/// Numbers of T in 16 bytes.
template <class T>
inline constexpr int pack_width = static_cast<int>(16 / sizeof(T));

/// The type in which many V are summed: double for a number.
template <class V>
struct WideOf {
    using type = double;
    RADIAL_HD static double widen(V v) { return static_cast<double>(v); }
};
template <class T>
struct WideOf<Pair<T>> {
    using type = Pair<typename WideOf<T>::type>;
    RADIAL_HD static type widen(const Pair<T>& v) { return {WideOf<T>::widen(v.first), WideOf<T>::widen(v.second)}; }
};
template <class T, int N>
struct WideOf<Pack<T, N>> {
    using type = Pack<typename WideOf<T>::type, N>;
    RADIAL_HD static type widen(const Pack<T, N>& v) {
        type wide{};
        for (int i = 0; i < N; ++i) wide.value[i] = WideOf<T>::widen(v.value[i]);
        return wide;
    }
};
template <class V>
using Wide = typename WideOf<V>::type;

}  // namespace radial::kernels
