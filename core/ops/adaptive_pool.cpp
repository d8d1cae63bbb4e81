// Adaptive pooling (conv.h), to a given number of pixels: checks and launches.
#include "radial/core/ops/kernels/adaptive_pool.h"
#include "radial/core/ops/common.h"
#include "radial/core/ops/conv.h"

#include <limits>

namespace radial {
namespace {

kernels::Images images_of(const Tensor& x) {
    return kernels::dense_images(x.size(1), x.size(2), x.size(3), x.layout() == Layout::channels_last);
}

/// Computes every element of `result`; `work` is the number of input elements that each of them reads.
template <class Element>
void for_each_element(const Tensor& result, const Element& element, std::int64_t work) {
    const bool last = result.layout() == Layout::channels_last;
    const std::int64_t count = last ? result.size(1) : result.size(3);
    const std::int64_t rows = count == 0 ? 0 : result.numel() / count;
    kernels::rows(result.device(), rows, count, kernels::ForEachElement<Element>{element, images_of(result), last},
                  work);
}

void check(std::string_view op, const Tensor& x, std::int64_t height, std::int64_t width) {
    ops::check_floating(op, "the input", x);
    ops::check_rank(op, "input", x, 4, "[N, C, H, W]");
    RADIAL_CHECK(height >= 1 && width >= 1, "{}: size is {} x {}, expected at least 1 x 1", op, height, width);
    const std::int64_t area = x.size(2) * x.size(3);
    RADIAL_CHECK(area >= 1 && area <= std::numeric_limits<std::int32_t>::max(),
                 "{}: input {} has {} pixels, expected 1 to 2^31 - 1", op, x.shape().str(), area);
}

}  // namespace

Tensor adaptive_avg_pool2d(const Tensor& x, std::int64_t height, std::int64_t width) {
    check("adaptive_avg_pool2d", x, height, width);
    const kernels::AdaptiveWindows down{x.size(2), height}, across{x.size(3), width};
    const Tensor y = Tensor::empty({x.size(0), x.size(1), height, width}, x.dtype(), x.device(), x.layout());
    const std::int64_t ratio = 1 + x.size(2) * x.size(3) / (height * width);
    dispatch_activation(x.dtype(), "adaptive_avg_pool2d", [&](auto zero) {
        using T = decltype(zero);
        for_each_element(
            y, kernels::AdaptiveAverage<T>{x.data<const T>(), y.data<T>(), images_of(x), images_of(y), down, across},
            ratio);
    });
    return record("adaptive_avg_pool2d", y, {x},
                  [from = x.shape(), layout = x.layout(), down, across](const Tensor& dy, Needs) -> Grads {
                      const Tensor grad = dy.to(layout), dx = Tensor::empty(from, dy.dtype(), dy.device(), layout);
                      dispatch_activation(dy.dtype(), "adaptive_avg_pool2d", [&](auto zero) {
                          using T = decltype(zero);
                          const kernels::AdaptiveAverageGradient<T> element{
                              grad.data<const T>(), dx.data<T>(), images_of(grad), images_of(dx), down, across};
                          for_each_element(dx, element, 1 + grad.numel() / std::max<std::int64_t>(1, dx.numel()));
                      });
                      return {dx};
                  },
                  {{"height", height}, {"width", width}});
}

Tensor adaptive_max_pool2d(const Tensor& x, std::int64_t height, std::int64_t width) {
    check("adaptive_max_pool2d", x, height, width);
    const kernels::AdaptiveWindows down{x.size(2), height}, across{x.size(3), width};
    const Tensor y = Tensor::empty({x.size(0), x.size(1), height, width}, x.dtype(), x.device(), x.layout());
    const bool training = grad_enabled() && x.requires_grad();
    const Tensor pixels = training ? Tensor::empty(y.shape(), DType::int32, y.device(), y.layout()) : Tensor();
    const std::int64_t ratio = 1 + x.size(2) * x.size(3) / (height * width);
    dispatch_activation(x.dtype(), "adaptive_max_pool2d", [&](auto zero) {
        using T = decltype(zero);
        const kernels::AdaptiveMax<T> element{x.data<const T>(),
                                              y.data<T>(),
                                              training ? pixels.data<std::int32_t>() : nullptr,
                                              images_of(x),
                                              images_of(y),
                                              down,
                                              across};
        for_each_element(y, element, ratio);
    });
    return record("adaptive_max_pool2d", y, {x},
                  [pixels, from = x.shape(), layout = x.layout(), down, across](const Tensor& dy, Needs) -> Grads {
                      const Tensor grad = dy.to(layout), dx = Tensor::empty(from, dy.dtype(), dy.device(), layout);
                      dispatch_activation(dy.dtype(), "adaptive_max_pool2d", [&](auto zero) {
                          using T = decltype(zero);
                          const kernels::AdaptiveMaxGradient<T> element{grad.data<const T>(),
                                                                        pixels.data<std::int32_t>(),
                                                                        dx.data<T>(),
                                                                        images_of(grad),
                                                                        images_of(dx),
                                                                        down,
                                                                        across};
                          for_each_element(dx, element, 1 + grad.numel() / std::max<std::int64_t>(1, dx.numel()));
                      });
                      return {dx};
                  },
                  {{"height", height}, {"width", width}});
}

}  // namespace radial
