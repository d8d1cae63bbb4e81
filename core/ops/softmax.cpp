// Softmax, cross-entropy, and the plain softmax head.
#include "radial/core/kernels/heads.h"
#include "radial/core/ops/common.h"

namespace radial {
namespace {

// Turns logits [N, C] in place into the gradient of their mean cross-entropy; returns that mean.
Tensor cross_entropy_in_place(const Tensor& logits, const Tensor& labels, double smoothing) {
    const std::int64_t batch = logits.size(0), classes = logits.size(1);
    const Tensor loss = Tensor::empty({}, logits.dtype(), logits.device());
    dispatch_floating(logits.dtype(), "cross_entropy", [&](auto zero) {
        using T = decltype(zero);
        const Tensor losses = Tensor::empty({batch}, logits.dtype(), logits.device());
        T *const z = logits.data<T>(), *const each = losses.data<T>();
        const auto* const y = labels.data<std::int64_t>();
        const T smooth = static_cast<T>(smoothing), weight = T{1} / static_cast<T>(batch);
        kernels::rows(batch, classes * 8, [=](std::int64_t i) {
            each[i] = kernels::cross_entropy_row(z + i * classes, classes, y[i], smooth, weight);
        });
        *loss.data<T>() = static_cast<T>(kernels::reduce(batch, [=](std::int64_t i) { return each[i]; }) /
                                         static_cast<double>(batch));
    });
    return loss;
}

void check_logits(std::string_view op, const Tensor& logits) {
    ops::check_floating(op, "logits", logits);
    ops::check_rank(op, "logits", logits, 2, "[N, C]");
    RADIAL_CHECK(logits.size(0) > 0 && logits.size(1) > 0, "{}: logits are {}, expected at least one sample and class",
                 op, logits.shape().str());
}

}  // namespace

Tensor log_softmax(const Tensor& x) {
    check_logits("log_softmax", x);
    const std::int64_t batch = x.size(0), classes = x.size(1);
    const Tensor y = Tensor::empty_like(x);
    dispatch_floating(x.dtype(), "log_softmax", [&](auto zero) {
        using T = decltype(zero);
        const T* const in = x.data<T>();
        T* const out = y.data<T>();
        kernels::rows(batch, classes * 4, [=](std::int64_t i) {
            const T lse = kernels::log_sum_exp(in + i * classes, classes);
            for (std::int64_t j = i * classes; j < (i + 1) * classes; ++j) out[j] = in[j] - lse;
        });
    });
    return record("log_softmax", y, {x}, [saved = Saved(y, "log_softmax", "result")](Tensor dy, Needs) -> Grads {
        const Tensor kept = saved.get(), dx = ops::reuse_or_empty(dy);
        const std::int64_t columns = kept.size(1);
        dispatch_floating(dy.dtype(), "log_softmax", [&](auto zero) {
            using T = decltype(zero);
            const T *const k = kept.data<T>(), *const g = dy.data<T>();
            T* const out = dx.data<T>();
            kernels::rows(kept.size(0), columns * 4, [=](std::int64_t i) {
                double total = 0;
                for (std::int64_t j = i * columns; j < (i + 1) * columns; ++j) total += static_cast<double>(g[j]);
                for (std::int64_t j = i * columns; j < (i + 1) * columns; ++j)
                    out[j] = g[j] - std::exp(k[j]) * static_cast<T>(total);
            });
        });
        return {dx};
    });
}

Tensor cross_entropy(const Tensor& logits, const Tensor& labels, double smoothing) {
    check_logits("cross_entropy", logits);
    ops::check_labels("cross_entropy", labels, logits.size(0), logits.size(1));
    RADIAL_CHECK(smoothing >= 0 && smoothing <= 1, "cross_entropy: smoothing is {}, expected within [0, 1]", smoothing);
    const Tensor gradient = logits.clone();
    const Tensor loss = cross_entropy_in_place(gradient, labels, smoothing);
    return record("cross_entropy", loss, {logits},
                  [gradient](const Tensor& dy, Needs) -> Grads { return {mul(gradient, dy.item())}; });
}

Tensor softmax_loss(const Tensor& feature, const Tensor& weight, const Tensor& bias, const Tensor& labels) {
    ops::check_floating("softmax_loss", "feature", feature);
    ops::check_alike("softmax_loss", feature, "weight", weight);
    ops::check_rank("softmax_loss", "feature", feature, 2, "[N, D]");
    ops::check_rank("softmax_loss", "weight", weight, 2, "[C, D]");
    RADIAL_CHECK(feature.size(1) == weight.size(1), "softmax_loss: feature has dimension {}, weight expects {}",
                 feature.size(1), weight.size(1));
    Tensor gradient;
    {
        const NoGrad guard;
        gradient = linear(feature, weight, bias);
    }
    check_logits("softmax_loss", gradient);
    ops::check_labels("softmax_loss", labels, feature.size(0), weight.size(0));
    const Tensor loss = cross_entropy_in_place(gradient, labels, 0.0);
    return record("softmax_loss", loss, {feature, weight, bias},
                  [x = Saved(feature, "softmax_loss", "feature"), w = Saved(weight, "softmax_loss", "weight"),
                   gradient](const Tensor& dy, Needs needs) -> Grads {
                      const NoGrad guard;
                      const double upstream = dy.item();
                      Backend& backend = backend_for(dy.device(), dy.dtype());
                      Grads grads(3);
                      if (needs[0]) {
                          grads[0] = Tensor::empty_like(x.get());
                          backend.gemm(false, false, upstream, gradient, w.get(), 0.0, grads[0]);
                      }
                      if (needs[1]) {
                          grads[1] = Tensor::empty_like(w.get());
                          backend.gemm(true, false, upstream, gradient, x.get(), 0.0, grads[1]);
                      }
                      if (needs[2]) grads[2] = mul(ops::channel_sums(gradient), upstream);
                      return grads;
                  });
}

}  // namespace radial
