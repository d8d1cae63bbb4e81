// Convolution on the CPU by oneDNN's direct kernels.
#include "radial/core/cpu/onednn_backend.h"
#include "radial/core/cpu/plan.h"

#include <algorithm>
#include <optional>

namespace radial {
namespace {

using onednn::Desc;
using onednn::Dims;

enum Kind : std::uint8_t { forward_kind, backward_data_kind, backward_weights_kind };

struct ConvPlan {
    dnnl::primitive primitive;
    Desc x, w, y;  // the formats that the primitive wants
    Desc plain_w;  // weights as the tensor holds them
};

// oneDNN writes grouped weights as [G, K/G, C/G, R, S]; in memory they are the same.
Dims weight_dims(const Tensor& w, std::int64_t groups) {
    const Shape& s = w.shape();
    if (groups == 1) return {s[0], s[1], s[2], s[3]};
    return {groups, s[0] / groups, s[1], s[2], s[3]};
}

onednn::Window window_of(const ConvGeometry& g) {
    return {{}, {g.stride_h, g.stride_w}, {g.dilation_h - 1, g.dilation_w - 1}, {g.pad_h, g.pad_w}};
}

ConvPlan make_plan(Kind kind, const Tensor& x, const Tensor& w, const Tensor& y, bool bias,
                   const ConvGeometry& geometry) {
    using Tag = dnnl::memory::format_tag;
    const auto f32 = dnnl::memory::data_type::f32;
    const auto& engine = onednn::cpu_engine();
    const Dims dims = weight_dims(w, geometry.groups);
    const Desc x_desc = onednn::desc_of(x), y_desc = onednn::desc_of(y), w_any(dims, f32, Tag::any);
    const Desc b_desc = bias ? Desc({w.size(0)}, f32, Tag::a) : onednn::no_tensor();
    const Desc plain(dims, f32, dims.size() == 4 ? Tag::abcd : Tag::abcde);
    const auto window = window_of(geometry);
    const auto forward = onednn::convolution_forward(engine, x_desc, w_any, b_desc, y_desc, window);
    if (kind == forward_kind) {
        return {dnnl::convolution_forward(forward), x_desc, forward.weights_desc(), y_desc, plain};
    }
    if (kind == backward_data_kind) {
        const auto desc = onednn::convolution_backward_data(engine, x_desc, w_any, y_desc, window, forward);
        return {dnnl::convolution_backward_data(desc), x_desc, desc.weights_desc(), y_desc, plain};
    }
    const auto desc = onednn::convolution_backward_weights(engine, x_desc, w_any, b_desc, y_desc, window, forward);
    return {dnnl::convolution_backward_weights(desc), x_desc, desc.diff_weights_desc(), y_desc, plain};
}

const ConvPlan& plan_for(Kind kind, const Tensor& x, const Tensor& w, const Tensor& y, bool bias,
                         const ConvGeometry& g) {
    static thread_local LruCache<onednn::Key, ConvPlan, onednn::KeyHash> cache(onednn::plan_capacity);
    const std::int64_t geometry[] = {g.stride_h,   g.stride_w,   g.pad_h,  g.pad_w,
                                     g.dilation_h, g.dilation_w, g.groups, bias ? 1 : 0};
    const auto key = onednn::make_key(kind, {onednn::extents(x), onednn::extents(w), geometry});
    return cache.get(key, [&] { return make_plan(kind, x, w, y, bias, g); });
}

// Packed copies of one weight tensor, kept with its storage and refreshed when the weights have changed.
struct PackedWeights {
    struct Copy {
        Desc desc;
        std::int64_t offset;
        std::uint64_t version;
        Tensor buffer;
    };
    std::vector<Copy> copies;
};

dnnl::memory packed(const Tensor& w, const ConvPlan& plan) {
    if (plan.w == plan.plain_w) return onednn::bind(w, plan.plain_w);
    Storage& storage = *w.impl()->storage;
    if (storage.derived == nullptr) storage.derived = std::make_shared<PackedWeights>();
    auto& copies = static_cast<PackedWeights*>(storage.derived.get())->copies;
    const std::int64_t offset = w.impl()->offset;
    auto copy = std::find_if(copies.begin(), copies.end(),
                             [&](const auto& c) { return c.offset == offset && c.desc == plan.w; });
    if (copy == copies.end()) {
        copies.push_back({plan.w, offset, w.version() + 1, onednn::buffer_for(plan.w)});
        copy = copies.end() - 1;
    }
    const auto memory = onednn::bind(copy->buffer, plan.w);
    if (copy->version != w.version()) {
        onednn::reorder(onednn::bind(w, plan.plain_w), memory);
        copy->version = w.version();
    }
    return memory;
}

}  // namespace

void OneDnnBackend::conv_forward(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry,
                                 const Tensor& y) {
    const ConvPlan& plan = plan_for(forward_kind, x, w, y, bias.defined(), geometry);
    std::unordered_map<int, dnnl::memory> arguments{{DNNL_ARG_SRC, onednn::bind(x, plan.x)},
                                                    {DNNL_ARG_WEIGHTS, packed(w, plan)},
                                                    {DNNL_ARG_DST, onednn::bind(y, plan.y)}};
    if (bias.defined()) arguments.emplace(DNNL_ARG_BIAS, onednn::bind(bias, onednn::desc_of(bias)));
    onednn::execute(plan.primitive, arguments, "conv2d");
}

void OneDnnBackend::conv_backward_data(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry,
                                       const Tensor& dx) {
    const ConvPlan& plan = plan_for(backward_data_kind, dx, w, dy, false, geometry);
    onednn::execute(plan.primitive,
                    {{DNNL_ARG_DIFF_DST, onednn::bind(dy, plan.y)},
                     {DNNL_ARG_WEIGHTS, packed(w, plan)},
                     {DNNL_ARG_DIFF_SRC, onednn::bind(dx, plan.x)}},
                    "conv2d backward (data)");
}

void OneDnnBackend::conv_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry,
                                          const Tensor& dw, const Tensor& dbias) {
    const ConvPlan& plan = plan_for(backward_weights_kind, x, dw, dy, dbias.defined(), geometry);
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
