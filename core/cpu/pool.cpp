// Pooling on the CPU: averages by oneDNN, maxima by loops of our own.
#include "radial/core/cpu/max_pool.h"
#include "radial/core/cpu/onednn_backend.h"
#include "radial/core/cpu/plan.h"

namespace radial {
namespace {

using onednn::Desc;

struct AveragePlan {
    dnnl::primitive forward, backward;
    Desc x, y;
};

AveragePlan make_plan(const Tensor& x, const Tensor& y, const PoolGeometry& g) {
    const auto& engine = onednn::cpu_engine();
    const onednn::Window window{{g.window_h, g.window_w}, {g.stride_h, g.stride_w}, {}, {g.pad_h, g.pad_w}};
    AveragePlan plan{{}, {}, onednn::desc_of(x), onednn::desc_of(y)};
    const auto forward =
        onednn::pooling_forward(engine, dnnl::prop_kind::forward_training, onednn::average, plan.x, plan.y, window);
    plan.forward = dnnl::pooling_forward(forward);
    plan.backward =
        dnnl::pooling_backward(onednn::pooling_backward(engine, onednn::average, plan.x, plan.y, window, forward));
    return plan;
}

const AveragePlan& plan_for(const Tensor& x, const Tensor& y, const PoolGeometry& g) {
    static thread_local LruCache<onednn::Key, AveragePlan, onednn::KeyHash> cache(onednn::plan_capacity);
    const std::int64_t geometry[] = {g.window_h, g.window_w, g.stride_h, g.stride_w, g.pad_h, g.pad_w};
    const auto key = onednn::make_key(0, {onednn::extents(x), geometry});
    return cache.get(key, [&] { return make_plan(x, y, g); });
}

}  // namespace

Tensor OneDnnBackend::pool_forward(PoolKind kind, const Tensor& x, const PoolGeometry& geometry, const Tensor& y,
                                   bool training) {
    if (kind == PoolKind::max) {
        const Tensor taps = training ? Tensor::empty(y.shape(), DType::int32, y.device(), y.layout()) : Tensor{};
        cpu::max_pool_forward(x, geometry, y, taps);
        return taps;
    }
    const AveragePlan& plan = plan_for(x, y, geometry);
    onednn::execute(plan.forward, {{DNNL_ARG_SRC, onednn::bind(x, plan.x)}, {DNNL_ARG_DST, onednn::bind(y, plan.y)}},
                    "avg_pool2d");
    return {};
}

void OneDnnBackend::pool_backward(PoolKind kind, const Tensor& dy, const Tensor& workspace,
                                  const PoolGeometry& geometry, const Tensor& dx) {
    if (kind == PoolKind::max) return cpu::max_pool_backward(dy, workspace, geometry, dx);
    const AveragePlan& plan = plan_for(dx, dy, geometry);
    onednn::execute(plan.backward,
                    {{DNNL_ARG_DIFF_DST, onednn::bind(dy, plan.y)}, {DNNL_ARG_DIFF_SRC, onednn::bind(dx, plan.x)}},
                    "avg_pool2d backward");
}

}  // namespace radial
