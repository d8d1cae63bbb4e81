// Batch normalisation over ranks: moments told and combined, forward and backward.
#include "radial/core/ops/sync_norm.h"

#include "radial/core/autograd/autograd.h"
#include "radial/core/backend/backend.h"
#include "radial/core/backend/kernels/norm.h"
#include "radial/core/ops/common.h"
#include "radial/core/ops/kernels/sync_norm.h"

namespace radial::ops {
namespace {

namespace sync = kernels::sync_norm;

/// The statistics of all ranks' batches, [C] each but for `rows`, a float64 scalar.
struct Statistics {
    Tensor mean, variance, unbiased, rows;
};

Statistics statistics_over(Communicator& ranks, const Tensor& x, DType vectors) {
    const std::int64_t channels = x.size(1), rows = x.numel() / channels, width = 1 + 2 * channels;
    const Device device = x.device();
    // A row a rank, all 0 but this one's, so that the sum is a gathering.
    const Tensor moments = Tensor::zeros({ranks.size(), width}, DType::float64, device);
    const Tensor own = moments.rows(ranks.rank(), ranks.rank() + 1).view({width});
    own.rows(0, 1).fill_(static_cast<double>(rows));
    auto* const out = own.data<double>() + 1;
    dispatch_activation(x.dtype(), "batch_norm", [&](auto zero) {
        using X = decltype(zero);
        kernels::reduce_columns(device, rows, channels, sync::Moments<X>{x.data<X>(), channels},
                                sync::StoreMoments<X>{x.data<X>(), out, out + channels, static_cast<double>(rows)});
    });
    ranks.sum(moments);
    Statistics all{.mean = Tensor::empty({channels}, vectors, device),
                   .variance = Tensor::empty({channels}, vectors, device),
                   .unbiased = Tensor::empty({channels}, vectors, device),
                   .rows = Tensor::empty({}, DType::float64, device)};
    dispatch_floating(vectors, "batch_norm", [&](auto zero) {
        using V = decltype(zero);
        kernels::map(device, channels,
                     sync::Combine<V>{moments.data<double>(), all.mean.data<V>(), all.variance.data<V>(),
                                      all.unbiased.data<V>(), all.rows.data<double>(), ranks.size(), channels});
    });
    return all;
}

void move_running(const Tensor& running, const Tensor& batch, double momentum) {
    dispatch_floating(running.dtype(), "batch_norm", [&](auto zero) {
        using V = decltype(zero);
        kernels::map(running.device(), running.numel(),
                     kernels::norm::UpdateRunning<V>{running.data<V>(), batch.data<V>(), static_cast<V>(1 - momentum),
                                                     static_cast<V>(momentum)});
    });
    running.bump_version();
}

/// What backward needs.
struct Kept {
    Saved x, scale;
    Saved y;  ///< undefined without a clamp
    Statistics statistics;
    double epsilon;
    bool residual;
};

Grads backward_over(Communicator& ranks, const Kept& kept, Tensor dy) {
    const Tensor x = kept.x.get(), scale = kept.scale.get(), y = kept.y.get();
    dy = dy.to(x.layout());
    Grads grads{Tensor::empty_like(x), Tensor::empty_like(scale), Tensor::empty_like(scale), {}};
    const bool writes_masked = kept.residual && y.defined();
    if (kept.residual) grads[3] = writes_masked ? reuse_or_empty(dy) : dy;
    const std::int64_t channels = x.size(1), rows = x.numel() / channels;
    const Tensor sums = Tensor::empty({2 * channels}, DType::float64, x.device());
    dispatch_activation(x.dtype(), "batch_norm", [&](auto zero) {
        using X = decltype(zero);
        using V = Compute<X>;
        const sync::Gradients<X> from{x.data<X>(),
                                      dy.data<X>(),
                                      y.defined() ? y.data<X>() : nullptr,
                                      writes_masked ? grads[3].data<X>() : nullptr,
                                      kept.statistics.mean.data<V>(),
                                      kept.statistics.variance.data<V>(),
                                      kept.epsilon,
                                      channels};
        kernels::reduce_columns(
            x.device(), rows, channels, from,
            sync::StoreGradients<V>{grads[2].data<V>(), grads[1].data<V>(), sums.data<double>(), channels});
        ranks.sum(sums);
        kernels::map2(x.device(), rows, channels,
                      sync::InputGradient<X>{from, grads[0].data<X>(), scale.data<V>(), sums.data<double>(),
                                             kept.statistics.rows.data<double>()});
    });
    return grads;
}

}  // namespace

Tensor batch_norm_over_ranks(Communicator& ranks, const Tensor& x, const Tensor& scale, const Tensor& shift,
                             const Tensor& running_mean, const Tensor& running_variance,
                             const BatchNormOptions& options, const Tensor& residual) {
    RADIAL_CHECK(x.numel() > 0, "batch_norm: input {} of rank {} of {} has no elements", x.shape().str(), ranks.rank(),
                 ranks.size());
    Backend& backend = backend_for(x.device(), x.dtype());
    // Channels last, whatever the backend wants: sums over channels are sums of columns.
    const Tensor input = x.to(Layout::channels_last);
    const Statistics statistics = statistics_over(ranks, input, scale.dtype());
    if (!recomputing()) {
        move_running(running_mean, statistics.mean, options.momentum);
        move_running(running_variance, statistics.unbiased, options.momentum);
    }
    const Layout layout = backend.activation_layout();
    const Tensor in = input.to(layout), y = Tensor::empty_like(in);
    backend.batch_norm_apply(in, scale, shift, residual.defined() ? residual.to(layout) : residual, statistics.mean,
                             statistics.variance, options.epsilon, options.activation, y);
    const Tensor result = y.to(Layout::channels_last);
    Kept kept{.x = Saved(input, "batch_norm", "input"),
              .scale = Saved(scale, "batch_norm", "scale"),
              .y = options.activation == Activation::relu ? Saved(result, "batch_norm", "result") : Saved(),
              .statistics = statistics,
              .epsilon = options.epsilon,
              .residual = residual.defined()};
    return record(
        "batch_norm", result, {x, scale, shift, residual},
        [kept = std::move(kept), &ranks](Tensor dy, Needs) { return backward_over(ranks, kept, std::move(dy)); });
}

}  // namespace radial::ops
