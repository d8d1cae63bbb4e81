// Convolution on the CPU, on channels-last images: our own kernels for Winograd's method (winograd.h) and for the
// gradients of depthwise weights, and oneDNN's direct kernels for everything else.
#include "radial/core/backend/cpu/onednn.h"
#include "radial/core/backend/cpu/onednn_backend.h"
#include "radial/core/backend/cpu/small_products.h"
#include "radial/core/backend/cpu/winograd.h"

#include <algorithm>
#include <cfenv>
#include <string_view>

namespace radial {
namespace {

// Detection of NaNs that oneDNN has turned into numbers. oneDNN computes a fused ReLU as the maximum with 0, and on x86
// the maximum of a NaN and 0 is 0. But a maximum with a NaN is an invalid operation, which sets a floating-point flag
// of the thread that ran it. Reading the flags takes no time compared with a convolution; searching the inputs for NaNs
// would take up to a tenth of it.

/// Whether a maximum with a NaN sets the flag. If not, a ReLU must not be fused, because lost NaNs cannot be detected.
#if defined(__x86_64__) || defined(__i386__)
constexpr bool maximum_notes_nan = true;
#else
constexpr bool maximum_notes_nan = false;
#endif

/// Whether a thread in the calling thread's team has run an invalid operation since the last call. If so, a NaN may
/// have been produced or lost since then. Clears the flags.
bool invalid_operation_noted() {
    int noted = 0;
#pragma omp parallel reduction(| : noted)
    if (std::fetestexcept(FE_INVALID) != 0) {
        std::feclearexcept(FE_INVALID);
        noted = 1;
    }
    return noted != 0;
}

constexpr std::int64_t lanes = 16;
using Lanes = vectors::Vector<lanes>;

struct Extents {
    std::int64_t images, channels, in_height, in_width, height, width;
};

/// Adds the products of one row of results: sums[s] += x[.., w * stride + s - pad] * dy[.., w].
template <int kernel>
void along_row(const float* x_row, const float* dy_row, const Extents& e, std::int64_t stride, std::int64_t pad,
               Lanes* sums) {
    Lanes own[kernel];
#pragma GCC unroll 8
    for (int s = 0; s < kernel; ++s) own[s] = sums[s];
    for (std::int64_t w = 0; w < e.width; ++w) {
        const std::int64_t first = w * stride - pad;
        const Lanes gradient = vectors::load<lanes>(dy_row + w * e.channels);
        const float* const x = x_row + first * e.channels;
        if (first >= 0 && first + kernel <= e.in_width) {
#pragma GCC unroll 8
            for (int s = 0; s < kernel; ++s) own[s] += gradient * vectors::load<lanes>(x + s * e.channels);
        } else {
#pragma GCC unroll 8
            for (int s = 0; s < kernel; ++s)
                if (first + s >= 0 && first + s < e.in_width)
                    own[s] += gradient * vectors::load<lanes>(x + s * e.channels);
        }
    }
#pragma GCC unroll 8
    for (int s = 0; s < kernel; ++s) sums[s] = own[s];
}

template <int kernel>
void backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& g, const Tensor& dw) {
    const Extents e{x.size(0), x.size(1), x.size(2), x.size(3), dy.size(2), dy.size(3)};
    const float *const in = x.data<float>(), *const up = dy.data<float>();
    float* const out = dw.data<float>();
#pragma omp parallel for schedule(static)
    for (std::int64_t block = 0; block < e.channels / lanes; ++block) {
        const std::int64_t channel = block * lanes;
        double total[kernel * kernel][lanes] = {};
        for (std::int64_t n = 0; n < e.images; ++n) {
            Lanes sums[kernel][kernel] = {};
            for (std::int64_t h = 0; h < e.height; ++h) {
                const float* const dy_row = up + (n * e.height + h) * e.width * e.channels + channel;
                for (int r = 0; r < kernel; ++r) {
                    const std::int64_t row = h * g.stride_h + r - g.pad_h;
                    if (row < 0 || row >= e.in_height) continue;
                    const float* const x_row = in + (n * e.in_height + row) * e.in_width * e.channels + channel;
                    along_row<kernel>(x_row, dy_row, e, g.stride_w, g.pad_w, sums[r]);
                }
            }
            for (int tap = 0; tap < kernel * kernel; ++tap)
                for (int c = 0; c < lanes; ++c)
                    total[tap][c] += static_cast<double>(sums[tap / kernel][tap % kernel][c]);
        }
        for (int tap = 0; tap < kernel * kernel; ++tap)
            for (int c = 0; c < lanes; ++c)
                out[(channel + c) * kernel * kernel + tap] = static_cast<float>(total[tap][c]);
    }
}

/// Computes the gradient of depthwise weights with our own kernel, because oneDNN 2.6 has a fast one for only a few
/// shapes.
///
/// Writes the gradient dw [C, 1, R, R] of the weights of a depthwise convolution of x [N, C, H, W], given the gradient
/// dy of the result; both are channels-last. Supports undilated 3x3 and 5x5 kernels, with a number of channels that is
/// a multiple of 16. Returns false and writes nothing for other convolutions.
bool depthwise_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& g, const Tensor& dw) {
    const std::int64_t channels = x.size(1), kernel = dw.size(2);
    const bool depthwise = g.groups == channels && dw.size(0) == channels && channels % lanes == 0;
    if (!depthwise || dw.size(3) != kernel || g.dilation_h != 1 || g.dilation_w != 1) return false;
    if (kernel == 3) {
        backward_weights<3>(x, dy, g, dw);
    } else if (kernel == 5) {
        backward_weights<5>(x, dy, g, dw);
    } else {
        return false;
    }
    return true;
}

using onednn::algorithm;
using onednn::Desc;
using onednn::Dims;

enum Kind : std::uint8_t { forward_kind, backward_data_kind, backward_weights_kind };

struct ConvPlan {
    dnnl::primitive primitive;
    Desc w, plain_w;              // weights in the primitive's format and in the tensor's format
    bool residual_first = false;  // whether the result must contain the residual before execution
    bool slow = false;            // whether oneDNN has only plain loops for this problem
    Desc x, y;
};

/// The parameters that a plan is made for.
struct Problem {
    Kind kind;
    const Tensor &x, &w, &y;
    bool bias;
    const ConvGeometry& geometry;
    Activation activation = Activation::none;
    bool residual = false;
    DType bias_type = DType::float32;
};

// oneDNN describes grouped weights as [G, K/G, C/G, R, S]; the order in memory is the same.
Dims weight_dims(const Tensor& w, std::int64_t groups) {
    const Shape& s = w.shape();
    if (groups == 1) return {s[0], s[1], s[2], s[3]};
    return {groups, s[0] / groups, s[1], s[2], s[3]};
}

onednn::Window window_of(const ConvGeometry& g) {
    return {{g.stride_h, g.stride_w}, {g.dilation_h - 1, g.dilation_w - 1}, {g.pad_h, g.pad_w}};
}

// Without AVX-512, oneDNN 2.6 adds a second tensor incorrectly, usually in the last channels when the number of
// channels is not a multiple of the vector length. The result is therefore initialised with the residual, and the
// convolution is added to it.
bool residual_comes_first(const Problem& p) { return p.residual && !has_avx512(); }

dnnl::primitive_attr epilogue(const Problem& p, const Desc& y) {
    dnnl::primitive_attr attributes;
    dnnl::post_ops ops;
    if (residual_comes_first(p))
        ops.append_sum(1);
    else if (p.residual)
        ops.append_binary(algorithm::binary_add, y);
    if (p.activation == Activation::relu) onednn::append_eltwise(ops, algorithm::eltwise_relu, 0);
    if (p.activation == Activation::silu) onednn::append_eltwise(ops, algorithm::eltwise_swish, 1);
    if (p.activation == Activation::gelu) onednn::append_eltwise(ops, algorithm::eltwise_gelu_erf, 0);
    attributes.set_post_ops(ops);
    return attributes;
}

/// Whether a primitive is one of oneDNN's plain loops, "ref:any".
bool is_plain(const dnnl::primitive_desc_base& desc) {
    return std::string_view(desc.impl_info_str()).starts_with("ref");
}

ConvPlan make_plan(const Problem& p) {
    using Tag = dnnl::memory::format_tag;
    const auto type = onednn::type_of(p.x.dtype()), weight_type = onednn::type_of(p.w.dtype());
    const auto how = algorithm::convolution_direct;
    const auto& engine = onednn::cpu_engine();
    const Dims dims = weight_dims(p.w, p.geometry.groups);
    ConvPlan plan{.primitive = {},
                  .w = {},
                  .plain_w = Desc(dims, weight_type, dims.size() == 4 ? Tag::abcd : Tag::abcde),
                  .residual_first = residual_comes_first(p),
                  .x = onednn::desc_of(p.x),
                  .y = onednn::desc_of(p.y)};
    const Desc w(dims, type, Tag::any);
    const Desc b = p.bias ? Desc({p.w.size(0)}, onednn::type_of(p.bias_type), Tag::a) : onednn::no_tensor();
    const auto window = window_of(p.geometry);
    const auto forward = onednn::convolution_forward(engine, how, plan.x, w, b, plan.y, window, epilogue(p, plan.y));
    if (p.kind == forward_kind) {
        plan.w = forward.weights_desc();
        plan.slow = is_plain(forward);
        plan.primitive = dnnl::convolution_forward(forward);
    } else if (p.kind == backward_data_kind) {
        const auto desc = onednn::convolution_backward_data(engine, how, plan.x, w, plan.y, window, forward);
        plan.w = desc.weights_desc();
        plan.slow = is_plain(desc);
        plan.primitive = dnnl::convolution_backward_data(desc);
    } else {
        const auto desc = onednn::convolution_backward_weights(engine, how, plan.x, w, b, plan.y, window, forward);
        plan.w = desc.diff_weights_desc();
        plan.slow = is_plain(desc);
        plan.primitive = dnnl::convolution_backward_weights(desc);
    }
    return plan;
}

const ConvPlan& plan_for(const Problem& p) {
    static thread_local LruCache<onednn::Key, ConvPlan, onednn::KeyHash> cache(onednn::plan_capacity);
    const ConvGeometry& g = p.geometry;
    const std::int64_t settings[] = {g.stride_h,
                                     g.stride_w,
                                     g.pad_h,
                                     g.pad_w,
                                     g.dilation_h,
                                     g.dilation_w,
                                     g.groups,
                                     p.bias,
                                     static_cast<std::int64_t>(p.activation),
                                     p.residual,
                                     static_cast<std::int64_t>(p.x.dtype()),
                                     static_cast<std::int64_t>(p.w.dtype()),
                                     static_cast<std::int64_t>(p.bias_type)};
    const auto key = onednn::make_key(p.kind, {onednn::extents(p.x), onednn::extents(p.w), settings});
    return cache.get(key, [&] { return make_plan(p); });
}

/// Weights in the format of a plan, with the buffer that holds them.
struct Weights {
    Tensor buffer;
    dnnl::memory memory;
};

Weights packed(const Tensor& w, const ConvPlan& plan) {
    if (plan.w == plan.plain_w) return {w, onednn::bind(w, plan.plain_w)};
    const Tensor buffer = onednn::packed_copy(
        w, plan.w, [&](const Tensor& to) { onednn::reorder(onednn::bind(w, plan.plain_w), onednn::bind(to, plan.w)); });
    return {buffer, onednn::bind(buffer, plan.w)};
}

DType bias_type(const Tensor& bias) { return bias.defined() ? bias.dtype() : DType::float32; }

/// Computes conv_activated() with oneDNN's kernels. Returns false when they do not preserve NaNs, when a NaN may have
/// been lost (y has then been written), or when they would be slow for bfloat16.
bool direct_forward(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry,
                    const Tensor& residual, Activation activation, const Tensor& y) {
    // oneDNN's hard swish and clamp are not designed to preserve NaNs, so the caller must use separate ops.
    if (activation == Activation::relu6 || activation == Activation::hard_swish) return false;
    const bool drops_nan = activation == Activation::relu;
    if (drops_nan && !maximum_notes_nan) return false;
    const ConvPlan& plan =
        plan_for({forward_kind, x, w, y, bias.defined(), geometry, activation, residual.defined(), bias_type(bias)});
    if (plan.slow && x.dtype() == DType::bfloat16) return false;
    const Weights weights = packed(w, plan);
    std::unordered_map<int, dnnl::memory> arguments{{DNNL_ARG_SRC, onednn::bind(x, plan.x)},
                                                    {DNNL_ARG_WEIGHTS, weights.memory},
                                                    {DNNL_ARG_DST, onednn::bind(y, plan.y)}};
    if (bias.defined()) arguments.emplace(DNNL_ARG_BIAS, onednn::bind(bias, onednn::desc_of(bias)));
    if (plan.residual_first) {
        y.copy_(residual);
    } else if (residual.defined()) {
        arguments.emplace(DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, onednn::bind(residual, plan.y));
    }
    onednn::execute(plan.primitive, arguments, "conv2d");
    if (drops_nan && invalid_operation_noted()) return false;  // the caller's own ReLU preserves NaNs
    return true;
}

/// Computes conv_backward_data() with oneDNN's kernels. Returns false when they would be slow for bfloat16.
bool direct_backward_data(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry, const Tensor& dx) {
    const ConvPlan& plan = plan_for({backward_data_kind, dx, w, dy, false, geometry});
    if (plan.slow && dx.dtype() == DType::bfloat16) return false;
    const Weights weights = packed(w, plan);
    onednn::execute(plan.primitive,
                    {{DNNL_ARG_DIFF_DST, onednn::bind(dy, plan.y)},
                     {DNNL_ARG_WEIGHTS, weights.memory},
                     {DNNL_ARG_DIFF_SRC, onednn::bind(dx, plan.x)}},
                    "conv2d backward (data)");
    return true;
}

/// Computes conv_backward_weights() with oneDNN's kernels. Returns false when they would be slow for bfloat16.
bool direct_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry, const Tensor& dw,
                             const Tensor& dbias) {
    const ConvPlan& plan = plan_for(
        {backward_weights_kind, x, dw, dy, dbias.defined(), geometry, Activation::none, false, bias_type(dbias)});
    if (plan.slow && x.dtype() == DType::bfloat16) return false;
    const bool direct = plan.w == plan.plain_w;
    const Tensor buffer = direct ? dw : onednn::buffer_for(plan.w);
    const auto gradient = onednn::bind(buffer, plan.w);
    std::unordered_map<int, dnnl::memory> arguments{{DNNL_ARG_SRC, onednn::bind(x, plan.x)},
                                                    {DNNL_ARG_DIFF_DST, onednn::bind(dy, plan.y)},
                                                    {DNNL_ARG_DIFF_WEIGHTS, gradient}};
    if (dbias.defined()) arguments.emplace(DNNL_ARG_DIFF_BIAS, onednn::bind(dbias, onednn::desc_of(dbias)));
    onednn::execute(plan.primitive, arguments, "conv2d backward (weights)");
    if (!direct) onednn::reorder(gradient, onednn::bind(dw, plan.plain_w));
    return true;
}

/// Whether a bfloat16 convolution uses oneDNN's bfloat16 kernels. Depthwise convolutions do not, because oneDNN 2.6 is
/// slow there.
bool in_bf16(const Tensor& w, const ConvGeometry& geometry) {
    return has_bf16() && (geometry.groups == 1 || w.size(1) > 1);
}

}  // namespace

bool OneDnnBackend::conv_activated(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry,
                                   const Tensor& residual, Activation activation, const Tensor& y) {
    // oneDNN's depthwise kernels for SSE4.1 and AVX crash when a sum is fused and the number of channels is not a
    // multiple of 8.
    if (residual.defined() && geometry.groups > 1 && !has_avx512()) return false;
    if (winograd_forward(x, w, bias, geometry, residual, activation, y)) return true;
    return direct_forward(x, w, bias, geometry, residual, activation, y);
}

void OneDnnBackend::conv_forward(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry,
                                 const Tensor& y) {
    OneDnnBackend::conv_activated(x, w, bias, geometry, {}, Activation::none, y);
}

void OneDnnBackend::conv_backward_data(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry,
                                       const Tensor& dx) {
    if (!winograd_backward_data(dy, w, geometry, dx)) direct_backward_data(dy, w, geometry, dx);
}

void OneDnnBackend::conv_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry,
                                          const Tensor& dw, const Tensor& dbias) {
    if (depthwise_backward_weights(x, dy, geometry, dw) || winograd_backward_weights(x, dy, geometry, dw)) {
        if (dbias.defined()) channel_sums(dy, dbias);
        return;
    }
    direct_backward_weights(x, dy, geometry, dw, dbias);
}

bool Bf16Backend::conv_activated(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry,
                                 const Tensor& residual, Activation activation, const Tensor& y) {
    return in_bf16(w, geometry) && direct_forward(x, w, bias, geometry, residual, activation, y);
}

void Bf16Backend::conv_forward(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry,
                               const Tensor& y) {
    if (conv_activated(x, w, bias, geometry, {}, Activation::none, y)) return;
    const Rounded result(y);
    OneDnnBackend::conv_forward(widened(x), widened(w), widened(bias), geometry, result.wide());
    result.finish();
}

void Bf16Backend::conv_backward_data(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry,
                                     const Tensor& dx) {
    if (in_bf16(w, geometry) && direct_backward_data(dy, w, geometry, dx)) return;
    const Rounded result(dx);
    OneDnnBackend::conv_backward_data(widened(dy), widened(w), geometry, result.wide());
    result.finish();
}

void Bf16Backend::conv_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry,
                                        const Tensor& dw, const Tensor& dbias) {
    if (in_bf16(dw, geometry) && direct_backward_weights(x, dy, geometry, dw, dbias)) return;
    const Rounded weights(dw), bias(dbias);
    OneDnnBackend::conv_backward_weights(widened(x), widened(dy), geometry, weights.wide(), bias.wide());
    weights.finish();
    bias.finish();
}

}  // namespace radial
