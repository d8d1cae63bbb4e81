// Kernels of the activations: elementwise functions, GLU, PReLU with its slopes, and dropout.
#pragma once

#include "radial/core/kernels/philox.h"
#include "radial/core/kernels/values.h"
#include "radial/core/ops/kernels/elementary.h"
#include "radial/core/tensor/random_kernels.h"

#include <cmath>
#include <cstdint>

namespace radial::kernels {

// ---- functions for the loops of elementwise.h ----

/// max(x, 0). NaN stays NaN.
struct Relu {
    static constexpr bool keeps_result = true;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return v < 0 ? V{0} : v;
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V y) {
        return y > 0 ? dy : V{0};
    }
};
/// min(max(x, 0), 6). NaN stays NaN.
struct Relu6 {
    static constexpr bool keeps_result = true;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return up_to_six(v);
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V y) {
        return y > 0 && y < 6 ? dy : V{0};
    }
};
/// relu6(x + 3) / 6. NaN stays NaN.
struct HardSigmoid {
    static constexpr bool keeps_result = false;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return Relu6{}(v + 3) * V(1.0 / 6);
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V x) {
        return x > -3 && x < 3 ? dy * V(1.0 / 6) : V{0};
    }
};
/// x * hard_sigmoid(x), and 0 at -infinity. NaN stays NaN.
struct HardSwish {
    static constexpr bool keeps_result = false;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        const V product = v * HardSigmoid{}(v);
        return v <= -3 ? V{0} : product;
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V x) {
        const V inside = dy * (x * V(1.0 / 3) + V(0.5)), above = x >= 3 ? dy : inside;
        return x <= -3 ? V{0} : above;
    }
};
struct Sigmoid {
    static constexpr bool keeps_result = true;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return 1 / (1 + std::exp(-v));
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V y) {
        return dy * y * (1 - y);
    }
};
struct Tanh {
    static constexpr bool keeps_result = true;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return std::tanh(v);
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V y) {
        return dy * (1 - y * y);
    }
};
struct Silu {
    static constexpr bool keeps_result = false;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return v / (1 + std::exp(-v));
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V x) {
        const V s = 1 / (1 + std::exp(-x));
        return dy * s * (1 + x * (1 - s));
    }
};
struct Gelu {
    static constexpr bool keeps_result = false;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return v * normal_at(v).cdf;
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V x) {
        const NormalAt<V> normal = normal_at(x);
        return dy * (normal.cdf + x * normal.density);
    }
};

/// x * sigmoid(2 u) with u = sqrt(2 / pi) (x + 0.044715 x^3), which is x (1 + tanh u) / 2. 0 at -infinity.
struct GeluTanh {
    static constexpr bool keeps_result = false;
    template <class V>
    RADIAL_HD static V share(V x) {
        constexpr V root = V(1.5957691216057308);  // 2 sqrt(2 / pi)
        return 1 / (1 + exponential(-root * x * (1 + V(0.044715) * x * x)));
    }
    template <class V>
    RADIAL_HD V operator()(V v) const {
        const V product = v * share(v);
        return v < -100 ? V{0} : product;  // where the product underflows
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V x) {
        constexpr V root = V(1.5957691216057308);
        const V s = share(x), slope = root * x * (1 + V(3 * 0.044715) * x * x), size = x < 0 ? -x : x;
        const V inside = dy * (s + s * (1 - s) * slope), outside = x < 0 ? V{0} : dy;
        return size > 100 ? outside : inside;
    }
};
/// x > 0 ? x : alpha * (exp(x / width) - 1), times scale: ELU (width 1), SELU, and CELU (width = alpha).
struct Elu {
    static constexpr bool keeps_result = false;
    double alpha = 1, width = 1, scale = 1;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        const V below = static_cast<V>(alpha * scale) * exponential_minus_one(v / static_cast<V>(width));
        const V above = static_cast<V>(scale) * v;
        return v > 0 ? above : below;
    }
    template <class V>
    RADIAL_HD V derivative(V dy, V x) const {
        const V slope = static_cast<V>(alpha * scale / width) * exponential(x / static_cast<V>(width));
        const V above = static_cast<V>(scale);
        return dy * (x > 0 ? above : slope);
    }
};
/// x > 0 ? x : slope * x. `Result` means that the result is kept for backward instead of x. This requires a slope that
/// is not negative, so that the result is above 0 exactly where x is.
template <bool Result>
struct LeakyRelu {
    static constexpr bool keeps_result = Result;
    double slope;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        const V scaled = v * static_cast<V>(slope);
        return v > 0 ? v : scaled;
    }
    template <class V>
    RADIAL_HD V derivative(V dy, V kept) const {
        const V scaled = dy * static_cast<V>(slope);
        return kept > 0 ? dy : scaled;
    }
};
/// x * tanh(softplus(x)). 0 at -infinity. With e = exp(-|x|), which cannot overflow, the hyperbolic tangent is a
/// quotient of polynomials of e without cancellation.
struct Mish {
    static constexpr bool keeps_result = false;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        const V e = exponential(v > 0 ? -v : v), square = e * e;
        const V top = v > 0 ? 1 + 2 * e : square + 2 * e, rest = v > 0 ? 2 * square : V{2};
        const V product = v * (top / (top + rest));
        return v < -1000 ? V{0} : product;  // where e is 0
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V x) {
        const V e = exponential(x > 0 ? -x : x), square = e * e;
        const V top = x > 0 ? 1 + 2 * e : square + 2 * e, below = top + (x > 0 ? 2 * square : V{2});
        // The derivative of the tangent with respect to x is 4 e (1 + e) / below^2 for x <= 0, and 4 e^2 (1 + e) /
        // below^2 otherwise.
        const V steep = 4 * (x > 0 ? square : e) * (1 + e) / (below * below), product = x * steep;
        const V size = x < 0 ? -x : x;
        return dy * (top / below + (size > 1000 ? V{0} : product));
    }
};
/// x / (1 + |x|).
struct Softsign {
    static constexpr bool keeps_result = false;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        const V size = v < 0 ? -v : v, share = v / (1 + size), limit = v < 0 ? V{-1} : V{1};
        return size > V(1e30) ? limit : share;  // where both are equal, unless v is infinite
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V x) {
        const V share = 1 / (1 + (x < 0 ? -x : x));
        return dy * share * share;
    }
};
/// log(sigmoid(x)) = min(x, 0) - log(1 + exp(-|x|)).
struct LogSigmoid {
    static constexpr bool keeps_result = false;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        return (v > 0 ? V{0} : v) - std::log1p(exponential(v > 0 ? -v : v));
    }
    template <class V>
    RADIAL_HD static V derivative(V dy, V x) {
        const V e = exponential(x > 0 ? -x : x);
        return dy * ((x > 0 ? e : V{1}) / (1 + e));
    }
};
/// x + bound, 0 or x - bound: below, within and above [-bound, bound]. NaN stays NaN.
struct SoftShrink {
    static constexpr bool keeps_result = true;
    double bound;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        const V b = static_cast<V>(bound), size = v < 0 ? -v : v, moved = v < 0 ? v + b : v - b;
        return size <= b ? V{0} : moved;
    }
    template <class V>
    RADIAL_HD V derivative(V dy, V y) const {
        return y == 0 ? V{0} : dy;
    }
};
/// x outside [-bound, bound], else 0. NaN stays NaN.
struct HardShrink {
    static constexpr bool keeps_result = true;
    double bound;
    template <class V>
    RADIAL_HD V operator()(V v) const {
        const V b = static_cast<V>(bound), size = v < 0 ? -v : v;
        return size <= b ? V{0} : v;
    }
    template <class V>
    RADIAL_HD V derivative(V dy, V y) const {
        return y == 0 ? V{0} : dy;
    }
};

// ---- GLU: rows of two halves; the second gates the first ----

/// y = a * sigmoid(b).
template <class T>
struct Glu {
    const T* in;
    T* out;
    std::int64_t half;  ///< elements of one half
    RADIAL_HD void operator()(std::int64_t o, std::int64_t i) const {
        using C = Compute<T>;
        const C a = convert<C>(in[2 * o * half + i]), b = convert<C>(in[(2 * o + 1) * half + i]);
        out[o * half + i] = convert<T>(a / (1 + exponential(-b)));
    }
};
/// da = dy * sigmoid(b) and db = dy * a * sigmoid(b) * (1 - sigmoid(b)).
template <class T>
struct GluBackward {
    const T *in, *dy;
    T* dx;
    std::int64_t half;
    RADIAL_HD void operator()(std::int64_t o, std::int64_t i) const {
        using C = Compute<T>;
        const std::int64_t first = 2 * o * half + i, second = first + half;
        const C a = convert<C>(in[first]), b = convert<C>(in[second]), up = convert<C>(dy[o * half + i]);
        const C s = 1 / (1 + exponential(-b)), down = up * s;
        dx[first] = convert<T>(down);
        dx[second] = convert<T>(down * a * (1 - s));
    }
};

// ---- PReLU. S is the type of the slopes; One: all channels share one slope ----

/// PReLU where channels are the innermost dimension; column c holds channel c. If N > 1, a column is a pack of N
/// adjacent channels.
template <class T, class S, bool One, int N>
struct PreluColumns {
    const T* in;
    const S* slope;
    T* out;
    std::int64_t columns;
    RADIAL_HD T one(T x, std::int64_t channel) const {
        using C = Compute<T>;
        // Both cases are computed, so that the loop has no branch.
        const C v = convert<C>(x), scaled = convert<C>(slope[One ? 0 : channel]) * v;
        return convert<T>(v > 0 ? v : scaled);
    }
    RADIAL_HD void operator()(std::int64_t r, std::int64_t c) const {
        if constexpr (N == 1) {
            out[r * columns + c] = one(in[r * columns + c], c);
        } else {
            const Pack<T, N> x = reinterpret_cast<const Pack<T, N>*>(in)[r * columns + c];
            Pack<T, N> y;
            for (int k = 0; k < N; ++k) y.value[k] = one(x.value[k], c * N + k);
            reinterpret_cast<Pack<T, N>*>(out)[r * columns + c] = y;
        }
    }
};

/// PReLU where each channel is a plane of `area` contiguous elements.
template <class T, class S, bool One>
struct PreluPlanes {
    const T* in;
    const S* slope;
    T* out;
    std::int64_t channels, area;
    RADIAL_HD void operator()(std::int64_t plane, std::int64_t i) const {
        using C = Compute<T>;
        const C a = convert<C>(slope[One ? 0 : plane % channels]);
        const C v = convert<C>(in[plane * area + i]), scaled = a * v;
        out[plane * area + i] = convert<T>(v > 0 ? v : scaled);
    }
};

/// dx = dy * (x > 0 ? 1 : slope). Returns the element's contribution to the gradient of the slope: dy * x where x <= 0,
/// and 0 elsewhere. `kept` is x, or the result y, which has the same sign. In the latter case StoreSlope converts the
/// sum of dy * y to that of dy * x. Columns are as in PreluColumns.
template <class T, class S, bool One, int N>
struct PreluColumnsBackward {
    using C = Compute<T>;
    const T *kept, *dy;
    const S* slope;
    T* dx;
    std::int64_t columns;
    RADIAL_HD C one(T kept_value, T upstream, std::int64_t channel, T* down) const {
        const C value = convert<C>(kept_value), grad = convert<C>(upstream);
        const C scaled = grad * convert<C>(slope[One ? 0 : channel]), part = grad * value;
        *down = convert<T>(value > 0 ? grad : scaled);
        return value > 0 ? C{0} : part;
    }
    RADIAL_HD auto operator()(std::int64_t r, std::int64_t c) const {
        const std::int64_t at = r * columns + c;
        if constexpr (N == 1) {
            T down;
            const C part = one(kept[at], dy[at], c, &down);
            dx[at] = down;
            return part;
        } else {
            const Pack<T, N> values = reinterpret_cast<const Pack<T, N>*>(kept)[at];
            const Pack<T, N> grads = reinterpret_cast<const Pack<T, N>*>(dy)[at];
            Pack<T, N> down;
            Pack<C, N> parts;
            for (int k = 0; k < N; ++k)
                parts.value[k] = one(values.value[k], grads.value[k], c * N + k, &down.value[k]);
            reinterpret_cast<Pack<T, N>*>(dx)[at] = down;
            return parts;
        }
    }
};

/// The same for planes of `area` elements: column k is channel k, row r is image r.
template <class T, class S, bool One>
struct PreluPlanesBackward {
    using C = Compute<T>;
    const T *kept, *dy;
    const S* slope;
    T* dx;
    std::int64_t channels, area;
    RADIAL_HD C operator()(std::int64_t r, std::int64_t k) const {
        const std::int64_t start = (r * channels + k) * area;
        const C a = convert<C>(slope[One ? 0 : k]);
        C total{0};
        for (std::int64_t i = start; i < start + area; ++i) {
            const C value = convert<C>(kept[i]), grad = convert<C>(dy[i]), scaled = grad * a, part = grad * value;
            dx[i] = convert<T>(value > 0 ? grad : scaled);
            total += value > 0 ? C{0} : part;
        }
        return total;
    }
};

/// Writes the sum of one channel. It is divided by the channel's slope if the op kept its result; otherwise `divisor`
/// is null.
template <class To, class S>
struct StoreSlope {
    const S* divisor;
    To* out;
    std::int64_t divisor_step;  ///< 0 if all channels share one slope
    RADIAL_HD void one(std::int64_t channel, double total) const {
        const double restored = divisor == nullptr ? total : total / convert<double>(divisor[channel * divisor_step]);
        out[channel] = convert<To>(restored);
    }
    RADIAL_HD void operator()(std::int64_t channel, double total) const { one(channel, total); }
    template <int N>
    RADIAL_HD void operator()(std::int64_t pack, const Pack<double, N>& total) const {
        for (int k = 0; k < N; ++k) one(pack * N + k, total.value[k]);
    }
};

// ---- dropout ----

/// x * mask * scale, with scale = 1 / (1 - p). Element i in logical order, regardless of the layout, uses random number
/// `first` + i of the stream, plus *base if `base` is not null.
template <class T>
struct Dropout {
    const T* in;
    T* out;
    double p, scale;
    std::uint64_t seed, first;
    const std::uint64_t* base;
    MemoryIndex at;
    RADIAL_HD void operator()(std::int64_t i) const {
        using C = Compute<T>;
        const std::uint64_t start = base == nullptr ? first : first + *base;
        const float u = to_unit(random_bits(seed, start + static_cast<std::uint64_t>(i)));
        const std::int64_t place = at(i);
        const C scaled = convert<C>(in[place]) * static_cast<C>(scale);
        out[place] = convert<T>(u < static_cast<float>(p) ? C{0} : scaled);
    }
};

}  // namespace radial::kernels
