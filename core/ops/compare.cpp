// Comparisons, logic and choices.
#include "radial/core/ops/kernels/compare.h"
#include "radial/core/autograd/node.h"
#include "radial/core/ops/broadcast.h"
#include "radial/core/ops/common.h"

namespace radial {
namespace {

/// Records a result that has no gradient, so that code which observes ops sees it.
Tensor observed(std::string_view op, const Tensor& y, std::initializer_list<Tensor> inputs,
                std::initializer_list<OpAttribute> attributes = {}) {
    const NoGrad guard;
    return record(op, y, inputs, {}, attributes);
}

template <class G>
Tensor compared(std::string_view op, const Tensor& a, const Tensor& b, const G& g) {
    return observed(op, ops::combine(op, a, b, g), {a, b});
}

double rounded(double number, DType dtype) {
    if (dtype == DType::bfloat16) return static_cast<double>(static_cast<float>(bfloat16(number)));
    return dtype == DType::float32 ? static_cast<double>(static_cast<float>(number)) : number;
}

template <class G>
Tensor compared(std::string_view op, const Tensor& a, double b, const G& g) {
    ops::check_floating(op, "the tensor", a);
    const double number = rounded(b, a.dtype());
    return observed(op, ops::with_number(op, a, kernels::WithNumber<G>{g, number}), {a}, {{"number", number}});
}

template <class F>
Tensor tested(std::string_view op, const Tensor& x, const F& f) {
    return observed(op, ops::with_number(op, x, f), {x});
}

/// maximum() or minimum(), where G computes the result, and D(dy, own, other) the gradient of the tensor `own`.
template <class G, class D>
Tensor extreme(std::string_view op, const Tensor& a, const Tensor& b) {
    const Tensor y = ops::combine(op, a, b, G{});
    return record(op, y, {a, b},
                  [op, first = Saved(a, op, "first tensor"), second = Saved(b, op, "second tensor"), sa = a.shape(),
                   sb = b.shape()](const Tensor& dy, Needs needs) -> Grads {
                      const auto gradient = [&](const Tensor& own, const Tensor& other, const Shape& shape) {
                          return ops::sum_to(ops::combine(op, dy.shape(), dy, own, other, D{}), shape);
                      };
                      return {needs[0] ? gradient(first.get(), second.get(), sa) : Tensor(),
                              needs[1] ? gradient(second.get(), first.get(), sb) : Tensor()};
                  });
}

/// Returns the condition in `dtype`. A condition of another dtype becomes 1 or 0 first, because rounding could turn a
/// small float64 into 0.
Tensor condition_in(const Tensor& condition, DType dtype) {
    if (condition.dtype() == dtype) return condition;
    const NoGrad guard;
    return cast(not_equal(condition, 0.0), dtype);
}

}  // namespace

Tensor equal(const Tensor& a, const Tensor& b) { return compared("equal", a, b, kernels::Equal{}); }
Tensor not_equal(const Tensor& a, const Tensor& b) { return compared("not_equal", a, b, kernels::NotEqual{}); }
Tensor less(const Tensor& a, const Tensor& b) { return compared("less", a, b, kernels::Less{}); }
Tensor less_equal(const Tensor& a, const Tensor& b) { return compared("less_equal", a, b, kernels::LessEqual{}); }
Tensor greater(const Tensor& a, const Tensor& b) { return compared("greater", a, b, kernels::Greater{}); }
Tensor greater_equal(const Tensor& a, const Tensor& b) {
    return compared("greater_equal", a, b, kernels::GreaterEqual{});
}
Tensor equal(const Tensor& a, double b) { return compared("equal", a, b, kernels::Equal{}); }
Tensor not_equal(const Tensor& a, double b) { return compared("not_equal", a, b, kernels::NotEqual{}); }
Tensor less(const Tensor& a, double b) { return compared("less", a, b, kernels::Less{}); }
Tensor less_equal(const Tensor& a, double b) { return compared("less_equal", a, b, kernels::LessEqual{}); }
Tensor greater(const Tensor& a, double b) { return compared("greater", a, b, kernels::Greater{}); }
Tensor greater_equal(const Tensor& a, double b) { return compared("greater_equal", a, b, kernels::GreaterEqual{}); }

Tensor logical_not(const Tensor& x) { return tested("logical_not", x, kernels::LogicalNot{}); }
Tensor logical_and(const Tensor& a, const Tensor& b) { return compared("logical_and", a, b, kernels::LogicalAnd{}); }
Tensor logical_or(const Tensor& a, const Tensor& b) { return compared("logical_or", a, b, kernels::LogicalOr{}); }
Tensor is_nan(const Tensor& x) { return tested("is_nan", x, kernels::IsNan{}); }
Tensor is_finite(const Tensor& x) { return tested("is_finite", x, kernels::IsFinite{}); }

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
    ops::check_floating("where", "the condition", condition);
    ops::check_floating("where", "the first tensor", a);
    ops::check_alike("where", a, "the second tensor", b);
    ops::check_device("where", a, "the condition", condition);
    const Shape shape =
        ops::broadcast_shape("where", condition.shape(), ops::broadcast_shape("where", a.shape(), b.shape()));
    const Tensor chosen = condition_in(condition, a.dtype());
    const Tensor y = ops::combine("where", shape, chosen, a, b, kernels::Select{});
    return record(
        "where", y, {condition, a, b},
        [kept = Saved(chosen, "where", "condition"), sa = a.shape(), sb = b.shape()](const Tensor& dy,
                                                                                     Needs needs) -> Grads {
            const Tensor c = kept.get();
            return {Tensor(), needs[1] ? ops::sum_to(ops::combine("where", dy, c, kernels::KeepIf{}), sa) : Tensor(),
                    needs[2] ? ops::sum_to(ops::combine("where", dy, c, kernels::KeepUnless{}), sb) : Tensor()};
        });
}

Tensor maximum(const Tensor& a, const Tensor& b) {
    return extreme<kernels::Maximum, kernels::MaximumGradient>("maximum", a, b);
}
Tensor minimum(const Tensor& a, const Tensor& b) {
    return extreme<kernels::Minimum, kernels::MinimumGradient>("minimum", a, b);
}

}  // namespace radial
