// Batch normalisation on the CPU by oneDNN, with ReLU fused where asked. A residual is added, and then clamped, in one
// pass of our own after it: oneDNN 2.6 fuses no addition while training.
#include "radial/core/cpu/onednn_backend.h"
#include "radial/core/cpu/plan.h"
#include "radial/core/kernels/host.h"

#include <bit>

namespace radial {
namespace {

using onednn::Desc;
using onednn::Flags;

enum Kind : std::uint8_t { train_kind, apply_kind };

struct NormPlan {
    dnnl::primitive forward, backward;
    Desc x, vector, workspace;
};

NormPlan make_plan(Kind kind, const Tensor& x, float epsilon, bool relu) {
    const auto& engine = onednn::cpu_engine();
    Flags flags = Flags::use_scale | Flags::use_shift;
    if (relu) flags = flags | Flags::fuse_norm_relu;
    NormPlan plan{{},
                  {},
                  onednn::desc_of(x),
                  Desc({x.size(1)}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::a),
                  onednn::no_tensor()};
    if (kind == apply_kind) {
        plan.forward = dnnl::batch_normalization_forward(onednn::batch_norm_forward(
            engine, dnnl::prop_kind::forward_inference, plan.x, epsilon, flags | Flags::use_global_stats));
        return plan;
    }
    const auto forward = onednn::batch_norm_forward(engine, dnnl::prop_kind::forward_training, plan.x, epsilon, flags);
    plan.forward = dnnl::batch_normalization_forward(forward);
    plan.backward =
        dnnl::batch_normalization_backward(onednn::batch_norm_backward(engine, plan.x, epsilon, flags, forward));
    if (relu) plan.workspace = forward.workspace_desc();
    return plan;
}

const NormPlan& plan_for(Kind kind, const Tensor& x, double epsilon, bool relu) {
    static thread_local LruCache<onednn::Key, NormPlan, onednn::KeyHash> cache(onednn::plan_capacity);
    const auto epsilon32 = static_cast<float>(epsilon);
    const std::int64_t settings[] = {std::bit_cast<std::int32_t>(epsilon32), relu ? 1 : 0};
    const auto key = onednn::make_key(kind, {onednn::extents(x), settings});
    return cache.get(key, [&] { return make_plan(kind, x, epsilon32, relu); });
}

/// y += residual, then clamped at 0 where `relu`; all float32 in one layout.
void add_residual(const Tensor& y, const Tensor& residual, bool relu) {
    float* const out = y.data<float>();
    const float* const r = residual.data<float>();
    if (relu) {
        kernels::host::map(y.numel(), [=](std::int64_t i) {
            const float value = out[i] + r[i];
            out[i] = value < 0 ? 0.0F : value;  // NaN stays NaN
        });
    } else {
        kernels::host::map(y.numel(), [=](std::int64_t i) { out[i] += r[i]; });
    }
}

/// out = dy where y > 0, 0 elsewhere. `out` may be `dy`.
void through_relu(const Tensor& dy, const Tensor& y, const Tensor& out) {
    const float *const g = dy.data<float>(), *const k = y.data<float>();
    float* const masked = out.data<float>();
    kernels::host::map(y.numel(), [=](std::int64_t i) {
        const float grad = g[i];  // read whatever the sign, so that the loop has no branch
        masked[i] = k[i] > 0 ? grad : 0.0F;
    });
}

}  // namespace

Tensor OneDnnBackend::batch_norm_forward(const Tensor& x, const Tensor& scale, const Tensor& shift,
                                         const Tensor& residual, double epsilon, bool relu, const Tensor& mean,
                                         const Tensor& variance, const Tensor& y) {
    const bool fused = relu && !residual.defined();
    const NormPlan& plan = plan_for(train_kind, x, epsilon, fused);
    std::unordered_map<int, dnnl::memory> arguments{{DNNL_ARG_SRC, onednn::bind(x, plan.x)},
                                                    {DNNL_ARG_DST, onednn::bind(y, plan.x)},
                                                    {DNNL_ARG_SCALE, onednn::bind(scale, plan.vector)},
                                                    {DNNL_ARG_SHIFT, onednn::bind(shift, plan.vector)},
                                                    {DNNL_ARG_MEAN, onednn::bind(mean, plan.vector)},
                                                    {DNNL_ARG_VARIANCE, onednn::bind(variance, plan.vector)}};
    Tensor mask;
    if (fused) {
        mask = onednn::buffer_for(plan.workspace);
        arguments.emplace(DNNL_ARG_WORKSPACE, onednn::bind(mask, plan.workspace));
    }
    onednn::execute(plan.forward, arguments, "batch_norm");
    if (residual.defined()) add_residual(y, residual, relu);
    return mask;
}

void OneDnnBackend::batch_norm_backward(const BatchNormSaved& saved, const Tensor& dy, const BatchNormGrads& grads) {
    const bool fused = saved.workspace.defined();
    const NormPlan& plan = plan_for(train_kind, saved.x, saved.epsilon, fused);
    if (grads.dresidual.defined()) through_relu(dy, saved.y, grads.dresidual);
    const Tensor& grad = grads.dresidual.defined() ? grads.dresidual : dy;
    std::unordered_map<int, dnnl::memory> arguments{{DNNL_ARG_SRC, onednn::bind(saved.x, plan.x)},
                                                    {DNNL_ARG_DIFF_DST, onednn::bind(grad, plan.x)},
                                                    {DNNL_ARG_DIFF_SRC, onednn::bind(grads.dx, plan.x)},
                                                    {DNNL_ARG_SCALE, onednn::bind(saved.scale, plan.vector)},
                                                    {DNNL_ARG_SHIFT, onednn::bind(saved.shift, plan.vector)},
                                                    {DNNL_ARG_MEAN, onednn::bind(saved.mean, plan.vector)},
                                                    {DNNL_ARG_VARIANCE, onednn::bind(saved.variance, plan.vector)},
                                                    {DNNL_ARG_DIFF_SCALE, onednn::bind(grads.dscale, plan.vector)},
                                                    {DNNL_ARG_DIFF_SHIFT, onednn::bind(grads.dshift, plan.vector)}};
    if (fused) arguments.emplace(DNNL_ARG_WORKSPACE, onednn::bind(saved.workspace, plan.workspace));
    onednn::execute(plan.backward, arguments, "batch_norm backward");
}

void OneDnnBackend::batch_norm_apply(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& residual,
                                     const Tensor& mean, const Tensor& variance, double epsilon, bool relu,
                                     const Tensor& y) {
    const NormPlan& plan = plan_for(apply_kind, x, epsilon, relu && !residual.defined());
    onednn::execute(plan.forward,
                    {{DNNL_ARG_SRC, onednn::bind(x, plan.x)},
                     {DNNL_ARG_DST, onednn::bind(y, plan.x)},
                     {DNNL_ARG_SCALE, onednn::bind(scale, plan.vector)},
                     {DNNL_ARG_SHIFT, onednn::bind(shift, plan.vector)},
                     {DNNL_ARG_MEAN, onednn::bind(mean, plan.vector)},
                     {DNNL_ARG_VARIANCE, onednn::bind(variance, plan.vector)}},
                    "batch_norm");
    if (residual.defined()) add_residual(y, residual, relu);
}

}  // namespace radial
