// Elementwise functions of one to three tensors, which are broadcast to one shape, without recording on the tape.
#pragma once

#include "radial/core/kernels/launch.h"
#include "radial/core/ops/common.h"
#include "radial/core/ops/kernels/compare.h"

#include <cstdint>
#include <string_view>

namespace radial::ops {

/// Returns g(a, b), broadcast to one shape. If `a` does not have that shape, it is first broadcast by a copy; `b` is
/// broadcast while it is read.
template <class G>
Tensor combine(std::string_view op, const Tensor& a, const Tensor& b, const G& g) {
    check_floating(op, "the first tensor", a);
    check_alike(op, a, "the second tensor", b);
    const Shape shape = broadcast_shape(op, a.shape(), b.shape());
    const Layout wanted = b.shape() == shape ? b.layout() : Layout::row_major;
    const Tensor x = a.shape() == shape ? a : broadcast_to(a, shape, wanted);
    const Tensor result = Tensor::empty_like(x);
    const std::int64_t count = shape.numel();
    dispatch_activation(a.dtype(), op, [&](auto zero) {
        using T = decltype(zero);
        const T* const p = x.data<T>();
        T* const out = result.data<T>();
        if (b.shape() == shape) {
            const Tensor y = like_layout(b, x);
            apply(x.device(), count, g, p, y.data<const T>(), out);
        } else if (b.numel() == 1) {
            kernels::map(x.device(), count, kernels::BinaryWithOne<T, G>{{g}, p, b.data<T>(), out});
        } else if (count > 0) {
            const Tensor y = b.to(Layout::row_major);
            const kernels::Stretch at = stretch(b.shape(), shape, x.layout());
            kernels::rows(x.device(), count / at.inner, at.inner,
                          kernels::BinaryStretched<T, G>{{g}, p, y.data<T>(), out, at});
        }
    });
    return result;
}

/// Returns g(x) without recording a gradient. For functions of a tensor and numbers, such as addition of a number and
/// clamp(), and for functions whose gradient is 0 or does not exist, such as floor() and is_nan().
template <class G>
Tensor with_number(std::string_view op, const Tensor& x, const G& g) {
    check_floating(op, "the tensor", x);
    const Tensor y = Tensor::empty_like(x);
    dispatch_activation(x.dtype(), op, [&](auto zero) {
        using T = decltype(zero);
        apply(x.device(), x.numel(), g, x.data<const T>(), y.data<T>());
    });
    return y;
}

/// The strides for reading three tensors as if they were broadcast to `shape`, in the memory order of `layout`. Tensors
/// that have this shape are in this layout; the others are row-major. `shape` must not be empty.
kernels::Stretch3 stretch(const Tensor& a, const Tensor& b, const Tensor& c, const Shape& shape, Layout layout);

/// Returns g(a, b, c), with each tensor broadcast to `shape` while it is read. The tensors have one dtype and device.
/// The result has the layout of the first tensor of this shape, or is row-major if none has it.
template <class G>
Tensor combine(std::string_view op, const Shape& shape, const Tensor& a, const Tensor& b, const Tensor& c, const G& g) {
    const auto whole = [&shape](const Tensor& t) { return t.shape() == shape; };
    Layout layout = Layout::row_major;
    for (const Tensor* const t : {&c, &b, &a})
        if (whole(*t)) layout = t->layout();
    const Tensor result = Tensor::empty(shape, a.dtype(), a.device(), layout);
    const std::int64_t count = shape.numel();
    if (count == 0) return result;
    const auto readable = [&](const Tensor& t) { return t.to(whole(t) ? layout : Layout::row_major); };
    const Tensor x = readable(a), y = readable(b), z = readable(c);
    dispatch_activation(a.dtype(), op, [&](auto zero) {
        using T = decltype(zero);
        const T *const p = x.data<const T>(), *const q = y.data<const T>(), *const r = z.data<const T>();
        T* const out = result.data<T>();
        constexpr int width = kernels::pack_width<T>;
        if (!whole(a) || !whole(b) || !whole(c)) {
            const kernels::Stretch3 at = stretch(x, y, z, shape, layout);
            kernels::rows(a.device(), count / at.inner, at.inner,
                          kernels::TernaryStretched<T, G>{{g}, p, q, r, out, at});
        } else if (in_packs(a.device(), count, width, p, q, r, out)) {
            kernels::map(a.device(), count / width, kernels::Ternary<T, G, width>{{g}, p, q, r, out});
        } else {
            kernels::map(a.device(), count, kernels::Ternary<T, G, 1>{{g}, p, q, r, out});
        }
    });
    return result;
}

}  // namespace radial::ops
