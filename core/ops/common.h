// Helpers shared by the ops: checks, access by channel in either layout, sums over broadcast dimensions, and functions
// that launch the loops in kernels/elementwise.h.
#pragma once

#include "radial/core/autograd/node.h"
#include "radial/core/kernels/launch.h"
#include "radial/core/ops.h"
#include "radial/core/ops/kernels/elementwise.h"
#include "radial/core/tensor/types.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace radial::ops {

/// Throws Error unless `x` is defined and has a floating-point dtype.
void check_floating(std::string_view op, std::string_view what, const Tensor& x);
/// Throws Error unless `b` has the dtype and device of `a`.
void check_alike(std::string_view op, const Tensor& a, std::string_view what, const Tensor& b);
/// Throws Error unless `b` is on the device of `a`.
void check_device(std::string_view op, const Tensor& a, std::string_view what, const Tensor& b);
/// Throws Error unless `x` has `rank` dimensions. `expected` is the shape for the message, such as "[N, C, H, W]".
void check_rank(std::string_view op, std::string_view what, const Tensor& x, int rank, std::string_view expected);
/// Throws Error unless `labels` is int64 [batch] with values in [0, classes). If `labels` is on a device, the values
/// are checked there and the next synchronize() reports wrong ones, so kernels must tolerate any value.
void check_labels(std::string_view op, const Tensor& labels, std::int64_t batch, std::int64_t classes);
/// Throws Error unless `x` is a floating-point [N, C] tensor with at least one sample and one class.
void check_given(std::string_view op, std::string_view name, const Tensor& x);
/// Converts `dim`, which may be negative, to an index counted from the front. Throws Error when it is out of range.
int checked_dim(std::string_view op, const Tensor& x, int dim);

/// A tensor's memory viewed as [outer, extent, inner], where `extent` is that of one chosen dimension.
struct Blocks {
    std::int64_t outer, extent, inner;
};
/// Views `x` around logical dimension `dim`: element (o, e, i) is at offset (o * extent + e) * inner + i.
Blocks blocks_around(const Tensor& x, int dim);

/// `x` converted to the layout of `y` (rank 4). Returns `x` itself if it already has that layout.
inline Tensor like_layout(const Tensor& x, const Tensor& y) { return x.to(y.layout()); }
/// The output tensor for a result with the shape, dtype and layout of `x`: `x` itself if nothing else reads it, else a
/// new tensor.
inline Tensor reuse_or_empty(Tensor& x) { return x.exclusive() ? x : Tensor::empty_like(x); }

/// Whether an op may write its result over its input. True if nothing else can read the elements, no op has saved them
/// for backward (that would be a second reference to the storage), and the input is not a leaf that requires a
/// gradient.
inline bool may_overwrite(const Tensor& x) {
    const bool trained_leaf = x.requires_grad() && x.impl()->producer == nullptr;
    return x.exclusive() && !trained_leaf;
}

/// The shape that `a` and `b` broadcast to. Throws Error when they cannot be broadcast.
Shape broadcast_shape(std::string_view op, const Shape& a, const Shape& b);
/// A copy of `x` broadcast to `shape`, in `layout`.
Tensor broadcast_to(const Tensor& x, const Shape& shape, Layout layout = Layout::row_major);
/// The strides for reading a row-major tensor of shape `from` as if it were broadcast to `shape`, in the memory order
/// of `layout`. `shape` must not be empty.
kernels::Stretch stretch(const Shape& from, const Shape& shape, Layout layout);
/// The sum of `grad` over the dimensions along which `shape` was broadcast: the adjoint of broadcast_to().
Tensor sum_to(const Tensor& grad, const Shape& shape);

/// Sums over all dimensions of x except dimension 1: [C], as `dtype` (float32, float64 or bfloat16).
Tensor channel_sums(const Tensor& x, DType dtype);
/// The same in x's dtype.
inline Tensor channel_sums(const Tensor& x) { return channel_sums(x, x.dtype()); }

/// Throws Error unless `weight` is on the device of `x` and has its dtype; float32 weights are also allowed for
/// bfloat16 `x`.
inline void check_weight(std::string_view op, const Tensor& x, std::string_view what, const Tensor& weight) {
    const bool mixed = x.dtype() == DType::bfloat16 && weight.defined() && weight.dtype() == DType::float32;
    if (!mixed) return check_alike(op, x, what, weight);
    RADIAL_CHECK(x.device() == weight.device(), "{}: {} is on {}, expected {}", op, what, weight.device().str(),
                 x.device().str());
}

/// Whether `count` elements at these addresses can be processed in packs of `width` on `device`. Always false on the
/// CPU, where the compiler vectorises the loops.
template <class... P>
bool in_packs(Device device, std::int64_t count, int width, const P*... addresses) {
    const auto aligned = [](const void* p) { return reinterpret_cast<std::uintptr_t>(p) % 16 == 0; };
    return device.kind == Device::Kind::cuda && count % width == 0 && (aligned(addresses) && ...);
}

/// out[i] = g(in[i]). `out` may equal `in`.
template <class To, class From, class G>
void apply(Device device, std::int64_t count, const G& g, const From* in, To* out) {
    constexpr int width = std::max(kernels::pack_width<To>, kernels::pack_width<From>);
    if (in_packs(device, count, width, in, out)) {
        kernels::map(device, count / width, kernels::Unary<To, From, G, width>{{g}, in, out});
    } else {
        kernels::map(device, count, kernels::Unary<To, From, G, 1>{{g}, in, out});
    }
}

/// out[i] = g(a[i], b[i]). `out` may equal `a` or `b`.
template <class T, class G>
void apply(Device device, std::int64_t count, const G& g, const T* a, const T* b, T* out) {
    constexpr int width = kernels::pack_width<T>;
    if (in_packs(device, count, width, a, b, out)) {
        kernels::map(device, count / width, kernels::Binary<T, G, width>{{g}, a, b, out});
    } else {
        kernels::map(device, count, kernels::Binary<T, G, 1>{{g}, a, b, out});
    }
}

/// Writes y = f(x) to `y` and records the op with F::derivative as its backward. Saves y if F::keeps_result, else x.
template <class F>
Tensor transform(std::string_view op, const Tensor& x, const Tensor& y, const F& f,
                 std::initializer_list<OpAttribute> attributes = {}) {
    dispatch_activation(x.dtype(), op, [&](auto zero) {
        using T = decltype(zero);
        apply(x.device(), x.numel(), f, x.data<const T>(), y.data<T>());
    });
    const Saved saved(F::keeps_result ? y : x, op, F::keeps_result ? "result" : "input");
    const auto backward = [saved, op, f](Tensor dy, Needs) -> Grads {
        const Tensor kept = saved.get();
        dy = like_layout(dy, kept);
        const Tensor dx = reuse_or_empty(dy);
        dispatch_activation(dy.dtype(), op, [&](auto zero) {
            using T = decltype(zero);
            apply(dy.device(), dy.numel(), kernels::Derivative<F>{f}, dy.data<const T>(), kept.data<const T>(),
                  dx.data<T>());
        });
        return {dx};
    };
    return record(op, y, {x}, backward, attributes);
}

/// y = f(x) in newly allocated memory.
template <class F>
Tensor transform(std::string_view op, const Tensor& x, const F& f, std::initializer_list<OpAttribute> attributes = {}) {
    check_floating(op, "the input", x);
    return transform(op, x, Tensor::empty_like(x), f, attributes);
}

}  // namespace radial::ops
