// What the ops share: checks, the walk over channels in either layout, sums over broadcast dimensions, and how the
// loops of kernels/elementwise.h are launched.
#pragma once

#include "radial/core/autograd/node.h"
#include "radial/core/kernels/launch.h"
#include "radial/core/ops.h"
#include "radial/core/ops/kernels/elementwise.h"
#include "radial/core/tensor/types.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace radial::ops {

/// Throws Error unless `x` is defined and floating.
void check_floating(std::string_view op, std::string_view what, const Tensor& x);
/// Throws Error unless `b` has `a`'s dtype and device.
void check_alike(std::string_view op, const Tensor& a, std::string_view what, const Tensor& b);
/// Throws Error unless `b` is on `a`'s device.
void check_device(std::string_view op, const Tensor& a, std::string_view what, const Tensor& b);
/// Throws Error unless `x` has `rank` dimensions; `expected` spells them: "[N, C, H, W]".
void check_rank(std::string_view op, std::string_view what, const Tensor& x, int rank, std::string_view expected);
/// Throws Error unless `labels` is int64 [batch] with values in [0, classes). The values of labels on a device are
/// checked there, and the next synchronize() reports wrong ones, so kernels must accept any value.
void check_labels(std::string_view op, const Tensor& labels, std::int64_t batch, std::int64_t classes);
/// Throws Error unless `x` is a floating [N, C] with at least one sample and class.
void check_given(std::string_view op, std::string_view name, const Tensor& x);
/// `dim` counted from the front. Throws Error when out of range.
int checked_dim(std::string_view op, const Tensor& x, int dim);

/// A tensor in memory order, seen around one of its dimensions.
struct Blocks {
    std::int64_t outer, extent, inner;
};
/// The tensor around logical dimension `dim`: element (o, e, i) lies at (o * extent + e) * inner + i.
Blocks blocks_around(const Tensor& x, int dim);

/// `x` in `y`'s layout (rank 4), or as it is.
inline Tensor like_layout(const Tensor& x, const Tensor& y) { return x.to(y.layout()); }
/// Where a result of `x`'s shape, dtype and layout may go: `x`'s own memory when nothing else reads it.
inline Tensor reuse_or_empty(Tensor& x) { return x.exclusive() ? x : Tensor::empty_like(x); }

/// Whether an op may write its result over its input: no one else can read the elements, no op has kept them for
/// backward (that would be a second share in the storage), and the input is not a leaf that the user trains.
inline bool may_overwrite(const Tensor& x) {
    const bool trained_leaf = x.requires_grad() && x.impl()->producer == nullptr;
    return x.exclusive() && !trained_leaf;
}

/// The shape that `a` and `b` broadcast to. Throws Error when they do not.
Shape broadcast_shape(std::string_view op, const Shape& a, const Shape& b);
/// A copy of `x` stretched to `shape`, in `layout`.
Tensor broadcast_to(const Tensor& x, const Shape& shape, Layout layout = Layout::row_major);
/// How a row-major tensor of shape `from` is read to be stretched to `shape`, in the memory order of `layout`. `shape`
/// has elements.
kernels::Stretch stretch(const Shape& from, const Shape& shape, Layout layout);
/// The sum of `grad` over the dimensions along which `shape` was stretched: the adjoint of broadcast_to.
Tensor sum_to(const Tensor& grad, const Shape& shape);

/// [C] sums over everything but dimension 1 of x, as `dtype` (float32, float64 or bfloat16).
Tensor channel_sums(const Tensor& x, DType dtype);
/// The same in x's dtype.
inline Tensor channel_sums(const Tensor& x) { return channel_sums(x, x.dtype()); }

/// Throws Error unless `weight` is on `x`'s device and has its dtype, or is float32 beside a bfloat16 `x`.
inline void check_weight(std::string_view op, const Tensor& x, std::string_view what, const Tensor& weight) {
    const bool mixed = x.dtype() == DType::bfloat16 && weight.defined() && weight.dtype() == DType::float32;
    if (!mixed) return check_alike(op, x, what, weight);
    RADIAL_CHECK(x.device() == weight.device(), "{}: {} is on {}, expected {}", op, what, weight.device().str(),
                 x.device().str());
}

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
