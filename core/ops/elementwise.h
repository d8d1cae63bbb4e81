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
/// exp(x) - 1, accurate near 0.
Tensor expm1(const Tensor& x);
/// Natural logarithm.
Tensor log(const Tensor& x);
/// log(1 + x), accurate near 0.
Tensor log1p(const Tensor& x);
///@{
/// Logarithms to the bases 2 and 10.
Tensor log2(const Tensor& x);
Tensor log10(const Tensor& x);
///@}
/// Square root.
Tensor sqrt(const Tensor& x);
/// 1 / sqrt(x).
Tensor rsqrt(const Tensor& x);
/// 1 / x.
Tensor reciprocal(const Tensor& x);
/// x * x.
Tensor square(const Tensor& x);
/// x to the power of `exponent`; NaN where x is negative and the exponent not an integer. The gradient is exponent *
/// x^(exponent - 1) * dy, and 0 for the exponent 0. For the exponent 2 this is square(x).
Tensor pow(const Tensor& x, double exponent);
/// a to the power of b, broadcast. The gradient of a is b * a^(b - 1) * dy, or 0 where b = 0. The gradient of b is dy *
/// a^b * log(a), or 0 where a = 0 and b >= 0; it is NaN where a < 0.
Tensor pow(const Tensor& a, const Tensor& b);

/// The absolute value. The gradient is sign(x) * dy, with 0 at 0.
Tensor abs(const Tensor& x);
/// -1, 0 or 1. NaN stays NaN (PyTorch returns 0). The gradient is 0.
Tensor sign(const Tensor& x);
///@{
/// The largest integer that is at most x, or the smallest that is at least x. The gradient is 0.
Tensor floor(const Tensor& x);
Tensor ceil(const Tensor& x);
///@}
/// The nearest integer; halves are rounded to the nearest even integer. The gradient is 0.
Tensor round(const Tensor& x);
/// The remainder a - b * floor(a / b), broadcast, which has the sign of b (Python's %). NaN where b = 0. The gradients
/// are dy and -floor(a / b) * dy.
Tensor remainder(const Tensor& a, const Tensor& b);
/// The remainder a - b * trunc(a / b), broadcast, which has the sign of a (C's fmod). NaN where b = 0. The gradients
/// are dy and -trunc(a / b) * dy.
Tensor fmod(const Tensor& a, const Tensor& b);

///@{
/// Trigonometric functions of an angle in radians.
Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor tan(const Tensor& x);
///@}
///@{
/// Inverse trigonometric functions, in radians: asin and atan in [-pi/2, pi/2], acos in [0, pi]. asin and acos are NaN
/// outside [-1, 1].
Tensor asin(const Tensor& x);
Tensor acos(const Tensor& x);
Tensor atan(const Tensor& x);
///@}
/// The angle of the point (b, a) in radians, in [-pi, pi], broadcast. At the origin the gradients are 0.
Tensor atan2(const Tensor& a, const Tensor& b);
///@{
/// Hyperbolic sine and cosine. The hyperbolic tangent is in activation.h.
Tensor sinh(const Tensor& x);
Tensor cosh(const Tensor& x);
///@}
/// The error function: 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.
Tensor erf(const Tensor& x);
/// Converts x to `dtype` (float32, float64 or bfloat16), rounding to nearest, ties to even. Returns x itself when it
/// already has that type. The gradient is converted back to x's dtype. Throws Error for an integer x or `dtype`.
Tensor cast(const Tensor& x, DType dtype);
/// The cumulative distribution function of the standard normal distribution: (1 + erf(x / sqrt 2)) / 2.
Tensor normal_cdf(const Tensor& x);
/// log(1 + exp(x)), without overflow.
Tensor softplus(const Tensor& x);

}  // namespace radial
