// Batch normalisation in training (statistics of the batch, on this rank or over all ranks) and in evaluation (running
// statistics), with an optional residual.
#include "radial/core/backend/kernels/norm.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/backend/backend.h"
#include "radial/core/distributed/communicator.h"
#include "radial/core/ops/common.h"
#include "radial/core/ops/kernels/sync_norm.h"

namespace radial::ops {
namespace {

namespace sync = kernels::sync_norm;

/// Statistics over the batches of all ranks. All are [C] except `rows`, a float64 scalar.
struct Statistics {
    Tensor mean, variance, unbiased, rows;
};

Statistics statistics_over(Communicator& ranks, const Tensor& x, DType vectors) {
    const std::int64_t channels = x.size(1), rows = x.numel() / channels, width = 1 + 2 * channels;
    const Device device = x.device();
    // One row per rank. All rows except this rank's are 0, so that an all-reduce acts as an all-gather.
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

/// The values saved for backward.
struct Kept {
    Saved x, scale;
    Saved y;  ///< undefined without a ReLU
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

/// batch_norm() in training with statistics over the x [N, C, H, W] of all ranks. Arguments have been checked. The only
/// activation supported is ReLU. Forward gathers 1 + 2 C numbers from each rank, backward sums 2 C numbers over the
/// ranks. Throws what these collectives throw, and Error when x has no elements.
Tensor batch_norm_over_ranks(Communicator& ranks, const Tensor& x, const Tensor& scale, const Tensor& shift,
                             const Tensor& running_mean, const Tensor& running_variance,
                             const BatchNormOptions& options, const Tensor& residual) {
    RADIAL_CHECK(x.numel() > 0, "batch_norm: input {} of rank {} of {} has no elements", x.shape().str(), ranks.rank(),
                 ranks.size());
    Backend& backend = backend_for(x.device(), x.dtype());
    // channels_last, whatever the backend uses, so that sums over channels are column sums.
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

}  // namespace

}  // namespace radial::ops

namespace radial {
namespace {

// The vectors have the type of x, or float32 if x is bfloat16, because sums need the precision.
void check_vector(const Tensor& x, std::string_view what, const Tensor& vector) {
    const DType wanted = x.dtype() == DType::bfloat16 ? DType::float32 : x.dtype();
    RADIAL_CHECK(vector.defined(), "batch_norm: {} is undefined", what);
    RADIAL_CHECK(vector.dtype() == wanted, "batch_norm: {} is {}, expected {}", what, vector.str(), name_of(wanted));
    RADIAL_CHECK(vector.device() == x.device(), "batch_norm: {} is on {}, expected {}", what, vector.device().str(),
                 x.device().str());
    RADIAL_CHECK(vector.shape() == Shape{x.size(1)}, "batch_norm: {} is {}, input has {} channels", what,
                 vector.shape().str(), x.size(1));
}

void check(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& mean, const Tensor& variance,
           const Tensor& residual) {
    ops::check_floating("batch_norm", "the input", x);
    RADIAL_CHECK(x.rank() == 2 || x.rank() == 4, "batch_norm: input is {}, expected [N, C, H, W] or [N, C]",
                 x.shape().str());
    RADIAL_CHECK(x.size(1) > 0, "batch_norm: input {} has no channels", x.shape().str());
    const std::pair<std::string_view, const Tensor*> vectors[] = {
        {"scale", &scale}, {"shift", &shift}, {"running mean", &mean}, {"running variance", &variance}};
    for (const auto& [what, vector] : vectors) check_vector(x, what, *vector);
    if (!residual.defined()) return;
    ops::check_alike("batch_norm", x, "residual", residual);
    RADIAL_CHECK(residual.shape() == x.shape(), "batch_norm: residual is {}, input is {}", residual.shape().str(),
                 x.shape().str());
}

Tensor in_layout(const Tensor& x, Layout layout) { return x.defined() ? x.to(layout) : x; }

// running = (1 - momentum) * running + momentum * correction * batch. The correction makes a variance unbiased.
void update_running(const Tensor& running, const Tensor& batch, double momentum, double correction) {
    dispatch_floating(running.dtype(), "batch_norm", [&](auto zero) {
        using V = decltype(zero);
        kernels::map(running.device(), running.numel(),
                     kernels::norm::UpdateRunning<V>{running.data<V>(), batch.data<V>(), static_cast<V>(1 - momentum),
                                                     static_cast<V>(momentum * correction)});
    });
    running.bump_version();
}

// The values saved for backward in training: those of BatchNormSaved, as Saved where others could write to the tensor.
struct Kept {
    Saved x, scale, shift, y;
    Tensor mean, variance, workspace;
    BatchNormOptions options;
    bool residual;

    BatchNormSaved get() const {
        return {.x = x.get(),
                .scale = scale.get(),
                .shift = shift.get(),
                .mean = mean,
                .variance = variance,
                .y = y.get(),
                .workspace = workspace,
                .epsilon = options.epsilon,
                .activation = options.activation};
    }
};

Grads train_backward(const Kept& kept, Tensor dy, Backend& backend) {
    const BatchNormSaved saved = kept.get();
    dy = dy.to(saved.x.layout());
    BatchNormGrads grads{.dx = Tensor::empty_like(saved.x),
                         .dscale = Tensor::empty_like(saved.scale),
                         .dshift = Tensor::empty_like(saved.shift),
                         .dresidual = {}};
    const bool clamped = saved.activation == Activation::relu;
    if (kept.residual && clamped) grads.dresidual = ops::reuse_or_empty(dy);
    backend.batch_norm_backward(saved, dy, grads);
    if (!kept.residual) return {grads.dx, grads.dscale, grads.dshift, {}};
    return {grads.dx, grads.dscale, grads.dshift, clamped ? grads.dresidual : dy};
}

Tensor train(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& running_mean,
             const Tensor& running_variance, const BatchNormOptions& options, const Tensor& residual) {
    Backend& backend = backend_for(x.device(), x.dtype());
    const std::int64_t channels = x.size(1), count = x.numel() / channels;
    RADIAL_CHECK(count > 1, "batch_norm: input {} has a single value a channel, too few to train on", x.shape().str());
    const Tensor input = x.to(backend.activation_layout()), y = Tensor::empty_like(input);
    const Tensor mean = Tensor::empty({channels}, scale.dtype(), x.device()), variance = Tensor::empty_like(mean);
    const Tensor workspace = backend.batch_norm_forward(input, scale, shift, in_layout(residual, input.layout()),
                                                        options.epsilon, options.activation, mean, variance, y);
    if (!recomputing()) {
        update_running(running_mean, mean, options.momentum, 1.0);
        update_running(running_variance, variance, options.momentum,
                       static_cast<double>(count) / static_cast<double>(count - 1));
    }
    Kept kept{.x = Saved(input, "batch_norm", "input"),
              .scale = Saved(scale, "batch_norm", "scale"),
              .shift = Saved(shift, "batch_norm", "shift"),
              .y = {},
              .mean = mean,
              .variance = variance,
              .workspace = workspace,
              .options = options,
              .residual = residual.defined()};
    // The next op usually saves the result too, so this rarely costs memory.
    if (options.activation == Activation::relu && !workspace.defined()) kept.y = Saved(y, "batch_norm", "result");
    return record("batch_norm", y, {x, scale, shift, residual},
                  [kept = std::move(kept), &backend](Tensor dy, Needs) -> Grads {
                      return train_backward(kept, std::move(dy), backend);
                  });
}

// The values saved for backward in evaluation.
struct KeptFixed {
    Saved x, scale, mean, variance;
    Saved y;  ///< undefined without a ReLU
    double epsilon;
    bool residual;
};

// With fixed statistics the op is affine in each channel: y = (x - mean) * inverse * scale + shift + residual.
Grads evaluation_backward(const KeptFixed& kept, Tensor dy) {
    const Tensor x = kept.x.get().to(Layout::channels_last), scale = kept.scale.get(), y = kept.y.get();
    const Tensor mean = kept.mean.get(), variance = kept.variance.get();
    dy = dy.to(x.layout());
    // The statistics, the last two inputs, are fixed.
    Grads grads{Tensor::empty_like(x), Tensor::empty_like(scale), Tensor::empty_like(scale), {}, {}, {}};
    const bool writes_masked = kept.residual && y.defined();
    if (kept.residual) grads[3] = writes_masked ? ops::reuse_or_empty(dy) : dy;
    dispatch_activation(x.dtype(), "batch_norm", [&](auto zero) {
        using X = decltype(zero);
        using V = Compute<X>;
        const std::int64_t channels = x.size(1);
        kernels::reduce_columns(x.device(), x.numel() / channels, channels,
                                kernels::norm::FixedBackward<X>{
                                    x.data<X>(), dy.data<X>(), y.defined() ? y.data<X>() : nullptr, grads[0].data<X>(),
                                    writes_masked ? grads[3].data<X>() : nullptr, scale.data<V>(), mean.data<V>(),
                                    variance.data<V>(), static_cast<V>(kept.epsilon), channels},
                                kernels::norm::StorePair<V>{grads[2].data<V>(), grads[1].data<V>()});
    });
    return grads;
}

Tensor evaluate(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& mean, const Tensor& variance,
                const BatchNormOptions& options, const Tensor& residual) {
    Backend& backend = backend_for(x.device(), x.dtype());
    const Tensor input = x.to(backend.activation_layout()), y = Tensor::empty_like(input);
    backend.batch_norm_apply(input, scale, shift, in_layout(residual, input.layout()), mean, variance, options.epsilon,
                             options.activation, y);
    KeptFixed kept{.x = Saved(input, "batch_norm", "input"),
                   .scale = Saved(scale, "batch_norm", "scale"),
                   .mean = Saved(mean, "batch_norm", "running mean"),
                   .variance = Saved(variance, "batch_norm", "running variance"),
                   .y = options.activation == Activation::relu ? Saved(y, "batch_norm", "result") : Saved(),
                   .epsilon = options.epsilon,
                   .residual = residual.defined()};
    return record(
        "batch_norm", y, {x, scale, shift, residual, mean, variance},
        [kept = std::move(kept)](Tensor dy, Needs) -> Grads { return evaluation_backward(kept, std::move(dy)); },
        {{"epsilon", options.epsilon}, {"activation", options.activation}});
}

bool over_ranks(const BatchNormOptions& options) { return options.training && batch_norm_ranks() != nullptr; }

/// Whether the norm computes the activation in the same pass. In evaluation, the gradients of SiLU and GELU need the
/// normalised input, so these activations are fused only if no gradient will be needed (may_fuse()).
bool fuses(const Tensor& x, const BatchNormOptions& options, const Tensor& residual) {
    if (options.activation == Activation::none || options.activation == Activation::relu) return true;
    return !over_ranks(options) && backend_for(x.device(), x.dtype()).norm_takes(options.activation) &&
           !residual.defined() && (options.training || may_fuse());
}

}  // namespace

Tensor batch_norm(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& running_mean,
                  const Tensor& running_variance, const BatchNormOptions& options, const Tensor& residual) {
    check(x, scale, shift, running_mean, running_variance, residual);
    if (!fuses(x, options, residual)) {
        BatchNormOptions linear = options;
        linear.activation = Activation::none;
        return activated(batch_norm(x, scale, shift, running_mean, running_variance, linear, residual),
                         options.activation);
    }
    const auto apply = [&](const Tensor& image, const Tensor& more) {
        if (over_ranks(options)) {
            return ops::batch_norm_over_ranks(*batch_norm_ranks(), image, scale, shift, running_mean, running_variance,
                                              options, more);
        }
        return (options.training ? train : evaluate)(image, scale, shift, running_mean, running_variance, options,
                                                     more);
    };
    if (x.rank() == 4) return apply(x, residual);
    const auto image = [&x](const Tensor& matrix) {
        return matrix.defined() ? reshape(matrix, {x.size(0), x.size(1), 1, 1}) : matrix;
    };
    return reshape(apply(image(x), image(residual)), x.shape());
}

}  // namespace radial
