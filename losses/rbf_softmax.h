// RBF-Softmax: softmax over Gaussian kernels of the distances to class prototypes.
#pragma once

#include "radial/losses/softmax_like.h"

namespace radial {

struct RbfSoftmaxOptions {
    std::int64_t classes = 10;
    std::int64_t dim = 32;  ///< feature dimension
    double scale = 2.0;     ///< s: range of the logits, [0, s]
    double gamma = 1.0;     ///< width of the kernel, in squared distance
    double margin = 0.0;    ///< m: what the own class's kernel must exceed the others' by; in [0, 1)

    bool learn_scale = false;      ///< s and gamma as parameters, started at the values above
    bool learn_gamma = false;      ///< one gamma for all classes
    bool per_class_gamma = false;  ///< one for each class, learned

    std::int64_t prototypes_per_class = 1;  ///< the nearest of a class stands for it
    /// tau: the kernel widens so that it is never below exp(-tau) to the own class. 0: it does not.
    double reach = 0.0;
    SoftmaxLikeOptions softmax{};
};

/// L = mean of -log softmax_j(s * (K_j - m * 1[j = y]))[y], K_j = exp(-|x - W_j|^2 / gamma) (Zhang et al., ECCV 2020,
/// Eq. 3 and 4, where m is 0). Prototypes [classes * prototypes_per_class, dim], those of a class next to each other,
/// started Xavier-uniform as in the authors' code. Learned are log_scale [1] and log_gamma [1] or [classes]: logarithms
/// of what multiplies scale and gamma.
///
/// **Reach.** A Gaussian's gradient vanishes where features are far from every prototype: K underflows, and the run is
/// dead. With reach tau, gamma + d_y / tau stands in gamma's place, where d_y is the sample's distance to its own
/// class:
///   K_j = exp(-d_j / (gamma + d_y / tau)).
/// Near the prototype, d_y much below tau * gamma, that is the Gaussian; far away K_y tends to exp(-tau) and not to 0,
/// and K_j says how much further the others are than the own class. With w = gamma + d_y / tau and g_j = (P_j - 1[j =
/// y]) s K_j,
///   dL/dd_j = -g_j / w,   and for the own class besides: + sum_k g_k d_k / (tau w^2).
/// To predict, the distance to the nearest class takes d_y's place, which leaves the order of the classes as it is.
///
/// One fused op with one prototype a class and no reach; composed of several [N, C] tensors otherwise, where
/// `recompute` has no effect on them.
class RbfSoftmax : public SoftmaxLike {
public:
    /// Throws Error when an option is out of range, or learn_gamma and per_class_gamma are both on.
    explicit RbfSoftmax(const RbfSoftmaxOptions& options);
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    Tensor logits(const Tensor& feature) override;
    Tensor prototypes() const override { return prototypes_; }
    Tensor mean_kernel() const override { return mean_kernel_; }

    static LossInfo info();

private:
    Tensor nearest_distances(const Tensor& feature) const;
    Tensor widths(const Tensor& reached) const;
    Tensor scale_factor() const;
    Tensor gamma_factor() const;

    RbfSoftmaxOptions options_;
    Tensor prototypes_, log_scale_, log_gamma_, mean_kernel_;
};

}  // namespace radial
