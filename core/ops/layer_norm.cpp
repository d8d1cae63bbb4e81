// Layer normalisation and RMS normalisation, over trailing dimensions or over the channels of images.
#include "radial/core/ops/kernels/layer_norm.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/kernels/launch.h"
#include "radial/core/ops/common.h"
#include "radial/core/ops/norm_inputs.h"

namespace radial::ops {

void check_norm_vector(std::string_view op, const Tensor& x, std::string_view what, const Tensor& vector,
                       const Shape& expected) {
    if (!vector.defined()) return;
    const DType wanted = x.dtype() == DType::bfloat16 ? DType::float32 : x.dtype();
    RADIAL_CHECK(vector.dtype() == wanted, "{}: {} is {}, expected {}", op, what, vector.str(), name_of(wanted));
    check_device(op, x, what, vector);
    RADIAL_CHECK(vector.shape() == expected, "{}: {} is {}, expected {}", op, what, vector.shape().str(),
                 expected.str());
}

void check_epsilon(std::string_view op, double epsilon) {
    RADIAL_CHECK(epsilon >= 0, "{}: epsilon is {}, expected at least 0", op, epsilon);
}

Tensor vector_or(const Tensor& vector, double otherwise, std::int64_t count, const Tensor& x) {
    if (vector.defined()) return vector.rank() == 4 ? vector.to(Layout::row_major) : vector;
    return Tensor::full({count}, otherwise, x.dtype() == DType::bfloat16 ? DType::float32 : x.dtype(), x.device());
}

}  // namespace radial::ops

namespace radial {
namespace {

/// The parameters of one call. The memory of x is a row-major matrix with `columns` columns.
struct RowNorm {
    std::string_view op;
    std::int64_t columns;
    double epsilon;
};

/// The values saved for backward.
struct Kept {
    Saved x, weight;
    Tensor statistics;  ///< float64 [rows, 2]
    Shape vector;       ///< of weight and bias
    RowNorm norm;
};

template <bool centred>
Tensor input_gradient(const Kept& kept, const Tensor& x, Tensor dy) {
    const Tensor weight = ops::vector_or(kept.weight.get(), 1, kept.norm.columns, x);
    const Tensor dx = ops::reuse_or_empty(dy);
    dispatch_activation(x.dtype(), kept.norm.op, [&](auto zero) {
        using X = decltype(zero);
        const std::int64_t columns = kept.norm.columns;
        kernels::rows(x.device(), kept.statistics.size(0), columns,
                      kernels::LayerNormGradientRow<X, centred>{x.data<X>(), dy.data<X>(), weight.data<Compute<X>>(),
                                                                dx.data<X>(), kept.statistics.data<double>(), columns},
                      4);
    });
    return dx;
}

/// Writes the gradients of weight and bias; either may be undefined.
void vector_gradients(const Kept& kept, const Tensor& x, const Tensor& dy, const Tensor& dweight, const Tensor& dbias) {
    dispatch_activation(x.dtype(), kept.norm.op, [&](auto zero) {
        using X = decltype(zero);
        using V = Compute<X>;
        const std::int64_t columns = kept.norm.columns;
        kernels::reduce_columns(
            x.device(), kept.statistics.size(0), columns,
            kernels::LayerNormColumn<X>{x.data<X>(), dy.data<X>(), kept.statistics.data<double>(), columns},
            kernels::StoreColumnPair<V>{dbias.defined() ? dbias.data<V>() : nullptr,
                                        dweight.defined() ? dweight.data<V>() : nullptr});
    });
}

template <bool centred>
Grads norm_backward(const Kept& kept, Tensor dy, Needs needs) {
    const Tensor x = kept.x.get();
    dy = dy.to(x.layout());
    Grads grads(3);
    const DType vectors = x.dtype() == DType::bfloat16 ? DType::float32 : x.dtype();
    for (const std::size_t input : {1, 2})
        if (needs[input]) grads[input] = Tensor::empty(kept.vector, vectors, x.device());
    if (needs[1] || needs[2]) vector_gradients(kept, x, dy, grads[1], grads[2]);
    if (needs[0]) grads[0] = input_gradient<centred>(kept, x, std::move(dy));
    return grads;
}

/// Normalises the rows of x's memory. Inputs have been checked; `vector` is the shape of weight and bias, and `given`
/// is the input of the op, of which x may be a copy in another layout.
template <bool centred>
Tensor normalise_rows(const RowNorm& norm, const Tensor& x, const Tensor& weight, const Tensor& bias,
                      const Shape& vector, const Tensor& given) {
    const std::int64_t rows = norm.columns == 0 ? 0 : x.numel() / norm.columns;
    const Tensor y = Tensor::empty_like(x);
    Kept kept{.x = Saved(x, norm.op, "input"),
              .weight = Saved(weight, norm.op, "weight"),
              .statistics = Tensor::empty({rows, 2}, DType::float64, x.device()),
              .vector = vector,
              .norm = norm};
    const Tensor scale = ops::vector_or(weight, 1, norm.columns, x), shift = ops::vector_or(bias, 0, norm.columns, x);
    dispatch_activation(x.dtype(), norm.op, [&](auto zero) {
        using X = decltype(zero);
        using V = Compute<X>;
        kernels::rows(x.device(), rows, norm.columns,
                      kernels::LayerNormRow<X, centred>{x.data<X>(), scale.data<V>(), shift.data<V>(), y.data<X>(),
                                                        kept.statistics.data<double>(), norm.columns, norm.epsilon},
                      4);
    });
    return record(
        norm.op, y, {given, weight, bias},
        [kept = std::move(kept)](Tensor dy, Needs needs) { return norm_backward<centred>(kept, std::move(dy), needs); },
        {{"columns", norm.columns}, {"epsilon", norm.epsilon}});
}

/// Throws Error unless `normalised` are the last extents of x.
void check_trailing(std::string_view op, const Tensor& x, const Shape& normalised) {
    ops::check_floating(op, "the input", x);
    const int first = x.rank() - normalised.rank();
    const bool fits = normalised.rank() > 0 && first >= 0 &&
                      std::equal(normalised.begin(), normalised.end(), x.shape().begin() + std::max(first, 0));
    RADIAL_CHECK(fits, "{}: input is {}, expected {} as its last extents", op, x.shape().str(), normalised.str());
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Shape& normalised, const Tensor& weight, const Tensor& bias, double epsilon) {
    check_trailing("layer_norm", x, normalised);
    ops::check_norm_vector("layer_norm", x, "weight", weight, normalised);
    ops::check_norm_vector("layer_norm", x, "bias", bias, normalised);
    ops::check_epsilon("layer_norm", epsilon);
    return normalise_rows<true>({"layer_norm", normalised.numel(), epsilon}, x.to(Layout::row_major), weight, bias,
                                normalised, x);
}

Tensor rms_norm(const Tensor& x, const Shape& normalised, const Tensor& weight, double epsilon) {
    check_trailing("rms_norm", x, normalised);
    ops::check_norm_vector("rms_norm", x, "weight", weight, normalised);
    ops::check_epsilon("rms_norm", epsilon);
    return normalise_rows<false>({"rms_norm", normalised.numel(), epsilon}, x.to(Layout::row_major), weight, {},
                                 normalised, x);
}

Tensor layer_norm2d(const Tensor& x, const Tensor& weight, const Tensor& bias, double epsilon) {
    ops::check_floating("layer_norm2d", "the input", x);
    ops::check_rank("layer_norm2d", "input", x, 4, "[N, C, H, W]");
    const Shape channels{x.size(1)};
    ops::check_norm_vector("layer_norm2d", x, "weight", weight, channels);
    ops::check_norm_vector("layer_norm2d", x, "bias", bias, channels);
    ops::check_epsilon("layer_norm2d", epsilon);
    return normalise_rows<true>({"layer_norm2d", x.size(1), epsilon}, x.to(Layout::channels_last), weight, bias,
                                channels, x);
}

}  // namespace radial
