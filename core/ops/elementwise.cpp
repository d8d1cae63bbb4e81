// Elementwise arithmetic with broadcasting, type conversion, and elementary functions: roots, logarithms, powers,
// rounding, remainders, trigonometric and hyperbolic functions.
#include "radial/core/ops/kernels/elementwise.h"
#include "radial/core/autograd/node.h"
#include "radial/core/ops/broadcast.h"
#include "radial/core/ops/common.h"
#include "radial/core/ops/kernels/elementary.h"

namespace radial {
namespace {

using ops::combine;
using ops::like_layout;
using ops::with_number;

Tensor converted(const Tensor& x, DType dtype) {
    const Tensor y = Tensor::empty(x.shape(), dtype, x.device(), x.layout());
    dispatch_activation(dtype, "cast", [&](auto to_zero) {
        dispatch_activation(x.dtype(), "cast", [&](auto from_zero) {
            using To = decltype(to_zero);
            using From = decltype(from_zero);
            ops::apply(x.device(), x.numel(), kernels::Same{}, x.data<const From>(), y.data<To>());
        });
    });
    return y;
}

}  // namespace

void add_in_place(const Tensor& sum, const Tensor& part) {
    const Tensor addend = like_layout(part, sum);
    dispatch_activation(sum.dtype(), "add", [&](auto zero) {
        using T = decltype(zero);
        T* const total = sum.data<T>();
        ops::apply<T>(sum.device(), sum.numel(), kernels::Add{}, total, addend.data<const T>(), total);
    });
    sum.bump_version();
}

Tensor add(const Tensor& a, const Tensor& b) {
    const Tensor y = combine("add", a, b, kernels::Add{});
    return record("add", y, {a, b}, [sa = a.shape(), sb = b.shape()](const Tensor& dy, Needs needs) -> Grads {
        return {needs[0] ? ops::sum_to(dy, sa) : Tensor(), needs[1] ? ops::sum_to(dy, sb) : Tensor()};
    });
}

Tensor sub(const Tensor& a, const Tensor& b) {
    const Tensor y = combine("sub", a, b, kernels::Subtract{});
    return record("sub", y, {a, b}, [sa = a.shape(), sb = b.shape()](const Tensor& dy, Needs needs) -> Grads {
        return {needs[0] ? ops::sum_to(dy, sa) : Tensor(), needs[1] ? mul(ops::sum_to(dy, sb), -1.0) : Tensor()};
    });
}

Tensor mul(const Tensor& a, const Tensor& b) {
    const Tensor y = combine("mul", a, b, kernels::Multiply{});
    return record("mul", y, {a, b},
                  [x = Saved(a, "mul", "first factor"), z = Saved(b, "mul", "second factor"), sa = a.shape(),
                   sb = b.shape()](const Tensor& dy, Needs needs) -> Grads {
                      return {needs[0] ? ops::sum_to(mul(dy, z.get()), sa) : Tensor(),
                              needs[1] ? ops::sum_to(mul(dy, x.get()), sb) : Tensor()};
                  });
}

Tensor div(const Tensor& a, const Tensor& b) {
    const Tensor y = combine("div", a, b, kernels::Divide{});
    return record("div", y, {a, b},
                  [quotient = Saved(y, "div", "result"), divisor = Saved(b, "div", "divisor"), sa = a.shape(),
                   sb = b.shape()](const Tensor& dy, Needs needs) -> Grads {
                      const Tensor da = div(dy, divisor.get());  // and db = -da * a / b
                      return {needs[0] ? ops::sum_to(da, sa) : Tensor(),
                              needs[1] ? ops::sum_to(mul(mul(da, quotient.get()), -1.0), sb) : Tensor()};
                  });
}

Tensor add(const Tensor& a, double b) {
    const Tensor y = with_number("add", a, kernels::AddNumber{b});
    return record("add", y, {a}, [](Tensor dy, Needs) -> Grads { return {std::move(dy)}; }, {{"number", b}});
}

Tensor mul(const Tensor& a, double b) {
    const Tensor y = with_number("mul", a, kernels::MultiplyNumber{b});
    return record("mul", y, {a}, [b](const Tensor& dy, Needs) -> Grads { return {mul(dy, b)}; }, {{"number", b}});
}

Tensor div(const Tensor& a, double b) {
    ops::check_floating("div", "the tensor", a);
    return div(a, Tensor::full({1}, b, a.dtype(), a.device()));
}
Tensor div(double a, const Tensor& b) {
    ops::check_floating("div", "the tensor", b);
    return div(Tensor::full({1}, a, b.dtype(), b.device()), b);
}

Tensor clamp(const Tensor& x, double low, double high) {
    RADIAL_CHECK(low <= high, "clamp: from {} to {}, expected the lower bound first", low, high);
    const Tensor y = with_number("clamp", x, kernels::Clamp{low, high});
    return record("clamp", y, {x},
                  [saved = Saved(x, "clamp", "input"), low, high](Tensor dy, Needs) -> Grads {
                      const Tensor kept = saved.get();
                      dy = like_layout(dy, kept);
                      const Tensor dx = ops::reuse_or_empty(dy);
                      dispatch_activation(dy.dtype(), "clamp", [&](auto zero) {
                          using T = decltype(zero);
                          ops::apply(dy.device(), dy.numel(), kernels::ClampGradient{low, high}, dy.data<const T>(),
                                     kept.data<const T>(), dx.data<T>());
                      });
                      return {dx};
                  },
                  {{"low", low}, {"high", high}});
}

Tensor exp(const Tensor& x) { return ops::transform("exp", x, kernels::Exp{}); }
Tensor log(const Tensor& x) { return ops::transform("log", x, kernels::Log{}); }
Tensor sqrt(const Tensor& x) { return ops::transform("sqrt", x, kernels::Sqrt{}); }
Tensor square(const Tensor& x) { return ops::transform("square", x, kernels::Square{}); }
Tensor normal_cdf(const Tensor& x) { return ops::transform("normal_cdf", x, kernels::NormalCdf{}); }
Tensor softplus(const Tensor& x) { return ops::transform("softplus", x, kernels::Softplus{}); }

Tensor cast(const Tensor& x, DType dtype) {
    ops::check_floating("cast", "the input", x);
    RADIAL_CHECK(is_floating(dtype), "cast: the target is {}, expected float32, float64 or bfloat16", name_of(dtype));
    if (x.dtype() == dtype) return x;
    return record("cast", converted(x, dtype), {x},
                  [from = x.dtype()](const Tensor& dy, Needs) -> Grads { return {converted(dy, from)}; });
}
namespace {

/// f(x), whose gradient is 0.
template <class F>
Tensor piecewise_constant(std::string_view op, const Tensor& x, const F& f) {
    return record(op, ops::with_number(op, x, f), {x},
                  [](const Tensor& dy, Needs) -> Grads { return {Tensor::zeros_like(dy)}; });
}

/// The values that backward of a function of two broadcast tensors needs, and the gradients computed from them.
struct Operands {
    Saved first, second;
    Shape shape_a, shape_b;

    Operands(std::string_view op, const Tensor& a, const Tensor& b)
        : first(a, op, "first tensor"), second(b, op, "second tensor"), shape_a(a.shape()), shape_b(b.shape()) {}

    template <class G>
    Tensor gradient_a(std::string_view op, const Tensor& dy, const G& g) const {
        return ops::sum_to(ops::combine(op, dy.shape(), dy, first.get(), second.get(), g), shape_a);
    }
    template <class G>
    Tensor gradient_b(std::string_view op, const Tensor& dy, const G& g) const {
        return ops::sum_to(ops::combine(op, dy.shape(), dy, first.get(), second.get(), g), shape_b);
    }
};

}  // namespace

Tensor expm1(const Tensor& x) { return ops::transform("expm1", x, kernels::ExpMinusOne{}); }
Tensor log1p(const Tensor& x) { return ops::transform("log1p", x, kernels::LogOnePlus{}); }
Tensor log2(const Tensor& x) { return ops::transform("log2", x, kernels::Log2{}); }
Tensor log10(const Tensor& x) { return ops::transform("log10", x, kernels::Log10{}); }
Tensor rsqrt(const Tensor& x) { return ops::transform("rsqrt", x, kernels::ReciprocalRoot{}); }
Tensor reciprocal(const Tensor& x) { return ops::transform("reciprocal", x, kernels::Reciprocal{}); }
Tensor abs(const Tensor& x) { return ops::transform("abs", x, kernels::Abs{}); }
Tensor sin(const Tensor& x) { return ops::transform("sin", x, kernels::Sin{}); }
Tensor cos(const Tensor& x) { return ops::transform("cos", x, kernels::Cos{}); }
Tensor tan(const Tensor& x) { return ops::transform("tan", x, kernels::Tan{}); }
Tensor asin(const Tensor& x) { return ops::transform("asin", x, kernels::Asin{}); }
Tensor acos(const Tensor& x) { return ops::transform("acos", x, kernels::Acos{}); }
Tensor atan(const Tensor& x) { return ops::transform("atan", x, kernels::Atan{}); }
Tensor sinh(const Tensor& x) { return ops::transform("sinh", x, kernels::Sinh{}); }
Tensor cosh(const Tensor& x) { return ops::transform("cosh", x, kernels::Cosh{}); }
Tensor erf(const Tensor& x) { return ops::transform("erf", x, kernels::Erf{}); }

Tensor sign(const Tensor& x) { return piecewise_constant("sign", x, kernels::Sign{}); }
Tensor floor(const Tensor& x) { return piecewise_constant("floor", x, kernels::Floor{}); }
Tensor ceil(const Tensor& x) { return piecewise_constant("ceil", x, kernels::Ceil{}); }
Tensor round(const Tensor& x) { return piecewise_constant("round", x, kernels::Round{}); }

Tensor pow(const Tensor& x, double exponent) {
    if (exponent == 2) return square(x);
    return ops::transform("pow", x, kernels::PowerOf{exponent}, {{"exponent", exponent}});
}

Tensor pow(const Tensor& a, const Tensor& b) {
    const Tensor y = ops::combine("pow", a, b, kernels::Power{});
    return record("pow", y, {a, b}, [kept = Operands("pow", a, b)](const Tensor& dy, Needs needs) -> Grads {
        return {needs[0] ? kept.gradient_a("pow", dy, kernels::PowerBaseGradient{}) : Tensor(),
                needs[1] ? kept.gradient_b("pow", dy, kernels::PowerExponentGradient{}) : Tensor()};
    });
}

Tensor atan2(const Tensor& a, const Tensor& b) {
    const Tensor y = ops::combine("atan2", a, b, kernels::Atan2{});
    return record("atan2", y, {a, b}, [kept = Operands("atan2", a, b)](const Tensor& dy, Needs needs) -> Grads {
        return {needs[0] ? kept.gradient_a("atan2", dy, kernels::Atan2Gradient{}) : Tensor(),
                needs[1] ? kept.gradient_b("atan2", dy, kernels::Atan2SecondGradient{}) : Tensor()};
    });
}

Tensor remainder(const Tensor& a, const Tensor& b) {
    const Tensor y = ops::combine("remainder", a, b, kernels::Remainder{});
    return record("remainder", y, {a, b}, [kept = Operands("remainder", a, b)](const Tensor& dy, Needs needs) -> Grads {
        return {needs[0] ? ops::sum_to(dy, kept.shape_a) : Tensor(),
                needs[1] ? kept.gradient_b("remainder", dy, kernels::RemainderDivisorGradient{}) : Tensor()};
    });
}

Tensor fmod(const Tensor& a, const Tensor& b) {
    const Tensor y = ops::combine("fmod", a, b, kernels::Fmod{});
    return record("fmod", y, {a, b}, [kept = Operands("fmod", a, b)](const Tensor& dy, Needs needs) -> Grads {
        return {needs[0] ? ops::sum_to(dy, kept.shape_a) : Tensor(),
                needs[1] ? kept.gradient_b("fmod", dy, kernels::FmodDivisorGradient{}) : Tensor()};
    });
}

}  // namespace radial
