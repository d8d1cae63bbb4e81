// Activations, some of which are computed in place if nothing else reads the input, and dropout.
#include "radial/core/ops/kernels/activation.h"

#include "radial/core/ops/common.h"
#include "radial/core/ops/kernels/reduce.h"

#include <span>
#include <vector>

namespace radial {
namespace {

/// The position of a mask's random numbers in the stream; see Generator::base().
struct MaskStart {
    std::uint64_t seed, first;
    const std::uint64_t* base;
};

/// y = f(x), computed in place if nothing else reads `x`. F::keeps_result must be true, because the input may be
/// overwritten.
template <class F>
Tensor over_input(std::string_view op, const Tensor& x, const F& f,
                  std::initializer_list<OpAttribute> attributes = {}) {
    ops::check_floating(op, "the input", x);
    const bool in_place = ops::may_overwrite(x);
    const Tensor y = in_place ? x.detach() : Tensor::empty_like(x);
    if (in_place) y.bump_version();  // before the result is saved for backward
    return ops::transform(op, x, y, f, attributes);
}

Tensor apply_dropout(const Tensor& x, const Tensor& y, double p, const MaskStart& start) {
    dispatch_activation(x.dtype(), "dropout", [&](auto zero) {
        using T = decltype(zero);
        kernels::map(x.device(), x.numel(),
                     kernels::Dropout<T>{x.data<T>(), y.data<T>(), p, 1.0 / (1.0 - p), start.seed, start.first,
                                         start.base, kernels::MemoryIndex(x)});
    });
    return y;
}

}  // namespace

Tensor relu(Tensor x) { return over_input("relu", x, kernels::Relu{}); }
Tensor relu6(Tensor x) { return over_input("relu6", x, kernels::Relu6{}); }

Tensor sigmoid(const Tensor& x) { return ops::transform("sigmoid", x, kernels::Sigmoid{}); }
Tensor tanh(const Tensor& x) { return ops::transform("tanh", x, kernels::Tanh{}); }
Tensor silu(const Tensor& x) { return ops::transform("silu", x, kernels::Silu{}); }
Tensor gelu(const Tensor& x) { return ops::transform("gelu", x, kernels::Gelu{}); }
Tensor hard_sigmoid(const Tensor& x) { return ops::transform("hard_sigmoid", x, kernels::HardSigmoid{}); }
Tensor hard_swish(const Tensor& x) { return ops::transform("hard_swish", x, kernels::HardSwish{}); }

Tensor gelu_tanh(const Tensor& x) { return ops::transform("gelu_tanh", x, kernels::GeluTanh{}); }
Tensor mish(const Tensor& x) { return ops::transform("mish", x, kernels::Mish{}); }
Tensor softsign(const Tensor& x) { return ops::transform("softsign", x, kernels::Softsign{}); }
Tensor log_sigmoid(const Tensor& x) { return ops::transform("log_sigmoid", x, kernels::LogSigmoid{}); }

Tensor leaky_relu(Tensor x, double slope) {
    if (slope >= 0) return over_input("leaky_relu", x, kernels::LeakyRelu<true>{slope}, {{"slope", slope}});
    return ops::transform("leaky_relu", x, kernels::LeakyRelu<false>{slope}, {{"slope", slope}});
}

Tensor elu(const Tensor& x, double alpha) {
    return ops::transform("elu", x, kernels::Elu{.alpha = alpha}, {{"alpha", alpha}});
}
Tensor selu(const Tensor& x) {
    constexpr double alpha = 1.6732632423543772, scale = 1.0507009873554805;
    return ops::transform("selu", x, kernels::Elu{.alpha = alpha, .scale = scale});
}
Tensor celu(const Tensor& x, double alpha) {
    RADIAL_CHECK(alpha > 0, "celu: alpha is {}, expected above 0", alpha);
    return ops::transform("celu", x, kernels::Elu{.alpha = alpha, .width = alpha}, {{"alpha", alpha}});
}

Tensor hard_tanh(const Tensor& x, double low, double high) {
    RADIAL_CHECK(low <= high, "hard_tanh: from {} to {}, expected the lower bound first", low, high);
    return clamp(x, low, high);
}
Tensor soft_shrink(const Tensor& x, double bound) {
    RADIAL_CHECK(bound >= 0, "soft_shrink: bound is {}, expected at least 0", bound);
    return ops::transform("soft_shrink", x, kernels::SoftShrink{bound}, {{"bound", bound}});
}
Tensor hard_shrink(const Tensor& x, double bound) {
    RADIAL_CHECK(bound >= 0, "hard_shrink: bound is {}, expected at least 0", bound);
    return ops::transform("hard_shrink", x, kernels::HardShrink{bound}, {{"bound", bound}});
}

Tensor glu(const Tensor& x, int dim) {
    ops::check_floating("glu", "the input", x);
    const int along = ops::checked_dim("glu", x, dim);
    RADIAL_CHECK(x.size(along) % 2 == 0, "glu: input {} has extent {} in dimension {}, expected an even number",
                 x.shape().str(), x.size(along), along);
    std::vector<std::int64_t> extents(x.shape().begin(), x.shape().end());
    extents[static_cast<std::size_t>(along)] /= 2;
    const Tensor y = Tensor::empty(Shape(std::span<const std::int64_t>(extents)), x.dtype(), x.device(), x.layout());
    const auto [outer, extent, inner] = ops::blocks_around(x, along);
    const std::int64_t rows = outer, half = extent / 2 * inner;
    dispatch_activation(x.dtype(), "glu", [&](auto zero) {
        using T = decltype(zero);
        kernels::map2(x.device(), rows, half, kernels::Glu<T>{x.data<T>(), y.data<T>(), half});
    });
    return record("glu", y, {x},
                  [saved = Saved(x, "glu", "input"), rows, half](Tensor dy, Needs) -> Grads {
                      const Tensor kept = saved.get(), dx = Tensor::empty_like(kept);
                      dy = ops::like_layout(dy, kept);
                      dispatch_activation(kept.dtype(), "glu", [&](auto zero) {
                          using T = decltype(zero);
                          kernels::map2(kept.device(), rows, half,
                                        kernels::GluBackward<T>{kept.data<T>(), dy.data<T>(), dx.data<T>(), half});
                      });
                      return {dx};
                  },
                  {{"dim", along}});
}

Tensor activated(Tensor x, Activation activation) {
    switch (activation) {
        case Activation::none:
            return x;
        case Activation::relu:
            return relu(std::move(x));
        case Activation::silu:
            return silu(x);
        case Activation::gelu:
            return gelu(x);
        case Activation::relu6:
            return relu6(std::move(x));
        case Activation::hard_swish:
            return hard_swish(x);
    }
    throw Error("activated: unknown activation");
}

Tensor dropout(const Tensor& x, double p, Generator& generator) {
    ops::check_floating("dropout", "the input", x);
    RADIAL_CHECK(p >= 0 && p < 1, "dropout: probability is {}, expected within [0, 1)", p);
    const MaskStart start{generator.seed(), generator.reserve(static_cast<std::uint64_t>(x.numel())), generator.base()};
    const Tensor y = apply_dropout(x, Tensor::empty_like(x), p, start);
    // The mask is not saved; backward draws it again.
    return record("dropout", y, {x}, [p, start, layout = x.layout()](Tensor dy, Needs) -> Grads {
        dy = dy.to(layout);
        return {apply_dropout(dy, ops::reuse_or_empty(dy), p, start)};
    });
}

namespace {

// Dividing the result by a smaller slope to recover the input would lose precision or overflow.
constexpr double smallest_slope = 1e-3;

// Whether the input can be recovered from the result. False if the host cannot read the slopes, and for bfloat16, which
// has no precision to spare.
bool invertible(const Tensor& x, const Tensor& slope) {
    if (slope.device().kind != Device::Kind::cpu || x.dtype() == DType::bfloat16) return false;
    return dispatch_floating(slope.dtype(), "prelu", [&](auto zero) {
        const auto values = slope.values<decltype(zero)>();
        return std::all_of(values.begin(), values.end(), [](auto a) { return a > smallest_slope; });
    });
}

// Calls f(T{}, S{}, One{}) with the type of x, the type of the slopes, and whether all channels share one slope.
template <class F>
void dispatch_prelu(const Tensor& x, const Tensor& slope, const F& f) {
    dispatch_activation(x.dtype(), "prelu", [&](auto x_zero) {
        const auto with = [&](auto slope_zero) {
            slope.numel() == 1 ? f(x_zero, slope_zero, std::true_type{}) : f(x_zero, slope_zero, std::false_type{});
        };
        if (slope.dtype() == x.dtype()) return with(x_zero);
        if constexpr (std::is_same_v<decltype(x_zero), bfloat16>) with(float{});
    });
}

template <class T, class S, bool One>
void forward(const Tensor& x, const Tensor& slope, const Tensor& y) {
    const auto [outer, channels, inner] = ops::blocks_around(x, 1);
    constexpr int width = kernels::pack_width<T>;
    const T* const in = x.data<T>();
    const S* const a = slope.data<S>();
    T* const out = y.data<T>();
    if (inner > 1) {
        kernels::map2(x.device(), outer * channels, inner,
                      kernels::PreluPlanes<T, S, One>{in, a, out, channels, inner});
    } else if (ops::in_packs(x.device(), channels, width, in, out)) {
        kernels::map2(x.device(), outer, channels / width,
                      kernels::PreluColumns<T, S, One, width>{in, a, out, channels / width});
    } else {
        kernels::map2(x.device(), outer, channels, kernels::PreluColumns<T, S, One, 1>{in, a, out, channels});
    }
}

// Computes dx and each channel's contribution to the gradient of the slope, in one pass.
template <class T, class S, bool One, class Store>
void backward_pass(const Tensor& kept, const Tensor& dy, const Tensor& slope, const Tensor& dx, const Store& store) {
    const auto [outer, channels, inner] = ops::blocks_around(kept, 1);
    constexpr int width = kernels::pack_width<T>;
    const T *const v = kept.data<T>(), *const g = dy.data<T>();
    const S* const a = slope.data<S>();
    T* const out = dx.data<T>();
    if (inner > 1) {
        kernels::reduce_columns(kept.device(), outer, channels,
                                kernels::PreluPlanesBackward<T, S, One>{v, g, a, out, channels, inner}, store);
    } else if (ops::in_packs(kept.device(), channels, width, v, g, out)) {
        kernels::reduce_columns(kept.device(), outer, channels / width,
                                kernels::PreluColumnsBackward<T, S, One, width>{v, g, a, out, channels / width}, store);
    } else {
        kernels::reduce_columns(kept.device(), outer, channels,
                                kernels::PreluColumnsBackward<T, S, One, 1>{v, g, a, out, channels}, store);
    }
}

template <class T, class S, bool One>
void backward(const Tensor& kept, bool kept_result, const Tensor& dy, const Tensor& slope, const Tensor& dx,
              const Tensor& dslope) {
    const S* const divisor = kept_result ? slope.data<S>() : nullptr;
    S* const out = dslope.data<S>();
    if constexpr (One) {
        const std::int64_t channels = kept.size(1);
        const Tensor sums = Tensor::empty({channels}, DType::float64, kept.device());
        double* const parts = sums.data<double>();
        backward_pass<T, S, One>(kept, dy, slope, dx, kernels::StoreSlope<double, S>{divisor, parts, 0});
        kernels::reduce(kept.device(), channels, kernels::Read<double>{parts}, 1.0, out);
    } else {
        backward_pass<T, S, One>(kept, dy, slope, dx, kernels::StoreSlope<S, S>{divisor, out, 1});
    }
}

}  // namespace

Tensor prelu(Tensor x, const Tensor& slope) {
    ops::check_floating("prelu", "the input", x);
    ops::check_weight("prelu", x, "slope", slope);
    RADIAL_CHECK(x.rank() >= 2, "prelu: input is {}, expected [N, C, ...]", x.shape().str());
    RADIAL_CHECK(slope.rank() == 1 && (slope.numel() == 1 || slope.numel() == x.size(1)),
                 "prelu: slope is {}, expected [{}] or [1] for input {}", slope.shape().str(), x.size(1),
                 x.shape().str());
    const bool in_place = ops::may_overwrite(x) && invertible(x, slope);
    const Tensor y = in_place ? x.detach() : Tensor::empty_like(x);
    dispatch_prelu(x, slope, [&](auto t, auto s, auto one) {
        forward<decltype(t), decltype(s), decltype(one)::value>(x, slope, y);
    });
    if (in_place) y.bump_version();
    return record("prelu", y, {x, slope},
                  [saved = in_place ? Saved(y, "prelu", "result") : Saved(x, "prelu", "input"), in_place,
                   saved_slope = Saved(slope, "prelu", "slope")](Tensor dy, Needs) -> Grads {
                      const Tensor kept = saved.get(), a = saved_slope.get();
                      dy = ops::like_layout(dy, kept);
                      const Tensor dx = ops::reuse_or_empty(dy), da = Tensor::empty_like(a);
                      dispatch_prelu(dy, a, [&](auto t, auto s, auto one) {
                          backward<decltype(t), decltype(s), decltype(one)::value>(kept, in_place, dy, a, dx, da);
                      });
                      return {dx, da};
                  });
}

}  // namespace radial
