// Loads and stores of 16 bytes of activations at a time as floats, the check whether this is possible, and the addition
// of a convolution's bias in such packs.
#pragma once

#include "radial/core/kernels/values.h"
#include "radial/core/tensor/tensor.h"
#include "radial/core/util/error.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <type_traits>

namespace radial::kernels {

template <int N>
using Floats = Pack<float, N>;

/// Loads N numbers from `from`, which must be aligned to 16 bytes unless N is 1.
template <int N, class X>
RADIAL_HD Floats<N> load(const X* from) {
    const auto raw = *reinterpret_cast<const Pack<X, N>*>(from);
    Floats<N> values;
    for (int k = 0; k < N; ++k) values.value[k] = convert<float>(raw.value[k]);
    return values;
}
template <int N, class X>
RADIAL_HD void store(X* to, const Floats<N>& values) {
    Pack<X, N> raw;
    for (int k = 0; k < N; ++k) raw.value[k] = convert<X>(values.value[k]);
    *reinterpret_cast<Pack<X, N>*>(to) = raw;
}

/// Calls f(X{}, std::integral_constant<int, N>{}), where X is the type of `x`, float32 or bfloat16, and N is the number
/// of channels per lane: 16 bytes of X if the number of x's channels and the addresses of all `tensors` allow it, else
/// 1. Throws Error naming `what` for other types.
template <class F>
void dispatch_pack(const Tensor& x, std::initializer_list<const Tensor*> tensors, std::string_view what, const F& f) {
    RADIAL_CHECK(x.dtype() == DType::float32 || x.dtype() == DType::bfloat16,
                 "{}: dtype is {}, expected float32 or bfloat16", what, name_of(x.dtype()));
    const bool aligned = std::all_of(tensors.begin(), tensors.end(), [](const Tensor* t) {
        return !t->defined() || reinterpret_cast<std::uintptr_t>(t->raw()) % 16 == 0;
    });
    const auto call = [&](auto zero) {
        constexpr int wide = pack_width<decltype(zero)>;
        if (aligned && x.size(1) % wide == 0) {
            f(zero, std::integral_constant<int, wide>{});
        } else {
            f(zero, std::integral_constant<int, 1>{});
        }
    };
    if (x.dtype() == DType::float32) return call(float{});
    call(bfloat16{});
}

/// y += bias. B is the type of the bias.
template <class X, class B, int N>
struct AddBias {
    X* y;
    const B* bias;
    std::int64_t channels;
    RADIAL_HD void operator()(std::int64_t r, std::int64_t c) const {
        Floats<N> sum = load<N>(y + r * channels + c * N);
        for (int k = 0; k < N; ++k) sum.value[k] += convert<float>(bias[c * N + k]);
        store<N>(y + r * channels + c * N, sum);
    }
};

template <class X, int N>
struct ReadRows {
    const X* x;
    std::int64_t channels;
    RADIAL_HD Floats<N> operator()(std::int64_t r, std::int64_t c) const { return load<N>(x + r * channels + c * N); }
};
template <class B, int N>
struct StoreSums {
    B* out;
    RADIAL_HD void operator()(std::int64_t c, const Wide<Floats<N>>& total) const {
        for (int k = 0; k < N; ++k) out[c * N + k] = convert<B>(total.value[k]);
    }
};

}  // namespace radial::kernels
