// Pooling over height and width.
#include "radial/core/ops/common.h"

namespace radial {
namespace {

Tensor pool2d(std::string_view op, PoolKind kind, const Tensor& x, const PoolGeometry& g) {
    ops::check_floating(op, "the input", x);
    ops::check_rank(op, "input", x, 4, "[N, C, H, W]");
    RADIAL_CHECK(g.window_h > 0 && g.window_w > 0 && g.stride_h > 0 && g.stride_w > 0,
                 "{}: window is {} x {} and stride ({}, {}), expected at least 1", op, g.window_h, g.window_w,
                 g.stride_h, g.stride_w);
    // A window that lies in the padding alone would have no value.
    RADIAL_CHECK(g.pad_h >= 0 && g.pad_w >= 0 && 2 * g.pad_h <= g.window_h && 2 * g.pad_w <= g.window_w,
                 "{}: padding is ({}, {}), expected at most half the window {} x {}", op, g.pad_h, g.pad_w, g.window_h,
                 g.window_w);
    const std::int64_t span_h = x.size(2) + 2 * g.pad_h - g.window_h, span_w = x.size(3) + 2 * g.pad_w - g.window_w;
    RADIAL_CHECK(span_h >= 0 && span_w >= 0, "{}: window {} x {} does not fit input {} with padding ({}, {})", op,
                 g.window_h, g.window_w, x.shape().str(), g.pad_h, g.pad_w);
    Backend& backend = backend_for(x.device(), x.dtype());
    const Tensor input = x.to(backend.activation_layout());
    const Shape shape{x.size(0), x.size(1), span_h / g.stride_h + 1, span_w / g.stride_w + 1};
    const Tensor y = Tensor::empty(shape, x.dtype(), x.device(), backend.activation_layout());
    const bool training = grad_enabled() && x.requires_grad();
    const Tensor workspace = backend.pool_forward(kind, input, g, y, training);
    return record(op, y, {x}, [kind, workspace, g, from = x.shape(), &backend](const Tensor& dy, Needs) -> Grads {
        const Tensor grad = dy.to(backend.activation_layout());
        const Tensor dx = Tensor::empty(from, dy.dtype(), dy.device(), backend.activation_layout());
        backend.pool_backward(kind, grad, workspace, g, dx);
        return {dx};
    });
}

}  // namespace

Tensor max_pool2d(const Tensor& x, const PoolGeometry& geometry) {
    return pool2d("max_pool2d", PoolKind::max, x, geometry);
}
Tensor avg_pool2d(const Tensor& x, const PoolGeometry& geometry) {
    return pool2d("avg_pool2d", PoolKind::average, x, geometry);
}

Tensor global_avg_pool(const Tensor& x) {
    ops::check_floating("global_avg_pool", "the input", x);
    ops::check_rank("global_avg_pool", "input", x, 4, "[N, C, H, W]");
    const std::int64_t batch = x.size(0), channels = x.size(1), plane = x.size(2) * x.size(3);
    RADIAL_CHECK(plane > 0, "global_avg_pool: input {} has no pixels", x.shape().str());
    const Tensor y = Tensor::empty({batch, channels}, x.dtype(), x.device());
    // Steps from one pixel, and from one channel, to the next.
    const bool last = x.layout() == Layout::channels_last;
    const std::int64_t pixel = last ? channels : 1, channel = last ? 1 : plane;
    dispatch_floating(x.dtype(), "global_avg_pool", [&](auto zero) {
        using T = decltype(zero);
        const T* const in = x.data<T>();
        T* const out = y.data<T>();
        kernels::rows(batch * channels, plane, [=](std::int64_t r) {
            const T* const start = in + r / channels * channels * plane + r % channels * channel;
            double total = 0;
            for (std::int64_t i = 0; i < plane; ++i) total += static_cast<double>(start[i * pixel]);
            out[r] = static_cast<T>(total / static_cast<double>(plane));
        });
    });
    return record(
        "global_avg_pool", y, {x},
        [from = x.shape(), layout = x.layout(), pixel, channel, channels, plane](const Tensor& dy, Needs) -> Grads {
            const Tensor dx = Tensor::empty(from, dy.dtype(), dy.device(), layout);
            dispatch_floating(dy.dtype(), "global_avg_pool", [&](auto zero) {
                using T = decltype(zero);
                const T* const g = dy.data<T>();
                T* const out = dx.data<T>();
                kernels::rows(dy.numel(), plane, [=](std::int64_t r) {
                    T* const start = out + r / channels * channels * plane + r % channels * channel;
                    const T share = g[r] / static_cast<T>(plane);
                    for (std::int64_t i = 0; i < plane; ++i) start[i * pixel] = share;
                });
            });
            return {dx};
        });
}

}  // namespace radial
