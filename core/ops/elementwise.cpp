// Arithmetic on elements, with broadcasting.
#include "radial/core/node.h"
#include "radial/core/ops/common.h"

#include <cmath>

namespace radial {
namespace {

using ops::like_layout;

// f(a, b) for tensors of one shape, or with b a single number; anything else is stretched first.
template <class F>
Tensor combine(std::string_view op, const Tensor& a, const Tensor& b, const F& f) {
    ops::check_floating(op, "the first tensor", a);
    ops::check_alike(op, a, "the second tensor", b);
    const Shape shape = ops::broadcast_shape(op, a.shape(), b.shape());
    const bool single = b.numel() == 1 && a.shape() == shape;
    const Tensor x = a.shape() == shape ? a : ops::broadcast_to(a, shape);
    const Tensor y = single ? b : b.shape() == shape ? like_layout(b, x) : like_layout(ops::broadcast_to(b, shape), x);
    const Tensor result = Tensor::empty_like(x);
    dispatch_floating(a.dtype(), op, [&](auto zero) {
        using T = decltype(zero);
        const T* const p = x.data<T>();
        const T* const q = y.data<T>();
        T* const out = result.data<T>();
        if (single) {
            const T v = *q;
            kernels::map(shape.numel(), [=](std::int64_t i) { out[i] = f(p[i], v); });
        } else {
            kernels::map(shape.numel(), [=](std::int64_t i) { out[i] = f(p[i], q[i]); });
        }
    });
    return result;
}

// y = f(x), dx = derivative(dy, x or y). What derivative() reads is kept: x, or y when `keep_result`.
template <class F, class D>
Tensor transform(std::string_view op, const Tensor& x, bool keep_result, const F& f, const D& derivative) {
    ops::check_floating(op, "the input", x);
    const Tensor y = Tensor::empty_like(x);
    dispatch_floating(x.dtype(), op, [&](auto zero) {
        using T = decltype(zero);
        const T* const in = x.data<T>();
        T* const out = y.data<T>();
        kernels::map(x.numel(), [=](std::int64_t i) { out[i] = f(in[i]); });
    });
    const Saved saved(keep_result ? y : x, op, keep_result ? "result" : "input");
    return record(op, y, {x}, [saved, derivative, op](Tensor dy, Needs) -> Grads {
        const Tensor kept = saved.get();
        dy = like_layout(dy, kept);
        const Tensor dx = ops::reuse_or_empty(dy);
        dispatch_floating(dy.dtype(), op, [&](auto zero) {
            using T = decltype(zero);
            const T* const k = kept.data<T>();
            const T* const g = dy.data<T>();
            T* const out = dx.data<T>();
            kernels::map(dy.numel(), [=](std::int64_t i) { out[i] = derivative(g[i], k[i]); });
        });
        return {dx};
    });
}

}  // namespace

void add_in_place(const Tensor& sum, const Tensor& part) {
    const Tensor addend = like_layout(part, sum);
    dispatch_floating(sum.dtype(), "add", [&](auto zero) {
        using T = decltype(zero);
        T* const total = sum.data<T>();
        const T* const p = addend.data<T>();
        kernels::map(sum.numel(), [=](std::int64_t i) { total[i] += p[i]; });
    });
    sum.bump_version();
}

Tensor add(const Tensor& a, const Tensor& b) {
    const Tensor y = combine("add", a, b, [](auto p, auto q) { return p + q; });
    return record("add", y, {a, b}, [sa = a.shape(), sb = b.shape()](const Tensor& dy, Needs needs) -> Grads {
        return {needs[0] ? ops::sum_to(dy, sa) : Tensor(), needs[1] ? ops::sum_to(dy, sb) : Tensor()};
    });
}

Tensor sub(const Tensor& a, const Tensor& b) {
    const Tensor y = combine("sub", a, b, [](auto p, auto q) { return p - q; });
    return record("sub", y, {a, b}, [sa = a.shape(), sb = b.shape()](const Tensor& dy, Needs needs) -> Grads {
        return {needs[0] ? ops::sum_to(dy, sa) : Tensor(), needs[1] ? mul(ops::sum_to(dy, sb), -1.0) : Tensor()};
    });
}

Tensor mul(const Tensor& a, const Tensor& b) {
    const Tensor y = combine("mul", a, b, [](auto p, auto q) { return p * q; });
    return record("mul", y, {a, b},
                  [x = Saved(a, "mul", "first factor"), z = Saved(b, "mul", "second factor"), sa = a.shape(),
                   sb = b.shape()](const Tensor& dy, Needs needs) -> Grads {
                      return {needs[0] ? ops::sum_to(mul(dy, z.get()), sa) : Tensor(),
                              needs[1] ? ops::sum_to(mul(dy, x.get()), sb) : Tensor()};
                  });
}

Tensor div(const Tensor& a, const Tensor& b) {
    const Tensor y = combine("div", a, b, [](auto p, auto q) { return p / q; });
    return record("div", y, {a, b},
                  [quotient = Saved(y, "div", "result"), divisor = Saved(b, "div", "divisor"), sa = a.shape(),
                   sb = b.shape()](const Tensor& dy, Needs needs) -> Grads {
                      const Tensor da = div(dy, divisor.get());  // and db = -da * a / b
                      return {needs[0] ? ops::sum_to(da, sa) : Tensor(),
                              needs[1] ? ops::sum_to(mul(mul(da, quotient.get()), -1.0), sb) : Tensor()};
                  });
}

Tensor add(const Tensor& a, double b) {
    ops::check_floating("add", "the tensor", a);
    const Tensor y =
        combine("add", a, Tensor::full({}, b, a.dtype(), a.device()), [](auto p, auto q) { return p + q; });
    return record("add", y, {a}, [](Tensor dy, Needs) -> Grads { return {std::move(dy)}; });
}

Tensor mul(const Tensor& a, double b) {
    ops::check_floating("mul", "the tensor", a);
    const Tensor y =
        combine("mul", a, Tensor::full({}, b, a.dtype(), a.device()), [](auto p, auto q) { return p * q; });
    return record("mul", y, {a}, [b](const Tensor& dy, Needs) -> Grads { return {mul(dy, b)}; });
}

Tensor exp(const Tensor& x) {
    return transform(
        "exp", x, true, [](auto v) { return std::exp(v); }, [](auto dy, auto y) { return dy * y; });
}

Tensor log(const Tensor& x) {
    return transform(
        "log", x, false, [](auto v) { return std::log(v); }, [](auto dy, auto v) { return dy / v; });
}

Tensor sqrt(const Tensor& x) {
    return transform(
        "sqrt", x, true, [](auto v) { return std::sqrt(v); }, [](auto dy, auto y) { return dy / (2 * y); });
}

Tensor square(const Tensor& x) {
    return transform(
        "square", x, false, [](auto v) { return v * v; }, [](auto dy, auto v) { return 2 * dy * v; });
}

Tensor sigmoid(const Tensor& x) {
    return transform(
        "sigmoid", x, true, [](auto v) { return 1 / (1 + std::exp(-v)); },
        [](auto dy, auto y) { return dy * y * (1 - y); });
}

Tensor tanh(const Tensor& x) {
    return transform(
        "tanh", x, true, [](auto v) { return std::tanh(v); }, [](auto dy, auto y) { return dy * (1 - y * y); });
}

Tensor silu(const Tensor& x) {
    return transform(
        "silu", x, false, [](auto v) { return v / (1 + std::exp(-v)); },
        [](auto dy, auto v) {
            const auto s = 1 / (1 + std::exp(-v));
            return dy * s * (1 + v * (1 - s));
        });
}

}  // namespace radial
