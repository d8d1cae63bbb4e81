// RBF-Softmax: softmax over Gaussian kernels of the distances to class prototypes.
#pragma once

#include "radial/core/nn/first_batch.h"
#include "radial/losses/softmax.h"

#include <optional>

namespace radial {

/// Options of RbfSoftmax.
struct RbfSoftmaxOptions {
    std::int64_t classes = 10;  ///< number of classes
    std::int64_t dim = 32;      ///< feature dimension
    double scale = 2.0;         ///< s: logits are in [0, s]
    double gamma = 1.0;         ///< width of the kernel, in squared distance
    double margin = 0.0;        ///< m, subtracted from the kernel of the true class; in [0, 1)

    bool learn_scale = false;      ///< learn s, starting from `scale`
    bool learn_gamma = false;      ///< learn one gamma for all classes, starting from `gamma`
    bool per_class_gamma = false;  ///< learn one gamma per class, starting from `gamma`

    std::int64_t prototypes_per_class = 1;  ///< the nearest one represents its class
    /// tau: widens the kernel so that its value for the true class is never below exp(-tau). 0 turns this off.
    double reach = 0.0;
    /// Normalises each dimension of the feature over the batch, so that the kernel does not underflow, whatever the
    /// network. Off by default: the loss is then that of the paper, which is additive, has no state, and accepts a
    /// batch of one sample.
    bool normalise = false;
    double spread = 1.0;           ///< r: root mean square length of normalised features, in units of sqrt(gamma)
    SoftmaxLikeOptions softmax{};  ///< label smoothing and recomputation

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("scale", self.scale, "s: logits are in [0, s]");
        visit("gamma", self.gamma, "width of the kernel, in squared distance");
        visit("margin", self.margin, "subtracted from the kernel of the true class; in [0, 1)");
        visit("learn_scale", self.learn_scale, "learn s, starting from scale");
        visit("learn_gamma", self.learn_gamma, "learn one gamma for all classes");
        visit("per_class_gamma", self.per_class_gamma, "learn one gamma per class");
        visit("prototypes_per_class", self.prototypes_per_class, "the nearest prototype of a class represents it");
        visit("reach", self.reach, "the kernel of the true class is never below exp(-reach); 0 turns this off");
        visit("normalise", self.normalise,
              "normalise features over the batch, so that the kernel stays alive with any network");
        visit("spread", self.spread, "root mean square length of normalised features, in units of sqrt(gamma)");
        SoftmaxLikeOptions::fields(self.softmax, visit);
    }
};

/// L = mean of -log softmax_j(s * (K_j - m * 1[j = y]))[y], K_j = exp(-|x - W_j|^2 / gamma) (Zhang et al., ECCV 2020,
/// Eq. 3 and 4, where m is 0). Parameters: prototypes [classes * prototypes_per_class, dim], those of a class in
/// consecutive rows, initially Xavier-uniform as in the authors' code; if learned, log_scale [1] and log_gamma [1] or
/// [classes], logarithms of factors of `scale` and `gamma`.
///
/// **Reach.** The gradient of a Gaussian vanishes when features are far from every prototype: K underflows and training
/// cannot continue. With reach tau, gamma is replaced by gamma + d_y / tau, where d_y is the squared distance of the
/// sample to its own class:
///
///     K_j = exp(-d_j / (gamma + d_y / tau)).
///
/// Near the prototype, where d_y is much smaller than tau * gamma, this is the Gaussian; far away, K_y tends to
/// exp(-tau) instead of 0, and K_j depends on how much further away the other classes are than the true class. With w =
/// gamma + d_y / tau and g_j = (P_j - 1[j = y]) s K_j,
///
///     dL/dd_j = -g_j / w,   and for the true class in addition: + sum_k g_k d_k / (tau w^2).
///
/// For prediction, d_y is the distance to the nearest class, which does not change the order of the classes.
///
/// **Normalised features.** |x|^2 grows with the dimension, so K vanishes in high dimensions. With `normalise`, x is
/// replaced by
///
///     x' = r sqrt(gamma / dim) (x - mean) / sqrt(variance + 1e-5),
///
/// where mean and variance are those of each dimension over the batch (batch normalisation, Ioffe & Szegedy 2015,
/// without learned scale and shift). The mean of |x'|^2 over a batch is then at most r^2 gamma, whatever the network
/// and the weights, and prototypes are initially uniform with a mean squared length of gamma / 2: the mean kernel
/// starts above about exp(-r^2 - 1/2). docs/training-rbf-softmax.md derives this. Buffers: running_mean [dim] and
/// running_variance [dim], which start as the statistics of the first batch and are then moving averages with momentum
/// 0.1; and started [1]. Evaluation uses the moving averages instead of the batch's statistics. Training needs two or
/// more samples over all ranks, which share their statistics (OverRanks); the loss is then not additive. Prototypes are
/// points of the normalised space: see in_prototype_space().
///
/// With one prototype per class and no reach, the loss is one fused op. Otherwise it is composed of several ops on [N,
/// C] tensors, and `recompute` has no effect.
class RbfSoftmax : public SoftmaxLike {
public:
    /// Throws Error when an option is out of range, or learn_gamma and per_class_gamma are both on.
    explicit RbfSoftmax(const RbfSoftmaxOptions& options);
    /// Throws as Loss::forward() does, and throws Error when a single sample is to be normalised in training.
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    /// Throws as forward() does.
    Tensor logits(const Tensor& feature) override;
    Tensor prototypes() const override { return prototypes_; }
    /// Returns the normalised feature if `normalise` is set, using the batch's statistics in training. Throws as
    /// forward() does.
    Tensor in_prototype_space(const Tensor& feature) override;
    /// "mean_kernel": the mean over the batch of the kernel K_y of each sample's own class, in [0, 1]. Near 0, no
    /// gradient flows.
    std::vector<LossMetric> metrics() const override;
    /// "kernel": the largest kernel K_j of the classes, in [0, 1]. 1 on a prototype, near 0 far from all of them; with
    /// `reach`, at least exp(-reach). Throws as forward() does.
    std::vector<LossScore> scores(const Tensor& feature) override;
    /// False while features are normalised by the statistics of their batch, that is, in training.
    bool additive() const override { return !normalises_by_batch(); }
    std::int64_t smallest_batch() const override { return options_.normalise ? 2 : 1; }

    /// The loss's entry in the registry.
    static LossInfo info();

private:
    bool normalises_by_batch() const { return options_.normalise && training(); }
    Tensor normalised(const Tensor& feature, double momentum) const;
    Tensor class_kernels(const Tensor& feature);
    Tensor nearest_distances(const Tensor& feature) const;
    Tensor widths(const Tensor& reached) const;
    Tensor scale_factor() const;
    Tensor gamma_factor() const;

    RbfSoftmaxOptions options_;
    Tensor prototypes_, log_scale_, log_gamma_, mean_kernel_;
    Tensor running_mean_, running_variance_;
    std::optional<FirstBatch> first_;  ///< with `normalise`
};

}  // namespace radial
