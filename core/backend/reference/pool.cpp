// Reference pooling. Positions outside the image take no part: neither in a maximum nor in an average's count.
#include "radial/core/backend/kernels/pool.h"
#include "radial/core/backend/reference/reference_backend.h"
#include "radial/core/kernels/launch.h"
#include "radial/core/tensor/types.h"

namespace radial {
namespace {

template <class P>
P* packs(const Tensor& tensor) {
    return static_cast<P*>(tensor.raw());
}

/// How many channels a lane takes: as many as fill 16 bytes where the channels divide so and begin at such an address.
template <class T>
int width_for(const Tensor& a, const Tensor& b) {
    constexpr std::uintptr_t unit = 16;
    const auto aligned = [](const Tensor& t) { return reinterpret_cast<std::uintptr_t>(t.raw()) % unit == 0; };
    return a.size(1) % kernels::pack_width<T> == 0 && aligned(a) && aligned(b) ? kernels::pack_width<T> : 1;
}

/// f(std::integral_constant<int, V>) with V the channels a lane takes.
template <class T, class F>
void with_width(const Tensor& a, const Tensor& b, const F& f) {
    if (width_for<T>(a, b) == 1) return f(std::integral_constant<int, 1>{});
    f(std::integral_constant<int, kernels::pack_width<T>>{});
}

/// f(Tap{}) with the type in which a window's taps are numbered.
template <class F>
void with_tap(DType dtype, const F& f) {
    if (dtype == DType::uint8) return f(std::uint8_t{});
    f(std::int32_t{});
}
DType tap_dtype(const PoolGeometry& g) { return g.window_h * g.window_w <= 256 ? DType::uint8 : DType::int32; }

/// One lane a pack of channels of each pixel of `target`.
template <class F>
void for_each_pixel(const Tensor& target, const kernels::Pooling& pooling, const F& f) {
    kernels::map2(target.device(), target.size(0) * target.size(2) * target.size(3), pooling.packs, f);
}

template <class T>
void max_forward(const Tensor& x, const PoolGeometry& g, const Tensor& y, const Tensor& taps) {
    with_width<T>(x, y, [&](auto width) {
        constexpr int V = width;
        with_tap(tap_dtype(g), [&](auto tap) {
            using Tap = decltype(tap);
            using kernels::Pack;
            const kernels::MaxPool<T, Tap, V> f{packs<const Pack<T, V>>(x), packs<Pack<T, V>>(y),
                                                taps.defined() ? packs<Pack<Tap, V>>(taps) : nullptr,
                                                kernels::Pooling(g, x, y, V)};
            for_each_pixel(y, f.p, f);
        });
    });
}

template <class T>
void max_backward(const Tensor& dy, const Tensor& taps, const PoolGeometry& g, const Tensor& dx) {
    with_width<T>(dx, dy, [&](auto width) {
        constexpr int V = width;
        with_tap(taps.dtype(), [&](auto tap) {
            using Tap = decltype(tap);
            using kernels::Pack;
            const kernels::MaxPoolGradient<T, Tap, V> f{packs<const Pack<T, V>>(dy), packs<const Pack<Tap, V>>(taps),
                                                        packs<Pack<T, V>>(dx), kernels::Pooling(g, dx, dy, V)};
            for_each_pixel(dx, f.p, f);
        });
    });
}

template <class T>
void average_forward(const Tensor& x, const PoolGeometry& g, const Tensor& y) {
    with_width<T>(x, y, [&](auto width) {
        constexpr int V = width;
        using kernels::Pack;
        const kernels::AveragePool<T, V> f{packs<const Pack<T, V>>(x), packs<Pack<T, V>>(y),
                                           kernels::Pooling(g, x, y, V)};
        for_each_pixel(y, f.p, f);
    });
}

template <class T>
void average_backward(const Tensor& dy, const PoolGeometry& g, const Tensor& dx) {
    with_width<T>(dx, dy, [&](auto width) {
        constexpr int V = width;
        using kernels::Pack;
        const kernels::AveragePoolGradient<T, V> f{packs<const Pack<T, V>>(dy), packs<Pack<T, V>>(dx),
                                                   kernels::Pooling(g, dx, dy, V)};
        for_each_pixel(dx, f.p, f);
    });
}

}  // namespace

Tensor ReferenceBackend::pool_forward(PoolKind kind, const Tensor& x, const PoolGeometry& geometry, const Tensor& y,
                                      bool training) {
    const bool keeps = kind == PoolKind::max && training;
    const Tensor taps = keeps ? Tensor::empty(y.shape(), tap_dtype(geometry), y.device(), y.layout()) : Tensor{};
    dispatch_activation(x.dtype(), "reference pooling", [&]<class T>(T) {
        if (kind == PoolKind::max) {
            max_forward<T>(x, geometry, y, taps);
        } else {
            average_forward<T>(x, geometry, y);
        }
    });
    return taps;
}

void ReferenceBackend::pool_backward(PoolKind kind, const Tensor& dy, const Tensor& workspace,
                                     const PoolGeometry& geometry, const Tensor& dx) {
    dispatch_activation(dy.dtype(), "reference pooling", [&]<class T>(T) {
        if (kind == PoolKind::max) {
            max_backward<T>(dy, workspace, geometry, dx);
        } else {
            average_backward<T>(dy, geometry, dx);
        }
    });
}

}  // namespace radial
