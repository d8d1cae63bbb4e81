// Activations, ReLU in place where nothing else reads its input, and dropout.
#include "radial/core/kernels/activation.h"

#include "radial/core/ops/apply.h"

namespace radial {
namespace {

/// Where the numbers of a mask begin in the random stream; see Generator::base().
struct MaskStart {
    std::uint64_t seed, first;
    const std::uint64_t* base;
};

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

Tensor relu(Tensor x) {
    ops::check_floating("relu", "the input", x);
    const bool in_place = ops::may_overwrite(x);
    const Tensor y = in_place ? x.detach() : Tensor::empty_like(x);
    if (in_place) y.bump_version();  // before its new elements are kept for backward
    return ops::transform("relu", x, y, kernels::Relu{});
}

Tensor sigmoid(const Tensor& x) { return ops::transform("sigmoid", x, kernels::Sigmoid{}); }
Tensor tanh(const Tensor& x) { return ops::transform("tanh", x, kernels::Tanh{}); }
Tensor silu(const Tensor& x) { return ops::transform("silu", x, kernels::Silu{}); }

Tensor dropout(const Tensor& x, double p, Generator& generator) {
    ops::check_floating("dropout", "the input", x);
    RADIAL_CHECK(p >= 0 && p < 1, "dropout: probability is {}, expected within [0, 1)", p);
    const MaskStart start{generator.seed(), generator.reserve(static_cast<std::uint64_t>(x.numel())), generator.base()};
    const Tensor y = apply_dropout(x, Tensor::empty_like(x), p, start);
    // The mask is drawn again in backward rather than kept.
    return record("dropout", y, {x}, [p, start, layout = x.layout()](Tensor dy, Needs) -> Grads {
        dy = dy.to(layout);
        return {apply_dropout(dy, ops::reuse_or_empty(dy), p, start)};
    });
}

}  // namespace radial
