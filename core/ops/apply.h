// How ops launch the loops of kernels/elementwise.h.
#pragma once

#include "radial/core/autograd/node.h"
#include "radial/core/ops/common.h"
#include "radial/core/ops/kernels/elementwise.h"

#include <algorithm>
#include <cstdint>

namespace radial::ops {

/// Whether `count` elements at these addresses can be taken in packs of `width` on `device`. On the CPU they never are:
/// there the compiler chooses.
template <class... P>
bool in_packs(Device device, std::int64_t count, int width, const P*... addresses) {
    const auto aligned = [](const void* p) { return reinterpret_cast<std::uintptr_t>(p) % 16 == 0; };
    return device.kind == Device::Kind::cuda && count % width == 0 && (aligned(addresses) && ...);
}

/// out[i] = g(in[i]); `out` may be `in`.
template <class To, class From, class G>
void apply(Device device, std::int64_t count, const G& g, const From* in, To* out) {
    constexpr int width = std::max(kernels::pack_width<To>, kernels::pack_width<From>);
    if (in_packs(device, count, width, in, out)) {
        kernels::map(device, count / width, kernels::Unary<To, From, G, width>{{g}, in, out});
    } else {
        kernels::map(device, count, kernels::Unary<To, From, G, 1>{{g}, in, out});
    }
}

/// out[i] = g(a[i], b[i]); `out` may be `a` or `b`.
template <class T, class G>
void apply(Device device, std::int64_t count, const G& g, const T* a, const T* b, T* out) {
    constexpr int width = kernels::pack_width<T>;
    if (in_packs(device, count, width, a, b, out)) {
        kernels::map(device, count / width, kernels::Binary<T, G, width>{{g}, a, b, out});
    } else {
        kernels::map(device, count, kernels::Binary<T, G, 1>{{g}, a, b, out});
    }
}

/// y = f(x) into `y`, recorded with F::derivative. Keeps what that reads: y where F::keeps_result, else x.
template <class F>
Tensor transform(std::string_view op, const Tensor& x, const Tensor& y, const F& f) {
    dispatch_activation(x.dtype(), op, [&](auto zero) {
        using T = decltype(zero);
        apply(x.device(), x.numel(), f, x.data<const T>(), y.data<T>());
    });
    const Saved saved(F::keeps_result ? y : x, op, F::keeps_result ? "result" : "input");
    return record(op, y, {x}, [saved, op](Tensor dy, Needs) -> Grads {
        const Tensor kept = saved.get();
        dy = like_layout(dy, kept);
        const Tensor dx = reuse_or_empty(dy);
        dispatch_activation(dy.dtype(), op, [&](auto zero) {
            using T = decltype(zero);
            apply(dy.device(), dy.numel(), kernels::Derivative<F>{}, dy.data<const T>(), kept.data<const T>(),
                  dx.data<T>());
        });
        return {dx};
    });
}

/// y = f(x) in memory of its own.
template <class F>
Tensor transform(std::string_view op, const Tensor& x, const F& f) {
    check_floating(op, "the input", x);
    return transform(op, x, Tensor::empty_like(x), f);
}

}  // namespace radial::ops
