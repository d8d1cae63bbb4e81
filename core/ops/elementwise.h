// Elementwise arithmetic and elementary functions. Two tensors are broadcast as in NumPy: trailing dimensions are
// aligned, and an extent of 1 is repeated.
//
// core/ops.h describes what all ops have in common.
#pragma once

#include "radial/core/tensor/tensor.h"

namespace radial {

///@{
/// Sum, difference, product and quotient.
Tensor add(const Tensor& a, const Tensor& b);
Tensor sub(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, const Tensor& b);
Tensor div(const Tensor& a, const Tensor& b);
Tensor add(const Tensor& a, double b);
Tensor mul(const Tensor& a, double b);
///@}
///@{
/// Each element divided by a number, or a number divided by each element.
Tensor div(const Tensor& a, double b);
Tensor div(double a, const Tensor& b);
///@}
///@{
/// The ops above as operators, and negation.
inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator+(const Tensor& a, double b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, double b) { return add(a, -b); }
inline Tensor operator*(const Tensor& a, double b) { return mul(a, b); }
inline Tensor operator*(double a, const Tensor& b) { return mul(b, a); }
inline Tensor operator-(const Tensor& a) { return mul(a, -1.0); }
inline Tensor operator+(double a, const Tensor& b) { return add(b, a); }
inline Tensor operator-(double a, const Tensor& b) { return add(mul(b, -1.0), a); }
inline Tensor operator/(const Tensor& a, double b) { return div(a, b); }
inline Tensor operator/(double a, const Tensor& b) { return div(a, b); }
///@}
///@{
/// a += b means a = a + b, recorded on the tape: the handle `a` refers to new elements, and other handles keep the old
/// ones. B is a Tensor or a number.
template <class B>
Tensor& operator+=(Tensor& a, const B& b) {
    return a = a + b;
}
template <class B>
Tensor& operator-=(Tensor& a, const B& b) {
    return a = a - b;
}
template <class B>
Tensor& operator*=(Tensor& a, const B& b) {
    return a = a * b;
}
template <class B>
Tensor& operator/=(Tensor& a, const B& b) {
    return a = a / b;
}
///@}

/// Limits each element to [low, high]; either bound may be infinite. NaN stays NaN. The gradient is dy inside the
/// interval, and 0 outside and at the bounds. Throws Error unless low <= high.
Tensor clamp(const Tensor& x, double low, double high);
/// Exponential function.
Tensor exp(const Tensor& x);
/// Natural logarithm.
Tensor log(const Tensor& x);
/// Square root.
Tensor sqrt(const Tensor& x);
/// x * x.
Tensor square(const Tensor& x);
/// Converts x to `dtype` (float32, float64 or bfloat16), rounding to nearest, ties to even. Returns x itself when it
/// already has that type. The gradient is converted back to x's dtype. Throws Error for an integer x or `dtype`.
Tensor cast(const Tensor& x, DType dtype);
/// The cumulative distribution function of the standard normal distribution: (1 + erf(x / sqrt 2)) / 2.
Tensor normal_cdf(const Tensor& x);
/// log(1 + exp(x)), without overflow.
Tensor softplus(const Tensor& x);

}  // namespace radial
