// Elementwise arithmetic with broadcasting, elementary functions, and type conversion.
#include "radial/core/ops/kernels/elementwise.h"
#include "radial/core/autograd/node.h"
#include "radial/core/ops/broadcast.h"
#include "radial/core/ops/common.h"

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

}  // namespace radial
