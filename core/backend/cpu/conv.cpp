// Convolution on the CPU: our own kernels by Winograd's method and for depthwise gradients, oneDNN's direct kernels for
// all else, both on channels-last images.
#include "radial/core/backend/cpu/depthwise.h"
#include "radial/core/backend/cpu/dropped_nan.h"
#include "radial/core/backend/cpu/onednn_backend.h"
#include "radial/core/backend/cpu/packed_weights.h"
#include "radial/core/backend/cpu/plan.h"
#include "radial/core/backend/cpu/winograd.h"

namespace radial {
namespace {

using onednn::algorithm;
using onednn::Desc;
using onednn::Dims;

enum Kind : std::uint8_t { forward_kind, backward_data_kind, backward_weights_kind };

struct ConvPlan {
    dnnl::primitive primitive;
    Desc w, plain_w;              // weights in the primitive's format and as the tensor holds them
    bool residual_first = false;  // whether the result is to hold the residual before
    Desc x, y;
};

/// What a plan is made for.
struct Problem {
    Kind kind;
    const Tensor &x, &w, &y;
    bool bias;
    const ConvGeometry& geometry;
    Activation activation = Activation::none;
    bool residual = false;
};

// oneDNN writes grouped weights as [G, K/G, C/G, R, S]; in memory they are the same.
Dims weight_dims(const Tensor& w, std::int64_t groups) {
    const Shape& s = w.shape();
    if (groups == 1) return {s[0], s[1], s[2], s[3]};
    return {groups, s[0] / groups, s[1], s[2], s[3]};
}

onednn::Window window_of(const ConvGeometry& g) {
    return {{g.stride_h, g.stride_w}, {g.dilation_h - 1, g.dilation_w - 1}, {g.pad_h, g.pad_w}};
}

// Without AVX-512 oneDNN 2.6 adds a second tensor wrongly, most often to the last channels that its vectors do not
// divide. There the result starts as the residual, and the convolution is summed onto it.
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
    attributes.set_post_ops(ops);
    return attributes;
}

ConvPlan make_plan(const Problem& p) {
    using Tag = dnnl::memory::format_tag;
    const auto f32 = dnnl::memory::data_type::f32;
    const auto how = algorithm::convolution_direct;
    const auto& engine = onednn::cpu_engine();
    const Dims dims = weight_dims(p.w, p.geometry.groups);
    ConvPlan plan{.primitive = {},
                  .w = {},
                  .plain_w = Desc(dims, f32, dims.size() == 4 ? Tag::abcd : Tag::abcde),
                  .residual_first = residual_comes_first(p),
                  .x = onednn::desc_of(p.x),
                  .y = onednn::desc_of(p.y)};
    const Desc w(dims, f32, Tag::any), b = p.bias ? Desc({p.w.size(0)}, f32, Tag::a) : onednn::no_tensor();
    const auto window = window_of(p.geometry);
    const auto forward = onednn::convolution_forward(engine, how, plan.x, w, b, plan.y, window, epilogue(p, plan.y));
    if (p.kind == forward_kind) {
        plan.w = forward.weights_desc();
        plan.primitive = dnnl::convolution_forward(forward);
    } else if (p.kind == backward_data_kind) {
        const auto desc = onednn::convolution_backward_data(engine, how, plan.x, w, plan.y, window, forward);
        plan.w = desc.weights_desc();
        plan.primitive = dnnl::convolution_backward_data(desc);
    } else {
        const auto desc = onednn::convolution_backward_weights(engine, how, plan.x, w, b, plan.y, window, forward);
        plan.w = desc.diff_weights_desc();
        plan.primitive = dnnl::convolution_backward_weights(desc);
    }
    return plan;
}

const ConvPlan& plan_for(const Problem& p) {
    static thread_local LruCache<onednn::Key, ConvPlan, onednn::KeyHash> cache(onednn::plan_capacity);
    const ConvGeometry& g = p.geometry;
    const std::int64_t settings[] = {g.stride_h, g.stride_w,   g.pad_h,
                                     g.pad_w,    g.dilation_h, g.dilation_w,
                                     g.groups,   p.bias,       static_cast<std::int64_t>(p.activation),
                                     p.residual};
    const auto key = onednn::make_key(p.kind, {onednn::extents(p.x), onednn::extents(p.w), settings});
    return cache.get(key, [&] { return make_plan(p); });
}

/// Weights in a plan's format; holds what they lie in.
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

}  // namespace

bool OneDnnBackend::conv_activated(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry,
                                   const Tensor& residual, Activation activation, const Tensor& y) {
    // oneDNN's depthwise kernels for SSE4.1 and AVX crash when a sum is attached to channels that 8 does not divide.
    if (residual.defined() && geometry.groups > 1 && !has_avx512()) return false;
    if (winograd_forward(x, w, bias, geometry, residual, activation, y)) return true;
    const bool drops_nan = activation == Activation::relu;
    if (drops_nan && !maximum_notes_nan) return false;
    const ConvPlan& plan = plan_for({forward_kind, x, w, y, bias.defined(), geometry, activation, residual.defined()});
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
    if (drops_nan && invalid_operation_noted()) return false;  // the caller's own ReLU keeps them
    return true;
}

void OneDnnBackend::conv_forward(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry,
                                 const Tensor& y) {
    conv_activated(x, w, bias, geometry, {}, Activation::none, y);
}

void OneDnnBackend::conv_backward_data(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry,
                                       const Tensor& dx) {
    if (winograd_backward_data(dy, w, geometry, dx)) return;
    const ConvPlan& plan = plan_for({backward_data_kind, dx, w, dy, false, geometry});
    const Weights weights = packed(w, plan);
    onednn::execute(plan.primitive,
                    {{DNNL_ARG_DIFF_DST, onednn::bind(dy, plan.y)},
                     {DNNL_ARG_WEIGHTS, weights.memory},
                     {DNNL_ARG_DIFF_SRC, onednn::bind(dx, plan.x)}},
                    "conv2d backward (data)");
}

void OneDnnBackend::conv_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry,
                                          const Tensor& dw, const Tensor& dbias) {
    if (depthwise_backward_weights(x, dy, geometry, dw) || winograd_backward_weights(x, dy, geometry, dw)) {
        if (dbias.defined()) channel_sums(dy, dbias);
        return;
    }
    const ConvPlan& plan = plan_for({backward_weights_kind, x, dw, dy, dbias.defined(), geometry});
    const bool direct = plan.w == plan.plain_w;
    const Tensor buffer = direct ? dw : onednn::buffer_for(plan.w);
    const auto gradient = onednn::bind(buffer, plan.w);
    std::unordered_map<int, dnnl::memory> arguments{{DNNL_ARG_SRC, onednn::bind(x, plan.x)},
                                                    {DNNL_ARG_DIFF_DST, onednn::bind(dy, plan.y)},
                                                    {DNNL_ARG_DIFF_WEIGHTS, gradient}};
    if (dbias.defined()) arguments.emplace(DNNL_ARG_DIFF_BIAS, onednn::bind(dbias, onednn::desc_of(dbias)));
    onednn::execute(plan.primitive, arguments, "conv2d backward (weights)");
    if (!direct) onednn::reorder(gradient, onednn::bind(dw, plan.plain_w));
}

}  // namespace radial
