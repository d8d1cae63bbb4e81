// PReLU (He et al. 2015), over its input's memory where the input can be told from the result.
#include "radial/core/ops/common.h"

namespace radial {
namespace {

// One value a channel, so that the loops over channels read plain vectors even when one slope serves all.
template <class T>
std::vector<T> spread(const Tensor& slope, std::int64_t channels) {
    const auto values = slope.values<T>();
    std::vector<T> result(values.begin(), values.end());
    if (values.size() == 1) result.assign(static_cast<std::size_t>(channels), values[0]);
    return result;
}

// Below this a quotient by the slope loses the input's digits or overflows.
constexpr double smallest_slope = 1e-3;

bool invertible(const Tensor& slope) {
    return dispatch_floating(slope.dtype(), "prelu", [&](auto zero) {
        const auto values = slope.values<decltype(zero)>();
        return std::all_of(values.begin(), values.end(), [](auto a) { return a > smallest_slope; });
    });
}

template <class T>
void forward(const Tensor& x, const Tensor& slope, const Tensor& y) {
    const auto [outer, channels, inner] = ops::blocks_around(x, 1);
    const std::vector<T> slopes = spread<T>(slope, channels);
    const T *const in = x.data<T>(), *const a = slopes.data();
    T* const out = y.data<T>();
    if (inner == 1) {
        kernels::map2(outer, channels, [=, c = channels](std::int64_t r, std::int64_t k) {
            const T v = in[r * c + k], scaled = a[k] * v;  // both sides computed, so that the loop has no branch
            out[r * c + k] = v > 0 ? v : scaled;
        });
    } else {
        kernels::map2(outer * channels, inner, [=, c = channels, n = inner](std::int64_t r, std::int64_t i) {
            const T v = in[r * n + i], scaled = a[r % c] * v;
            out[r * n + i] = v > 0 ? v : scaled;
        });
    }
}

// dx = dy * (x > 0 ? 1 : slope), and the slope's gradient, the sum of dy * x where x <= 0, in the same pass. `kept` is
// x, or the result: where that is negative, x = kept / slope.
template <class T>
void backward(const Tensor& kept, bool kept_result, const Tensor& dy, const Tensor& slope, const Tensor& dx,
              const Tensor& dslope) {
    const auto [outer, channels, inner] = ops::blocks_around(kept, 1);
    const std::vector<T> slopes = spread<T>(slope, channels);
    std::vector<T> restoring(slopes.size(), T{1}), sums(slopes.size());
    if (kept_result) std::transform(slopes.begin(), slopes.end(), restoring.begin(), [](T a) { return 1 / a; });
    const T *const v = kept.data<T>(), *const g = dy.data<T>(), *const a = slopes.data(),
                   *const restore = restoring.data();
    T* const out = dx.data<T>();
    if (inner == 1) {
        kernels::reduce_columns(outer, channels, sums.data(), [=, c = channels](std::int64_t r, std::int64_t k) {
            const T value = v[r * c + k], grad = g[r * c + k], scaled = grad * a[k], part = grad * value * restore[k];
            out[r * c + k] = value > 0 ? grad : scaled;
            return value > 0 ? T{0} : part;
        });
    } else {
        kernels::reduce_columns(outer, channels, sums.data(),
                                [=, c = channels, n = inner](std::int64_t r, std::int64_t k) {
                                    const std::int64_t start = (r * c + k) * n;
                                    T total{0};
                                    for (std::int64_t i = start; i < start + n; ++i) {
                                        const T value = v[i], grad = g[i], scaled = grad * a[k], part = grad * value;
                                        out[i] = value > 0 ? grad : scaled;
                                        total += value > 0 ? T{0} : part;
                                    }
                                    return total * restore[k];
                                });
    }
    T* const result = dslope.data<T>();
    if (dslope.numel() == channels) {
        std::copy(sums.begin(), sums.end(), result);
    } else {
        double total = 0;
        for (const T s : sums) total += static_cast<double>(s);
        result[0] = static_cast<T>(total);
    }
}

}  // namespace

Tensor prelu(Tensor x, const Tensor& slope) {
    ops::check_floating("prelu", "the input", x);
    ops::check_alike("prelu", x, "slope", slope);
    RADIAL_CHECK(x.rank() >= 2, "prelu: input is {}, expected [N, C, ...]", x.shape().str());
    RADIAL_CHECK(slope.rank() == 1 && (slope.numel() == 1 || slope.numel() == x.size(1)),
                 "prelu: slope is {}, expected [{}] or [1] for input {}", slope.shape().str(), x.size(1),
                 x.shape().str());
    const bool in_place = ops::may_overwrite(x) && invertible(slope);
    const Tensor y = in_place ? x.detach() : Tensor::empty_like(x);
    dispatch_floating(x.dtype(), "prelu", [&](auto zero) { forward<decltype(zero)>(x, slope, y); });
    if (in_place) y.bump_version();
    return record("prelu", y, {x, slope},
                  [saved = in_place ? Saved(y, "prelu", "result") : Saved(x, "prelu", "input"), in_place,
                   saved_slope = Saved(slope, "prelu", "slope")](Tensor dy, Needs) -> Grads {
                      const Tensor kept = saved.get(), a = saved_slope.get();
                      dy = ops::like_layout(dy, kept);
                      const Tensor dx = ops::reuse_or_empty(dy), da = Tensor::empty_like(a);
                      dispatch_floating(dy.dtype(), "prelu",
                                        [&](auto zero) { backward<decltype(zero)>(kept, in_place, dy, a, dx, da); });
                      return {dx, da};
                  });
}

}  // namespace radial
