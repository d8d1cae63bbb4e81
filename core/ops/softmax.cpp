// Softmax, cross-entropy, and the plain softmax head.
#include "radial/core/kernels/heads.h"
#include "radial/core/kernels/matrix.h"
#include "radial/core/ops/mixed.h"

namespace radial {
namespace {

constexpr std::int64_t row_cost = 8;  // an exp, in plain operations

// Turns logits [N, C] in place into the gradient of their mean cross-entropy; returns that mean.
Tensor cross_entropy_in_place(const Tensor& logits, const Tensor& labels, double smoothing) {
    const std::int64_t batch = logits.size(0), classes = logits.size(1);
    const Device device = logits.device();
    const Tensor loss = Tensor::empty({}, logits.dtype(), device);
    dispatch_floating(logits.dtype(), "cross_entropy", [&](auto zero) {
        using T = decltype(zero);
        const Tensor losses = Tensor::empty({batch}, logits.dtype(), device);
        kernels::rows(device, batch, classes,
                      kernels::CrossEntropy<T>{logits.data<T>(), labels.data<const std::int64_t>(), losses.data<T>(),
                                               classes, static_cast<T>(smoothing), T{1} / static_cast<T>(batch)},
                      row_cost);
        kernels::reduce(device, batch, kernels::Element<T>{losses.data<const T>()}, 1.0 / static_cast<double>(batch),
                        loss.data<T>());
    });
    return loss;
}

// x * factor, which is a scalar on x's device, as `dtype`; in place where nothing else reads x.
Tensor scaled(Tensor x, const Tensor& factor, DType dtype) {
    const Tensor result =
        dtype == x.dtype() ? ops::reuse_or_empty(x) : Tensor::empty(x.shape(), dtype, x.device(), x.layout());
    dispatch_floating(x.dtype(), "cross_entropy", [&](auto zero) {
        using T = decltype(zero);
        dispatch_activation(dtype, "cross_entropy", [&](auto result_zero) {
            using R = decltype(result_zero);
            kernels::map(x.device(), x.numel(),
                         kernels::ScaleBy<R, T>{x.data<const T>(), factor.data<const T>(), result.data<R>()});
        });
    });
    return result;
}

void check_logits(std::string_view op, const Tensor& logits) {
    ops::check_floating(op, "logits", logits);
    ops::check_rank(op, "logits", logits, 2, "[N, C]");
    RADIAL_CHECK(logits.size(0) > 0 && logits.size(1) > 0, "{}: logits are {}, expected at least one sample and class",
                 op, logits.shape().str());
}

// sum_i dy * gradient_ij: what a bias gets.
Tensor bias_gradient(const Tensor& gradient, const Tensor& dy) {
    const std::int64_t classes = gradient.size(1);
    const Tensor result = Tensor::empty({classes}, gradient.dtype(), gradient.device());
    dispatch_floating(gradient.dtype(), "softmax_loss", [&](auto zero) {
        using T = decltype(zero);
        kernels::reduce_columns(gradient.device(), gradient.size(0), classes,
                                kernels::MatrixElement<T>{gradient.data<const T>(), classes},
                                kernels::StoreScaledBy<T>{result.data<T>(), dy.data<const T>()});
    });
    return result;
}

}  // namespace

Tensor log_softmax(const Tensor& x) {
    check_logits("log_softmax", x);
    const std::int64_t batch = x.size(0), classes = x.size(1);
    const Tensor y = Tensor::empty_like(x);
    dispatch_floating(x.dtype(), "log_softmax", [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(x.device(), batch, classes, kernels::LogSoftmax<T>{x.data<const T>(), y.data<T>(), classes},
                      row_cost);
    });
    return record("log_softmax", y, {x}, [saved = Saved(y, "log_softmax", "result")](Tensor dy, Needs) -> Grads {
        const Tensor kept = saved.get(), dx = ops::reuse_or_empty(dy);
        const std::int64_t columns = kept.size(1);
        dispatch_floating(dy.dtype(), "log_softmax", [&](auto zero) {
            using T = decltype(zero);
            kernels::rows(
                dy.device(), kept.size(0), columns,
                kernels::LogSoftmaxGradient<T>{kept.data<const T>(), dy.data<const T>(), dx.data<T>(), columns},
                row_cost);
        });
        return {dx};
    });
}

Tensor cross_entropy(const Tensor& logits, const Tensor& labels, double smoothing) {
    check_logits("cross_entropy", logits);
    ops::check_labels("cross_entropy", labels, logits.size(0), logits.size(1));
    RADIAL_CHECK(smoothing >= 0 && smoothing <= 1, "cross_entropy: smoothing is {}, expected within [0, 1]", smoothing);
    Tensor gradient = logits.dtype() == DType::bfloat16 ? logits.to(DType::float32) : logits.clone();
    const Tensor loss = cross_entropy_in_place(gradient, labels, smoothing);
    return record("cross_entropy", loss, {logits},
                  [gradient = std::move(gradient), dtype = logits.dtype()](const Tensor& dy, Needs) mutable -> Grads {
                      return {scaled(std::move(gradient), dy, dtype)};
                  });
}

Tensor softmax_loss(const Tensor& feature, const Tensor& weight, const Tensor& bias, const Tensor& labels) {
    ops::check_floating("softmax_loss", "feature", feature);
    ops::check_weight("softmax_loss", feature, "weight", weight);
    ops::check_rank("softmax_loss", "feature", feature, 2, "[N, D]");
    ops::check_rank("softmax_loss", "weight", weight, 2, "[C, D]");
    RADIAL_CHECK(feature.size(1) == weight.size(1), "softmax_loss: feature has dimension {}, weight expects {}",
                 feature.size(1), weight.size(1));
    Tensor gradient, x;
    {
        const NoGrad guard;
        x = feature.to(weight.dtype());
        gradient = linear(x, weight, bias);
    }
    check_logits("softmax_loss", gradient);
    ops::check_labels("softmax_loss", labels, feature.size(0), weight.size(0));
    const Tensor loss = cross_entropy_in_place(gradient, labels, 0.0);
    return record("softmax_loss", loss, {feature, weight, bias},
                  [input = Saved(x, "softmax_loss", "feature"), w = Saved(weight, "softmax_loss", "weight"), gradient,
                   dtype = feature.dtype()](const Tensor& dy, Needs needs) -> Grads {
                      const NoGrad guard;
                      // dy joins what is [N, D], the smallest that it can be taken into.
                      Backend& backend = backend_for(dy.device(), dy.dtype());
                      Grads grads(3);
                      if (needs[0]) {
                          Tensor dx = Tensor::empty_like(input.get());
                          backend.gemm(false, false, 1.0, gradient, w.get(), 0.0, dx);
                          grads[0] = scaled(std::move(dx), dy, dtype);
                      }
                      if (needs[1]) {
                          grads[1] = Tensor::empty_like(w.get());
                          backend.gemm(true, false, 1.0, gradient, scaled(input.get(), dy, dy.dtype()), 0.0, grads[1]);
                      }
                      if (needs[2]) grads[2] = bias_gradient(gradient, dy);
                      return grads;
                  });
}

}  // namespace radial
