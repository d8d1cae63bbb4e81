// Pooling over height and width.
#include "radial/core/backend/kernels/pool.h"
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

// y [N, C] = the means of the planes of x.
template <class T>
void plane_means(const Tensor& x, const Tensor& y) {
    const Device device = x.device();
    const std::int64_t channels = x.size(1), plane = x.size(2) * x.size(3);
    const bool last = x.layout() == Layout::channels_last;
    if (last && device.kind == Device::Kind::cuda) {  // lanes side by side then read channels side by side
        kernels::reduce_columns(device, plane, y.numel(), kernels::PlanePixel<T>{x.data<const T>(), channels, plane},
                                kernels::StorePlaneMean<T>{y.data<T>(), plane});
        return;
    }
    if (last) {
        const std::int64_t blocks = (channels + kernels::PlaneMeans<T>::width - 1) / kernels::PlaneMeans<T>::width;
        kernels::host::rows(x.size(0) * blocks, plane * kernels::PlaneMeans<T>::width,
                            kernels::PlaneMeans<T>{x.data<const T>(), y.data<T>(), channels, plane, blocks});
        return;
    }
    const kernels::PlaneMean<T> mean{.x = x.data<const T>(),
                                     .y = y.data<T>(),
                                     .channels = channels,
                                     .plane = plane,
                                     .channel_stride = plane,
                                     .pixel_stride = 1};
    kernels::rows(device, y.numel(), plane, mean);
}

// dx = dy [N, C] / the number of pixels, at every pixel.
template <class T>
void spread(const Tensor& dy, const Tensor& dx) {
    const std::int64_t batch = dx.size(0), channels = dx.size(1), plane = dx.size(2) * dx.size(3);
    if (dx.layout() == Layout::channels_last) {
        kernels::map2(dx.device(), batch * plane, channels,
                      kernels::SpreadPixels<T>{dy.data<const T>(), dx.data<T>(), channels, plane});
    } else {
        kernels::map2(dx.device(), batch * channels, plane,
                      kernels::SpreadPlanes<T>{dy.data<const T>(), dx.data<T>(), plane});
    }
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
    RADIAL_CHECK(x.size(2) * x.size(3) > 0, "global_avg_pool: input {} has no pixels", x.shape().str());
    const Tensor y = Tensor::empty({x.size(0), x.size(1)}, x.dtype(), x.device());
    dispatch_activation(x.dtype(), "global_avg_pool", [&](auto zero) { plane_means<decltype(zero)>(x, y); });
    return record("global_avg_pool", y, {x}, [from = x.shape(), layout = x.layout()](const Tensor& dy, Needs) -> Grads {
        const Tensor dx = Tensor::empty(from, dy.dtype(), dy.device(), layout);
        dispatch_activation(dy.dtype(), "global_avg_pool", [&](auto zero) { spread<decltype(zero)>(dy, dx); });
        return {dx};
    });
}

}  // namespace radial
