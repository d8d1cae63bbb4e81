// Each channel of each image times a number of its own.
#include "radial/core/kernels/scale.h"

#include "radial/core/ops/common.h"

#include <utility>

namespace radial {
namespace {

/// A tensor [N, C, H, W] and its factors [N, C] or [N, 1].
struct Sizes {
    std::int64_t batch, channels, area, image_step, channel_step;
};
Sizes sizes_of(const Tensor& x, const Tensor& scale) {
    const bool each = scale.size(1) == x.size(1);
    return {x.size(0), x.size(1), x.size(2) * x.size(3), scale.size(1), each ? 1 : 0};
}

/// out = x * scale; `out` may be x.
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

/// dx = dy * scale and dscale, [N, C] both, in one pass; dx may be dy.
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

}  // namespace radial
