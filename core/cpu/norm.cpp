// Batch normalisation on the CPU by oneDNN, with ReLU fused where asked.
#include "radial/core/cpu/onednn_backend.h"
#include "radial/core/cpu/plan.h"

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

}  // namespace

Tensor OneDnnBackend::batch_norm_forward(const Tensor& x, const Tensor& scale, const Tensor& shift, double epsilon,
                                         bool relu, const Tensor& mean, const Tensor& variance, const Tensor& y) {
    const NormPlan& plan = plan_for(train_kind, x, epsilon, relu);
    std::unordered_map<int, dnnl::memory> arguments{{DNNL_ARG_SRC, onednn::bind(x, plan.x)},
                                                    {DNNL_ARG_DST, onednn::bind(y, plan.x)},
                                                    {DNNL_ARG_SCALE, onednn::bind(scale, plan.vector)},
                                                    {DNNL_ARG_SHIFT, onednn::bind(shift, plan.vector)},
                                                    {DNNL_ARG_MEAN, onednn::bind(mean, plan.vector)},
                                                    {DNNL_ARG_VARIANCE, onednn::bind(variance, plan.vector)}};
    Tensor mask;
    if (relu) {
        mask = onednn::buffer_for(plan.workspace);
        arguments.emplace(DNNL_ARG_WORKSPACE, onednn::bind(mask, plan.workspace));
    }
    onednn::execute(plan.forward, arguments, "batch_norm");
    return mask;
}

void OneDnnBackend::batch_norm_backward(const Tensor& x, const Tensor& dy, const Tensor& scale, const Tensor& mean,
                                        const Tensor& variance, double epsilon, const Tensor& relu_mask,
                                        const Tensor& dx, const Tensor& dscale, const Tensor& dshift) {
    const NormPlan& plan = plan_for(train_kind, x, epsilon, relu_mask.defined());
    // oneDNN asks for the shift too and does not read it: the scale stands in.
    std::unordered_map<int, dnnl::memory> arguments{{DNNL_ARG_SRC, onednn::bind(x, plan.x)},
                                                    {DNNL_ARG_DIFF_DST, onednn::bind(dy, plan.x)},
                                                    {DNNL_ARG_DIFF_SRC, onednn::bind(dx, plan.x)},
                                                    {DNNL_ARG_SCALE, onednn::bind(scale, plan.vector)},
                                                    {DNNL_ARG_MEAN, onednn::bind(mean, plan.vector)},
                                                    {DNNL_ARG_VARIANCE, onednn::bind(variance, plan.vector)},
                                                    {DNNL_ARG_SHIFT, onednn::bind(scale, plan.vector)},
                                                    {DNNL_ARG_DIFF_SCALE, onednn::bind(dscale, plan.vector)},
                                                    {DNNL_ARG_DIFF_SHIFT, onednn::bind(dshift, plan.vector)}};
    if (relu_mask.defined()) arguments.emplace(DNNL_ARG_WORKSPACE, onednn::bind(relu_mask, plan.workspace));
    onednn::execute(plan.backward, arguments, "batch_norm backward");
}

void OneDnnBackend::batch_norm_apply(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& mean,
                                     const Tensor& variance, double epsilon, bool relu, const Tensor& y) {
    const NormPlan& plan = plan_for(apply_kind, x, epsilon, relu);
    onednn::execute(plan.forward,
                    {{DNNL_ARG_SRC, onednn::bind(x, plan.x)},
                     {DNNL_ARG_DST, onednn::bind(y, plan.x)},
                     {DNNL_ARG_SCALE, onednn::bind(scale, plan.vector)},
                     {DNNL_ARG_SHIFT, onednn::bind(shift, plan.vector)},
                     {DNNL_ARG_MEAN, onednn::bind(mean, plan.vector)},
                     {DNNL_ARG_VARIANCE, onednn::bind(variance, plan.vector)}},
                    "batch_norm");
}

}  // namespace radial
