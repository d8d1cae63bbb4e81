// Convolution, pooling and scaling of channels: shape checks and recording on the tape. The backend computes the
// convolutions and most of the pooling.
#include "radial/core/ops/conv.h"

#include "radial/core/backend/kernels/pool.h"
#include "radial/core/ops/common.h"
#include "radial/core/ops/kernels/scale.h"

#include <utility>

namespace radial {
namespace {

std::int64_t output_extent(std::int64_t input, std::int64_t kernel, std::int64_t stride, std::int64_t pad,
                           std::int64_t dilation) {
    const std::int64_t span = input + 2 * pad - dilation * (kernel - 1) - 1;
    return span < 0 ? 0 : span / stride + 1;
}

void check_numbers(std::string_view op, const ConvGeometry& g) {
    RADIAL_CHECK(g.stride_h > 0 && g.stride_w > 0, "{}: stride is ({}, {}), expected at least 1", op, g.stride_h,
                 g.stride_w);
    RADIAL_CHECK(g.dilation_h > 0 && g.dilation_w > 0, "{}: dilation is ({}, {}), expected at least 1", op,
                 g.dilation_h, g.dilation_w);
    RADIAL_CHECK(g.pad_h >= 0 && g.pad_w >= 0, "{}: padding is ({}, {}), expected at least 0", op, g.pad_h, g.pad_w);
}

void check_bias(std::string_view op, const Tensor& x, const Tensor& bias, std::int64_t channels) {
    if (!bias.defined()) return;
    ops::check_weight(op, x, "bias", bias);
    RADIAL_CHECK(bias.shape() == Shape{channels}, "{}: bias is {}, expected [{}]", op, bias.shape().str(), channels);
}

void check(std::string_view op, const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvGeometry& g) {
    ops::check_floating(op, "the input", x);
    ops::check_weight(op, x, "weight", weight);
    ops::check_rank(op, "input", x, 4, "[N, C, H, W]");
    ops::check_rank(op, "weight", weight, 4, "[K, C/groups, R, S]");
    check_numbers(op, g);
    RADIAL_CHECK(g.groups > 0 && weight.size(0) % g.groups == 0,
                 "{}: groups is {}, expected a divisor of the {} output channels", op, g.groups, weight.size(0));
    RADIAL_CHECK(x.size(0) > 0 && x.size(1) > 0 && weight.size(0) > 0, "{}: input {} or weight {} is empty", op,
                 x.shape().str(), weight.shape().str());
    RADIAL_CHECK(x.size(1) == weight.size(1) * g.groups, "{}: input has {} channels, weight expects {}", op, x.size(1),
                 weight.size(1) * g.groups);
    check_bias(op, x, bias, weight.size(0));
}

Shape result_shape(const Tensor& x, const Tensor& weight, const ConvGeometry& g) {
    const std::int64_t height = output_extent(x.size(2), weight.size(2), g.stride_h, g.pad_h, g.dilation_h);
    const std::int64_t width = output_extent(x.size(3), weight.size(3), g.stride_w, g.pad_w, g.dilation_w);
    RADIAL_CHECK(height > 0 && width > 0, "conv2d: kernel {} x {} does not fit input {} with padding ({}, {})",
                 weight.size(2), weight.size(3), x.shape().str(), g.pad_h, g.pad_w);
    return {x.size(0), weight.size(0), height, width};
}

void check_transposed(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvGeometry& g,
                      std::int64_t more_h, std::int64_t more_w) {
    constexpr std::string_view op = "conv_transpose2d";
    ops::check_floating(op, "the input", x);
    ops::check_weight(op, x, "weight", weight);
    ops::check_rank(op, "input", x, 4, "[N, C, H, W]");
    ops::check_rank(op, "weight", weight, 4, "[C, K/groups, R, S]");
    check_numbers(op, g);
    RADIAL_CHECK(more_h >= 0 && more_w >= 0 && more_h < g.stride_h && more_w < g.stride_w,
                 "{}: output padding is ({}, {}), expected at least 0 and below the stride ({}, {})", op, more_h,
                 more_w, g.stride_h, g.stride_w);
    RADIAL_CHECK(g.groups > 0 && weight.size(0) % g.groups == 0,
                 "{}: groups is {}, expected a divisor of the {} input channels", op, g.groups, weight.size(0));
    RADIAL_CHECK(x.numel() > 0 && weight.numel() > 0, "{}: input {} or weight {} is empty", op, x.shape().str(),
                 weight.shape().str());
    RADIAL_CHECK(x.size(1) == weight.size(0), "{}: input has {} channels, weight expects {}", op, x.size(1),
                 weight.size(0));
    check_bias(op, x, bias, weight.size(1) * g.groups);
}

Shape transposed_shape(const Tensor& x, const Tensor& weight, const ConvGeometry& g, std::int64_t more_h,
                       std::int64_t more_w) {
    const std::int64_t height =
        (x.size(2) - 1) * g.stride_h - 2 * g.pad_h + g.dilation_h * (weight.size(2) - 1) + more_h + 1;
    const std::int64_t width =
        (x.size(3) - 1) * g.stride_w - 2 * g.pad_w + g.dilation_w * (weight.size(3) - 1) + more_w + 1;
    RADIAL_CHECK(height > 0 && width > 0,
                 "conv_transpose2d: the result of input {} and kernel {} x {} would have {} x {} pixels",
                 x.shape().str(), weight.size(2), weight.size(3), height, width);
    return {x.size(0), weight.size(1) * g.groups, height, width};
}

// Adds bias [C] to every pixel of y [N, C, H, W], in place.
void add_bias(const Tensor& y, const Tensor& bias) {
    const std::int64_t batch = y.size(0), channels = y.size(1), area = y.size(2) * y.size(3);
    dispatch_activation(y.dtype(), "conv_transpose2d", [&](auto zero) {
        using T = decltype(zero);
        dispatch_activation(bias.dtype(), "conv_transpose2d", [&](auto bias_zero) {
            using B = decltype(bias_zero);
            if (y.layout() == Layout::channels_last) {
                kernels::map2(y.device(), batch * area, channels,
                              kernels::ShiftPixels<T, B>{bias.data<const B>(), y.data<T>(), channels});
            } else {
                kernels::map2(y.device(), batch * channels, area,
                              kernels::ShiftPlanes<T, B>{bias.data<const B>(), y.data<T>(), channels, area});
            }
        });
    });
}

// The end of conv2d_activated() as separate ops: y is the result of the convolution.
Tensor activated(Tensor y, Activation activation, const Tensor& residual) {
    if (residual.defined()) y = add(y, residual);
    return radial::activated(std::move(y), activation);
}

Tensor pool2d(std::string_view op, PoolKind kind, const Tensor& x, const PoolGeometry& g) {
    ops::check_floating(op, "the input", x);
    ops::check_rank(op, "input", x, 4, "[N, C, H, W]");
    RADIAL_CHECK(g.window_h > 0 && g.window_w > 0 && g.stride_h > 0 && g.stride_w > 0,
                 "{}: window is {} x {} and stride ({}, {}), expected at least 1", op, g.window_h, g.window_w,
                 g.stride_h, g.stride_w);
    // A window that contains only padding would have no value.
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
    return record(op, y, {x},
                  [kind, workspace, g, from = x.shape(), &backend](const Tensor& dy, Needs) -> Grads {
                      const Tensor grad = dy.to(backend.activation_layout());
                      const Tensor dx = Tensor::empty(from, dy.dtype(), dy.device(), backend.activation_layout());
                      backend.pool_backward(kind, grad, workspace, g, dx);
                      return {dx};
                  },
                  {{"window_h", g.window_h},
                   {"window_w", g.window_w},
                   {"stride_h", g.stride_h},
                   {"stride_w", g.stride_w},
                   {"pad_h", g.pad_h},
                   {"pad_w", g.pad_w}});
}

// Writes the means of the planes of x to y [N, C].
template <class T>
void plane_means(const Tensor& x, const Tensor& y) {
    const Device device = x.device();
    const std::int64_t channels = x.size(1), plane = x.size(2) * x.size(3);
    const bool last = x.layout() == Layout::channels_last;
    if (last && device.kind == Device::Kind::cuda) {  // adjacent lanes then read adjacent channels
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

// Writes dy [N, C] / the number of pixels to every pixel of dx.
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

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvGeometry& geometry) {
    check("conv2d", x, weight, bias, geometry);
    const Shape shape = result_shape(x, weight, geometry);
    Backend& backend = backend_for(x.device(), x.dtype());
    const Tensor input = x.to(backend.activation_layout());
    const Tensor filter = weight.to(x.dtype()).to(backend.weight_layout());
    const Tensor y = Tensor::empty(shape, x.dtype(), x.device(), backend.activation_layout());
    backend.conv_forward(input, filter, bias, geometry, y);
    return record("conv2d", y, {x, weight, bias},
                  [saved = Saved(input, "conv2d", "input"), w = Saved(filter, "conv2d", "weight"), geometry,
                   weight_type = weight.dtype(), bias_type = bias.defined() ? bias.dtype() : x.dtype(),
                   &backend](const Tensor& dy, Needs needs) -> Grads {
                      const Tensor kept = saved.get(), kernel = w.get(), grad = dy.to(kept.layout());
                      Grads grads(3);
                      if (needs[1] || needs[2]) {
                          const Tensor dw = Tensor::empty_like(kernel);
                          if (needs[2]) grads[2] = Tensor::empty({kernel.size(0)}, bias_type, kernel.device());
                          backend.conv_backward_weights(kept, grad, geometry, dw, grads[2]);
                          grads[1] = dw.to(weight_type);
                      }
                      if (needs[0]) {
                          grads[0] = Tensor::empty_like(kept);
                          backend.conv_backward_data(grad, kernel, geometry, grads[0]);
                      }
                      return grads;
                  },
                  {{"stride_h", geometry.stride_h},
                   {"stride_w", geometry.stride_w},
                   {"pad_h", geometry.pad_h},
                   {"pad_w", geometry.pad_w},
                   {"dilation_h", geometry.dilation_h},
                   {"dilation_w", geometry.dilation_w},
                   {"groups", geometry.groups}});
}

Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv1dGeometry& geometry) {
    ops::check_floating("conv1d", "the input", x);
    ops::check_weight("conv1d", x, "weight", weight);
    ops::check_rank("conv1d", "input", x, 3, "[N, C, L]");
    ops::check_rank("conv1d", "weight", weight, 3, "[K, C/groups, S]");
    const ConvGeometry flat{
        .stride_w = geometry.stride, .pad_w = geometry.pad, .dilation_w = geometry.dilation, .groups = geometry.groups};
    const Tensor image = reshape(x, {x.size(0), x.size(1), 1, x.size(2)});
    const Tensor filter = reshape(weight, {weight.size(0), weight.size(1), 1, weight.size(2)});
    check("conv1d", image, filter, bias, flat);
    RADIAL_CHECK(output_extent(x.size(2), weight.size(2), flat.stride_w, flat.pad_w, flat.dilation_w) > 0,
                 "conv1d: kernel of length {} does not fit input {} with padding {}", weight.size(2), x.shape().str(),
                 geometry.pad);
    const Tensor y = conv2d(image, filter, bias, flat);
    return reshape(y, {y.size(0), y.size(1), y.size(3)});
}

Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const ConvTranspose2dGeometry& geometry) {
    // The geometry of the convolution that maps a tensor of the shape of the result to one of the shape of x. This op
    // is its gradient with respect to the input.
    const ConvGeometry g{geometry.stride_h,   geometry.stride_w,   geometry.pad_h, geometry.pad_w,
                         geometry.dilation_h, geometry.dilation_w, geometry.groups};
    check_transposed(x, weight, bias, g, geometry.output_pad_h, geometry.output_pad_w);
    const Shape shape = transposed_shape(x, weight, g, geometry.output_pad_h, geometry.output_pad_w);
    Backend& backend = backend_for(x.device(), x.dtype());
    const Tensor input = x.to(backend.activation_layout());
    const Tensor filter = weight.to(x.dtype()).to(backend.weight_layout());
    const Tensor y = Tensor::empty(shape, x.dtype(), x.device(), backend.activation_layout());
    backend.conv_backward_data(input, filter, g, y);
    if (bias.defined()) add_bias(y, bias);
    return record("conv_transpose2d", y, {x, weight, bias},
                  [saved = Saved(input, "conv_transpose2d", "input"), w = Saved(filter, "conv_transpose2d", "weight"),
                   g, weight_type = weight.dtype(), bias_type = bias.defined() ? bias.dtype() : x.dtype(),
                   &backend](const Tensor& dy, Needs needs) -> Grads {
                      const Tensor kept = saved.get(), kernel = w.get(), grad = dy.to(kept.layout());
                      Grads grads(3);
                      if (needs[2]) grads[2] = ops::channel_sums(grad, bias_type);
                      if (needs[1]) {
                          const Tensor dw = Tensor::empty_like(kernel);
                          backend.conv_backward_weights(grad, kept, g, dw, {});
                          grads[1] = dw.to(weight_type);
                      }
                      if (needs[0]) {
                          grads[0] = Tensor::empty_like(kept);
                          backend.conv_forward(grad, kernel, {}, g, grads[0]);
                      }
                      return grads;
                  },
                  {{"stride_h", g.stride_h},
                   {"stride_w", g.stride_w},
                   {"pad_h", g.pad_h},
                   {"pad_w", g.pad_w},
                   {"output_pad_h", geometry.output_pad_h},
                   {"output_pad_w", geometry.output_pad_w},
                   {"dilation_h", g.dilation_h},
                   {"dilation_w", g.dilation_w},
                   {"groups", g.groups}});
}

Tensor conv2d_activated(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvGeometry& geometry,
                        Activation activation, const Tensor& residual) {
    check("conv2d", x, weight, bias, geometry);
    const auto wants = [](const Tensor& t) { return t.defined() && t.requires_grad(); };
    RADIAL_CHECK(!grad_enabled() || !(wants(x) || wants(weight) || wants(bias) || wants(residual)),
                 "conv2d_activated: an input wants a gradient; it is for evaluation under NoGrad");
    const NoGrad guard;
    const Shape shape = result_shape(x, weight, geometry);
    if (residual.defined()) {
        ops::check_alike("conv2d_activated", x, "residual", residual);
        RADIAL_CHECK(residual.shape() == shape, "conv2d_activated: residual is {}, the result {}",
                     residual.shape().str(), shape.str());
    }
    Backend& backend = backend_for(x.device(), x.dtype());
    const Layout layout = backend.activation_layout();
    const Tensor y = Tensor::empty(shape, x.dtype(), x.device(), layout);
    const bool done =
        backend.conv_activated(x.to(layout), weight.to(x.dtype()).to(backend.weight_layout()), bias, geometry,
                               residual.defined() ? residual.to(layout) : residual, activation, y);
    return done ? y : activated(conv2d(x, weight, bias, geometry), activation, residual);
}

namespace {

/// The sizes of a tensor [N, C, H, W] and the strides of its factors [N, C] or [N, 1].
struct Sizes {
    std::int64_t batch, channels, area, image_step, channel_step;
};
Sizes sizes_of(const Tensor& x, const Tensor& scale) {
    const bool each = scale.size(1) == x.size(1);
    return {x.size(0), x.size(1), x.size(2) * x.size(3), scale.size(1), each ? 1 : 0};
}

/// out = x * scale. `out` may equal x.
void multiply(const Tensor& x, const Tensor& scale, const Tensor& out) {
    const auto [batch, channels, area, image_step, channel_step] = sizes_of(x, scale);
    dispatch_activation(
        x.dtype(), "scale_channels",
        [&, n = batch, c = channels, a = area, is = image_step, cs = channel_step](auto zero) {
            using T = decltype(zero);
            const T *const in = x.data<const T>(), *const factor = scale.data<const T>();
            if (x.layout() == Layout::channels_last) {
                kernels::map2(x.device(), n * a, c, kernels::ScalePixels<T>{in, factor, out.data<T>(), c, a, is, cs});
            } else {
                kernels::map2(x.device(), n * c, a, kernels::ScalePlanes<T>{in, factor, out.data<T>(), c, a, is, cs});
            }
        });
}

/// dx = dy * scale, and dscale [N, C], in one pass. scale is [N, C]. dx may equal dy.
template <class T>
void backward_pass(const Tensor& x, const Tensor& dy, const Tensor& scale, const Tensor& dx, const Tensor& dscale) {
    const std::int64_t batch = x.size(0), channels = x.size(1), area = x.size(2) * x.size(3);
    const T *const kept = x.data<const T>(), *const grad = dy.data<const T>(), *const factor = scale.data<const T>();
    T *const out = dx.data<T>(), *const sums = dscale.data<T>();
    if (x.layout() != Layout::channels_last) {
        kernels::rows(x.device(), batch * channels, area,
                      kernels::ScalePlanesBackward<T>{kept, grad, factor, out, sums, area});
    } else if (x.device().kind == Device::Kind::cuda) {
        kernels::reduce_columns(x.device(), area, batch * channels,
                                kernels::ScalePixelBackward<T>{kept, grad, factor, out, channels, area},
                                kernels::StoreFactor<T>{sums});
    } else {
        constexpr std::int64_t range = kernels::ScalePixelsBackward<T>::range;
        const std::int64_t ranges = (channels + range - 1) / range;
        kernels::rows(x.device(), batch * ranges, area * range,
                      kernels::ScalePixelsBackward<T>{kept, grad, factor, out, sums, channels, area, ranges});
    }
}

}  // namespace

Tensor scale_channels(Tensor x, const Tensor& scale) {
    ops::check_floating("scale_channels", "the input", x);
    ops::check_alike("scale_channels", x, "scale", scale);
    ops::check_rank("scale_channels", "input", x, 4, "[N, C, H, W]");
    RADIAL_CHECK(scale.rank() == 2 && scale.size(0) == x.size(0) && (scale.size(1) == x.size(1) || scale.size(1) == 1),
                 "scale_channels: scale is {}, expected [{}, {}] or [{}, 1] for input {}", scale.shape().str(),
                 x.size(0), x.size(1), x.size(0), x.shape().str());
    const bool keeps_input = grad_enabled() && scale.requires_grad();
    const bool in_place = !keeps_input && ops::may_overwrite(x);
    const Tensor y = in_place ? x.detach() : Tensor::empty_like(x);
    if (in_place) y.bump_version();
    multiply(x, scale, y);
    return record("scale_channels", y, {x, scale},
                  [kept = Saved(keeps_input ? x : Tensor(), "scale_channels", "input"),
                   factor = Saved(scale, "scale_channels", "scale"), layout = x.layout()](Tensor dy, Needs) -> Grads {
                      dy = dy.to(layout);
                      const Tensor s = factor.get(), dx = ops::reuse_or_empty(dy);
                      if (!kept.defined()) {
                          multiply(dy, s, dx);
                          return {dx, {}};
                      }
                      const bool each = s.size(1) == dy.size(1);
                      const Tensor full = each ? s : ops::broadcast_to(s, {dy.size(0), dy.size(1)});
                      const Tensor ds = Tensor::empty_like(full), x_kept = kept.get();
                      dispatch_activation(dy.dtype(), "scale_channels",
                                          [&](auto zero) { backward_pass<decltype(zero)>(x_kept, dy, full, dx, ds); });
                      return {dx, each ? ds : sum(ds, {1}, true)};
                  });
}

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
