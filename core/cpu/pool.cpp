// Max and average pooling on the CPU by oneDNN.
#include "radial/core/cpu/onednn_backend.h"
#include "radial/core/cpu/plan.h"

namespace radial {
namespace {

using onednn::Desc;

struct PoolPlan {
    dnnl::primitive forward, backward;
    Desc x, y, workspace;
};

PoolPlan make_plan(PoolKind kind, const Tensor& x, const Tensor& y, const PoolGeometry& g, bool training) {
    const auto& engine = onednn::cpu_engine();
    const auto how = kind == PoolKind::max ? dnnl::algorithm::pooling_max : onednn::average;
    const onednn::Window window{{g.window_h, g.window_w}, {g.stride_h, g.stride_w}, {}, {g.pad_h, g.pad_w}};
    const auto prop = training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
    PoolPlan plan{{}, {}, onednn::desc_of(x), onednn::desc_of(y), onednn::no_tensor()};
    const auto forward = onednn::pooling_forward(engine, prop, how, plan.x, plan.y, window);
    plan.forward = dnnl::pooling_forward(forward);
    if (!training) return plan;
    if (kind == PoolKind::max) plan.workspace = forward.workspace_desc();
    plan.backward = dnnl::pooling_backward(onednn::pooling_backward(engine, how, plan.x, plan.y, window, forward));
    return plan;
}

const PoolPlan& plan_for(PoolKind kind, const Tensor& x, const Tensor& y, const PoolGeometry& g, bool training) {
    static thread_local LruCache<onednn::Key, PoolPlan, onednn::KeyHash> cache(onednn::plan_capacity);
    const std::int64_t geometry[] = {g.window_h, g.window_w, g.stride_h,      g.stride_w,
                                     g.pad_h,    g.pad_w,    training ? 1 : 0};
    const auto key = onednn::make_key(static_cast<int>(kind), {onednn::extents(x), geometry});
    return cache.get(key, [&] { return make_plan(kind, x, y, g, training); });
}

}  // namespace

Tensor OneDnnBackend::pool_forward(PoolKind kind, const Tensor& x, const PoolGeometry& geometry, const Tensor& y,
                                   bool training) {
    const PoolPlan& plan = plan_for(kind, x, y, geometry, training);
    std::unordered_map<int, dnnl::memory> arguments{{DNNL_ARG_SRC, onednn::bind(x, plan.x)},
                                                    {DNNL_ARG_DST, onednn::bind(y, plan.y)}};
    Tensor workspace;
    if (plan.workspace.get_size() > 0) {
        workspace = onednn::buffer_for(plan.workspace);
        arguments.emplace(DNNL_ARG_WORKSPACE, onednn::bind(workspace, plan.workspace));
    }
    onednn::execute(plan.forward, arguments, "pool2d");
    return workspace;
}

void OneDnnBackend::pool_backward(PoolKind kind, const Tensor& dy, const Tensor& workspace,
                                  const PoolGeometry& geometry, const Tensor& dx) {
    const PoolPlan& plan = plan_for(kind, dx, dy, geometry, true);
    std::unordered_map<int, dnnl::memory> arguments{{DNNL_ARG_DIFF_DST, onednn::bind(dy, plan.y)},
                                                    {DNNL_ARG_DIFF_SRC, onednn::bind(dx, plan.x)}};
    if (workspace.defined()) arguments.emplace(DNNL_ARG_WORKSPACE, onednn::bind(workspace, plan.workspace));
    onednn::execute(plan.backward, arguments, "pool2d backward");
}

}  // namespace radial
