// Metric-learning losses that compare a sample with learned class vectors instead of with other samples.
#pragma once

#include "radial/core/ops.h"
#include "radial/losses/loss.h"
#include "radial/losses/softmax.h"

namespace radial {

/// Options of ProxyNca.
struct ProxyNcaOptions {
    std::int64_t classes = 10;        ///< number of classes
    std::int64_t dim = 32;            ///< feature dimension
    double scale = 1;                 ///< multiplies the squared distances: 1 / temperature
    bool own_in_denominator = false;  ///< sum over all classes, as ProxyNCA++ does (Teh et al. 2020): a softmax
    SoftmaxLikeOptions softmax{};     ///< label smoothing and recomputation

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("scale", self.scale, "multiplies the squared distances");
        visit("own_in_denominator", self.own_in_denominator, "sum over all classes, as ProxyNCA++ does");
        SoftmaxLikeOptions::fields(self.softmax, visit);
    }
};

/// L = mean of -log(exp(-s d_y) / sum_{j != y} exp(-s d_j)), where d_j = |x / |x| - p_j / |p_j||^2 and s is the scale
/// (Movshovitz-Attias et al., ICCV 2017, with s = 1). With own_in_denominator the sum is over all j; without it the
/// loss may be negative. Logits: -s d_j. Parameter: proxies [classes, dim], initially Xavier-uniform.
class ProxyNca : public SoftmaxLike {
public:
    /// Throws Error when classes is below 2, dim is below 1, scale is not above 0, or smoothing is outside [0, 1].
    explicit ProxyNca(const ProxyNcaOptions& options);
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    Tensor logits(const Tensor& feature) override;
    /// "distance": -d_j of the nearest proxy, in [-4, 0]. Throws as forward() does.
    std::vector<LossScore> scores(const Tensor& feature) override;
    /// The proxies [classes, dim].
    Tensor prototypes() const override { return proxies_; }

    /// The loss's entry in the registry.
    static LossInfo info();

private:
    ProxyNcaOptions options_;
    Tensor proxies_;
};

/// Options of ProxyAnchor.
struct ProxyAnchorOptions {
    std::int64_t classes = 10;  ///< number of classes
    std::int64_t dim = 32;      ///< feature dimension
    double alpha = 32;          ///< multiplies the cosines
    double delta = 0.1;         ///< margin

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("alpha", self.alpha, "multiplies the cosines");
        visit("delta", self.delta, "margin");
    }
};

/// L = mean over the classes c of the batch of log(1 + sum over their samples x of exp(-alpha (cos(x, P_c) - delta))) +
/// mean over all classes c of log(1 + sum over the samples of other classes of exp(alpha (cos(x, P_c) + delta))) (Kim
/// et al., CVPR 2020, Eq. 4). Parameter: proxies [classes, dim], initially He-normal over the classes, as in the
/// authors' code.
class ProxyAnchor : public Loss {
public:
    /// Throws Error when classes or dim is below 1, or alpha is not above 0.
    explicit ProxyAnchor(const ProxyAnchorOptions& options);
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    /// The cosines to the proxies: [N, classes].
    Tensor logits(const Tensor& feature) override;
    Tensor prototypes() const override { return proxies_; }

    /// The loss's entry in the registry.
    static LossInfo info();

private:
    ProxyAnchorOptions options_;
    Tensor proxies_;
    Tensor proxy_labels_;  // 0 .. classes - 1, on the device of the last batch
};

/// Options of SoftTriple.
struct SoftTripleOptions {
    std::int64_t classes = 10;            ///< number of classes
    std::int64_t dim = 32;                ///< feature dimension
    std::int64_t centres_per_class = 10;  ///< K
    double lambda = 20;                   ///< multiplies the similarities
    double gamma = 0.1;                   ///< temperature of the softmax over a class's centres
    double delta = 0.01;                  ///< margin, subtracted from the similarity to the true class
    double tau = 0.2;                     ///< weight of the term that merges a class's centres
    SoftmaxLikeOptions softmax{};         ///< label smoothing and recomputation

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("centres_per_class", self.centres_per_class, "number of centres per class");
        visit("lambda", self.lambda, "multiplies the similarities");
        visit("gamma", self.gamma, "temperature of the softmax over a class's centres");
        visit("delta", self.delta, "margin, subtracted from the similarity to the true class");
        visit("tau", self.tau, "weight of the term that merges a class's centres");
        SoftmaxLikeOptions::fields(self.softmax, visit);
    }
};

/// L = mean of -log softmax_c(lambda (S_c - delta 1[c = y]))[y], S_c = sum_k softmax_k(s_ck / gamma) s_ck, where s_ck
/// is the cosine between x and centre k of class c (Qian et al., ICCV 2019), plus tau / (C K (K - 1)) * sum over
/// classes and pairs of their centres of sqrt(2 - 2 cos(w_s, w_t)), with 1e-5 added under the root as in the authors'
/// code. Logits: lambda S_c. Parameter: centres [classes * K, dim], those of a class in consecutive rows, initially
/// Xavier-uniform.
class SoftTriple : public SoftmaxLike {
public:
    /// Throws Error when classes, dim or centres_per_class is below 1, lambda or gamma is not above 0, delta or tau is
    /// negative or not a number, or smoothing is outside [0, 1].
    explicit SoftTriple(const SoftTripleOptions& options);
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    Tensor logits(const Tensor& feature) override;
    /// All centres, [classes * K, dim], those of a class in consecutive rows.
    Tensor prototypes() const override { return centres_; }

    /// The loss's entry in the registry.
    static LossInfo info();

private:
    Tensor similarities(const Tensor& feature, const Tensor& unit_centres) const;
    Tensor spread(const Tensor& unit_centres) const;

    SoftTripleOptions options_;
    Tensor centres_;
};

}  // namespace radial
