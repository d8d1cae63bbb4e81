// Activations with memory or parameters of their own: ReLU in place, PReLU, dropout.
#include "radial/core/kernels/philox.h"
#include "radial/core/ops/common.h"

namespace radial {
namespace {

// dx = dy * (x > 0 ? 1 : slope), and the slope's gradient, the sum of dy * x where x <= 0, in the same pass.
template <class T>
void prelu_backward(const Tensor& x, const Tensor& dy, const Tensor& slope, const Tensor& dx, const Tensor& dslope) {
    const auto [outer, channels, inner] = ops::blocks_around(x, 1);
    const T* const v = x.data<T>();
    const T* const g = dy.data<T>();
    const T* const a = slope.data<T>();
    T* const out = dx.data<T>();
    const std::int64_t step = slope.numel() == 1 ? 0 : 1;  // one slope for all, or one a channel
    const std::int64_t c = channels, n = inner;
    std::vector<T> sums(static_cast<std::size_t>(c));
    if (n == 1) {
        kernels::reduce_columns(outer, c, sums.data(), [=](std::int64_t r, std::int64_t k) {
            const T value = v[r * c + k], grad = g[r * c + k];
            out[r * c + k] = value > 0 ? grad : grad * a[k * step];
            return value > 0 ? T{0} : grad * value;
        });
    } else {
        kernels::reduce_columns(outer, c, sums.data(), [=](std::int64_t r, std::int64_t k) {
            const std::int64_t start = (r * c + k) * n;
            T total{0};
            for (std::int64_t i = start; i < start + n; ++i) {
                const T value = v[i], grad = g[i];
                out[i] = value > 0 ? grad : grad * a[k * step];
                total += value > 0 ? T{0} : grad * value;
            }
            return total;
        });
    }
    T* const result = dslope.data<T>();
    if (step == 1) {
        std::copy(sums.begin(), sums.end(), result);
    } else {
        double total = 0;
        for (const T s : sums) total += static_cast<double>(s);
        result[0] = static_cast<T>(total);
    }
}

// x * mask / (1 - p), the mask a function of the stream's numbers from `first` on.
Tensor apply_dropout(const Tensor& x, const Tensor& y, double p, std::uint64_t seed, std::uint64_t first) {
    dispatch_floating(x.dtype(), "dropout", [&](auto zero) {
        using T = decltype(zero);
        const T* const in = x.data<T>();
        T* const out = y.data<T>();
        const auto threshold = static_cast<float>(p);
        const T keep = static_cast<T>(1.0 / (1.0 - p));
        kernels::map(x.numel(), [=](std::int64_t i) {
            const float u = kernels::to_unit(kernels::random_bits(seed, first + static_cast<std::uint64_t>(i)));
            out[i] = u < threshold ? T{0} : in[i] * keep;
        });
    });
    return y;
}

}  // namespace

Tensor relu(Tensor x) {
    ops::check_floating("relu", "the input", x);
    const bool leaf = x.requires_grad() && x.impl()->producer == nullptr;
    const bool in_place = !leaf && x.exclusive();
    const Tensor y = in_place ? x.detach() : Tensor::empty_like(x);
    dispatch_floating(x.dtype(), "relu", [&](auto zero) {
        using T = decltype(zero);
        const T* const in = x.data<T>();
        T* const out = y.data<T>();
        kernels::map(x.numel(), [=](std::int64_t i) { out[i] = in[i] < 0 ? T{0} : in[i]; });  // NaN stays NaN
    });
    if (in_place) y.bump_version();
    return record("relu", y, {x}, [saved = Saved(y, "relu", "result")](Tensor dy, Needs) -> Grads {
        const Tensor kept = saved.get();
        dy = ops::like_layout(dy, kept);
        const Tensor dx = ops::reuse_or_empty(dy);
        dispatch_floating(dy.dtype(), "relu", [&](auto zero) {
            using T = decltype(zero);
            const T* const k = kept.data<T>();
            const T* const g = dy.data<T>();
            T* const out = dx.data<T>();
            kernels::map(dy.numel(), [=](std::int64_t i) { out[i] = k[i] > 0 ? g[i] : T{0}; });
        });
        return {dx};
    });
}

Tensor prelu(const Tensor& x, const Tensor& slope) {
    ops::check_floating("prelu", "the input", x);
    ops::check_alike("prelu", x, "slope", slope);
    RADIAL_CHECK(x.rank() >= 2, "prelu: input is {}, expected [N, C, ...]", x.shape().str());
    RADIAL_CHECK(slope.rank() == 1 && (slope.numel() == 1 || slope.numel() == x.size(1)),
                 "prelu: slope is {}, expected [{}] or [1] for input {}", slope.shape().str(), x.size(1),
                 x.shape().str());
    const Tensor y = Tensor::empty_like(x);
    const auto [outer, channels, inner] = ops::blocks_around(x, 1);
    dispatch_floating(x.dtype(), "prelu", [&, o = outer, c = channels, n = inner](auto zero) {
        using T = decltype(zero);
        const T* const in = x.data<T>();
        const T* const a = slope.data<T>();
        T* const out = y.data<T>();
        const auto apply = [](T v, T s) { return v > 0 ? v : s * v; };
        if (slope.numel() == 1) {
            const T s = *a;
            kernels::map(x.numel(), [=](std::int64_t i) { out[i] = apply(in[i], s); });
        } else if (n == 1) {
            kernels::map2(o, c, [=](std::int64_t r, std::int64_t k) { out[r * c + k] = apply(in[r * c + k], a[k]); });
        } else {
            kernels::map2(o * c, n,
                          [=](std::int64_t r, std::int64_t i) { out[r * n + i] = apply(in[r * n + i], a[r % c]); });
        }
    });
    return record(
        "prelu", y, {x, slope},
        [saved = Saved(x, "prelu", "input"), saved_slope = Saved(slope, "prelu", "slope")](Tensor dy, Needs) -> Grads {
            const Tensor kept = saved.get(), a = saved_slope.get();
            dy = ops::like_layout(dy, kept);
            const Tensor dx = ops::reuse_or_empty(dy), da = Tensor::empty_like(a);
            dispatch_floating(dy.dtype(), "prelu",
                              [&](auto zero) { prelu_backward<decltype(zero)>(kept, dy, a, dx, da); });
            return {dx, da};
        });
}

Tensor dropout(const Tensor& x, double p, Generator& generator) {
    ops::check_floating("dropout", "the input", x);
    RADIAL_CHECK(p >= 0 && p < 1, "dropout: probability is {}, expected within [0, 1)", p);
    const std::uint64_t seed = generator.seed(), first = generator.reserve(static_cast<std::uint64_t>(x.numel()));
    const Tensor y = apply_dropout(x, Tensor::empty_like(x), p, seed, first);
    // The mask is drawn again in backward rather than kept.
    return record("dropout", y, {x}, [p, seed, first, layout = x.layout()](Tensor dy, Needs) -> Grads {
        dy = dy.to(layout);
        return {apply_dropout(dy, ops::reuse_or_empty(dy), p, seed, first)};
    });
}

}  // namespace radial
