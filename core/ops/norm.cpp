// Batch normalisation, in training (batch statistics) and evaluation (running statistics).
#include "radial/core/ops/common.h"

#include <cmath>

namespace radial {
namespace {

void check(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& mean, const Tensor& variance) {
    ops::check_floating("batch_norm", "the input", x);
    RADIAL_CHECK(x.rank() == 2 || x.rank() == 4, "batch_norm: input is {}, expected [N, C, H, W] or [N, C]",
                 x.shape().str());
    RADIAL_CHECK(x.size(1) > 0, "batch_norm: input {} has no channels", x.shape().str());
    const std::pair<std::string_view, const Tensor*> vectors[] = {
        {"scale", &scale}, {"shift", &shift}, {"running mean", &mean}, {"running variance", &variance}};
    for (const auto& [what, vector] : vectors) {
        ops::check_alike("batch_norm", x, what, *vector);
        RADIAL_CHECK(vector->shape() == Shape{x.size(1)}, "batch_norm: {} is {}, input has {} channels", what,
                     vector->shape().str(), x.size(1));
    }
}

// running = (1 - momentum) * running + momentum * batch, with the unbiased variance.
void update_running(const Tensor& running, const Tensor& batch, double momentum, double correction) {
    dispatch_floating(running.dtype(), "batch_norm", [&](auto zero) {
        using T = decltype(zero);
        T* const r = running.data<T>();
        const T* const b = batch.data<T>();
        const T keep = static_cast<T>(1 - momentum), take = static_cast<T>(momentum * correction);
        kernels::map(running.numel(), [=](std::int64_t i) { r[i] = keep * r[i] + take * b[i]; });
    });
    running.bump_version();
}

Tensor train(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& running_mean,
             const Tensor& running_variance, const BatchNormOptions& options) {
    Backend& backend = backend_for(x.device(), x.dtype());
    const std::int64_t channels = x.size(1), count = x.numel() / channels;
    RADIAL_CHECK(count > 1, "batch_norm: input {} has a single value a channel, too few to train on", x.shape().str());
    const Tensor input = x.to(backend.activation_layout()), y = Tensor::empty_like(input);
    const Tensor mean = Tensor::empty({channels}, x.dtype(), x.device()), variance = Tensor::empty_like(mean);
    const Tensor mask =
        backend.batch_norm_forward(input, scale, shift, options.epsilon, options.relu, mean, variance, y);
    update_running(running_mean, mean, options.momentum, 1.0);
    update_running(running_variance, variance, options.momentum,
                   static_cast<double>(count) / static_cast<double>(count - 1));
    return record("batch_norm", y, {x, scale, shift},
                  [saved = Saved(input, "batch_norm", "input"), gain = Saved(scale, "batch_norm", "scale"), mean,
                   variance, mask, epsilon = options.epsilon, &backend](const Tensor& dy, Needs) -> Grads {
                      const Tensor kept = saved.get(), a = gain.get(), grad = dy.to(kept.layout());
                      Grads grads{Tensor::empty_like(kept), Tensor::empty_like(a), Tensor::empty_like(a)};
                      backend.batch_norm_backward(kept, grad, a, mean, variance, epsilon, mask, grads[0], grads[1],
                                                  grads[2]);
                      return grads;
                  });
}

// With fixed statistics the op is affine in each channel: y = (x - mean) * inverse * scale + shift.
Grads evaluation_backward(const Tensor& dy, const Tensor& x, const Tensor& y, bool relu, const Tensor& scale,
                          const Tensor& mean, const Tensor& variance, double epsilon) {
    const Tensor grad = dy.to(x.layout()), dx = Tensor::empty_like(x), weighted = Tensor::empty_like(x),
                 masked = Tensor::empty_like(x);
    const auto [outer, channels, inner] = ops::blocks_around(x, 1);
    dispatch_floating(x.dtype(), "batch_norm", [&, c = channels, n = inner, o = outer](auto zero) {
        using T = decltype(zero);
        const T *const g = grad.data<T>(), *const v = x.data<T>(), *const result = y.data<T>();
        const T *const a = scale.data<T>(), *const m = mean.data<T>(), *const s2 = variance.data<T>();
        T *const out = dx.data<T>(), *const w = weighted.data<T>(), *const k = masked.data<T>();
        const T eps = static_cast<T>(epsilon);
        kernels::map2(o * c, n, [=](std::int64_t r, std::int64_t i) {
            const std::int64_t at = r * n + i, channel = r % c;
            const T inverse = 1 / std::sqrt(s2[channel] + eps);
            const T upstream = g[at], gi = relu && !(result[at] > 0) ? T{0} : upstream;
            k[at] = gi;
            w[at] = gi * (v[at] - m[channel]) * inverse;
            out[at] = gi * a[channel] * inverse;
        });
    });
    return {dx, ops::channel_sums(weighted), ops::channel_sums(masked)};
}

Tensor evaluate(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& mean, const Tensor& variance,
                const BatchNormOptions& options) {
    Backend& backend = backend_for(x.device(), x.dtype());
    const Tensor input = x.to(backend.activation_layout()), y = Tensor::empty_like(input);
    backend.batch_norm_apply(input, scale, shift, mean, variance, options.epsilon, options.relu, y);
    return record("batch_norm", y, {x, scale, shift},
                  [saved = Saved(input, "batch_norm", "input"), result = Saved(y, "batch_norm", "result"),
                   gain = Saved(scale, "batch_norm", "scale"), m = Saved(mean, "batch_norm", "running mean"),
                   v = Saved(variance, "batch_norm", "running variance"), options](const Tensor& dy, Needs) -> Grads {
                      return evaluation_backward(dy, saved.get(), result.get(), options.relu, gain.get(), m.get(),
                                                 v.get(), options.epsilon);
                  });
}

}  // namespace

Tensor batch_norm(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& running_mean,
                  const Tensor& running_variance, const BatchNormOptions& options) {
    check(x, scale, shift, running_mean, running_variance);
    const auto apply = options.training ? train : evaluate;
    if (x.rank() == 4) return apply(x, scale, shift, running_mean, running_variance, options);
    const Tensor image = reshape(x, {x.size(0), x.size(1), 1, 1});
    return reshape(apply(image, scale, shift, running_mean, running_variance, options), x.shape());
}

}  // namespace radial
