// Arithmetic and elementary functions, element by element. Two tensors broadcast as in NumPy: trailing dimensions are
// aligned, and 1 stretches.
//
// What holds for every op stands in core/ops.h.
#pragma once

#include "radial/core/tensor/tensor.h"

namespace radial {

Tensor add(const Tensor& a, const Tensor& b);
Tensor sub(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, const Tensor& b);
Tensor div(const Tensor& a, const Tensor& b);
Tensor add(const Tensor& a, double b);
Tensor mul(const Tensor& a, double b);
/// Each element divided by a number, and a number divided by each element.
Tensor div(const Tensor& a, double b);
Tensor div(double a, const Tensor& b);
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
/// a += b is a = a + b, recorded on the tape: the handle `a` gets new elements, and other handles to the old ones keep
/// them. B is a Tensor or a number.
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

/// The nearest number within [low, high] of each element; either may be infinite. A NaN stays one. The gradient is dy
/// within, 0 outside and, as relu's, at the bounds. Throws Error unless low <= high.
Tensor clamp(const Tensor& x, double low, double high);
Tensor exp(const Tensor& x);
/// Natural logarithm.
Tensor log(const Tensor& x);
Tensor sqrt(const Tensor& x);
Tensor square(const Tensor& x);
/// x as `dtype` (float32, float64 or bfloat16), rounded to nearest, ties to even; x itself where it is so already. The
/// gradient comes back as x's dtype. Throws Error for an integer x or `dtype`.
Tensor cast(const Tensor& x, DType dtype);
/// The standard normal distribution's cumulative function: (1 + erf(x / sqrt 2)) / 2.
Tensor normal_cdf(const Tensor& x);
/// log(1 + exp(x)), without overflow.
Tensor softplus(const Tensor& x);

}  // namespace radial
