// Elementary functions: roots, logarithms, powers, rounding, remainders, trigonometric and hyperbolic functions.
#include "radial/core/ops/kernels/elementary.h"
#include "radial/core/autograd/node.h"
#include "radial/core/ops/broadcast.h"
#include "radial/core/ops/common.h"

namespace radial {
namespace {

/// f(x), whose gradient is 0.
template <class F>
Tensor piecewise_constant(std::string_view op, const Tensor& x, const F& f) {
    return record(op, ops::with_number(op, x, f), {x},
                  [](const Tensor& dy, Needs) -> Grads { return {Tensor::zeros_like(dy)}; });
}

/// What backward of a function of two broadcast tensors needs.
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
