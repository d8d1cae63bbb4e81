// ReLU, in place where nothing else reads its input, and dropout.
#include "radial/core/kernels/memory_index.h"
#include "radial/core/kernels/philox.h"
#include "radial/core/ops/common.h"

namespace radial {
namespace {

// x * mask / (1 - p); number `first + i` of the stream decides element i in logical order, whatever the layout.
Tensor apply_dropout(const Tensor& x, const Tensor& y, double p, std::uint64_t seed, std::uint64_t first) {
    dispatch_floating(x.dtype(), "dropout", [&](auto zero) {
        using T = decltype(zero);
        const T* const in = x.data<T>();
        T* const out = y.data<T>();
        const auto threshold = static_cast<float>(p);
        const T keep = static_cast<T>(1.0 / (1.0 - p));
        const kernels::MemoryIndex at(x);
        kernels::map(x.numel(), [=](std::int64_t i) {
            const float u = kernels::to_unit(kernels::random_bits(seed, first + static_cast<std::uint64_t>(i)));
            const std::int64_t place = at(i);
            out[place] = u < threshold ? T{0} : in[place] * keep;
        });
    });
    return y;
}

}  // namespace

Tensor relu(Tensor x) {
    ops::check_floating("relu", "the input", x);
    const bool in_place = ops::may_overwrite(x);
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
            kernels::map(dy.numel(), [=](std::int64_t i) {
                const T grad = g[i];  // read whatever the sign, so that the loop has no branch
                out[i] = k[i] > 0 ? grad : T{0};
            });
        });
        return {dx};
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
