// Softmax over the distances to learned prototypes or means of the classes.
#pragma once

#include "radial/losses/softmax.h"

namespace radial {

/// Options of Cpl.
struct CplOptions {
    std::int64_t classes = 10;              ///< number of classes
    std::int64_t dim = 32;                  ///< feature dimension
    std::int64_t prototypes_per_class = 1;  ///< K
    double gamma = 1.0;                     ///< hardness: multiplies the squared distances
    SoftmaxLikeOptions softmax{};           ///< label smoothing and recomputation

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("prototypes_per_class", self.prototypes_per_class, "number of prototypes per class");
        visit("gamma", self.gamma, "multiplies the squared distances");
        SoftmaxLikeOptions::fields(self.softmax, visit);
    }
};

/// L = mean of -log p(y), the distance-based cross-entropy (Yang et al., CVPR 2018, Eq. 6 to 8). p(c) is the sum over
/// the prototypes of class c of the softmax, over all prototypes, of -gamma |x - W_ck|^2. logit_c = log(sum_k
/// exp(-gamma |x - W_ck|^2)). Parameter: prototypes [classes * K, dim], those of a class in consecutive rows. The paper
/// does not give their initial values; here they are Xavier-uniform, because prototypes of a class that start equal
/// would stay equal.
class Cpl : public SoftmaxLike {
public:
    /// Throws Error when classes, dim or prototypes_per_class is below 1, gamma is not above 0, or smoothing is outside
    /// [0, 1].
    explicit Cpl(const CplOptions& options);
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    Tensor logits(const Tensor& feature) override;
    /// "distance": the negative squared distance to the nearest prototype. Throws as forward() does.
    std::vector<LossScore> scores(const Tensor& feature) override;
    /// All prototypes, [classes * K, dim], those of a class in consecutive rows.
    Tensor prototypes() const override { return prototypes_; }

    /// The loss's entry in the registry.
    static LossInfo info();
    /// The registry's entry for g-cpl: cpl + lambda * compact, with a default lambda of 0.01 (Yang et al. 2018).
    static LossInfo generalised_info();

private:
    CplOptions options_;
    Tensor prototypes_;
};

/// Options of Lgm.
struct LgmOptions {
    /// The covariance matrix of each class.
    enum class Covariance : std::uint8_t {
        identity,  ///< the identity
        diagonal   ///< diagonal, learned
    };
    /// The names of the covariances.
    friend constexpr auto words_of(Covariance /*value*/) {
        return std::to_array<std::string_view>({"identity", "diagonal"});
    }

    std::int64_t classes = 10;                     ///< number of classes
    std::int64_t dim = 32;                         ///< feature dimension
    double alpha = 1.0;                            ///< margin: relative increase of the distance to the true class
    double lambda = 0.1;                           ///< weight of the likelihood term
    Covariance covariance = Covariance::identity;  ///< identity, or diagonal and learned
    SoftmaxLikeOptions softmax{};                  ///< label smoothing and recomputation

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("alpha", self.alpha, "margin: relative increase of the distance to the true class");
        visit("lambda", self.lambda, "weight of the likelihood term");
        visit("covariance", self.covariance, "covariance matrix of each class; a diagonal is learned");
        SoftmaxLikeOptions::fields(self.softmax, visit);
    }
};

/// L = mean cross-entropy of the logits -(1 + alpha 1[j = y]) d_j - 1/2 log|Lambda_j|, plus lambda * mean of (d_y + 1/2
/// log|Lambda_y|), with d_j = 1/2 (x - mu_j)^T Lambda_j^-1 (x - mu_j) (Wan et al., CVPR 2018, Eq. 13 and 18; equal
/// priors). Lambda_j is the identity or diagonal. Logits for prediction have no margin. Parameters: means [classes,
/// dim], initially Xavier-uniform as in the authors' code, and for a diagonal covariance log_variances [classes, dim],
/// initially 0.
class Lgm : public SoftmaxLike {
public:
    /// Throws Error when classes or dim is below 1, alpha or lambda is not a number of at least 0, or smoothing is
    /// outside [0, 1].
    explicit Lgm(const LgmOptions& options);
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    Tensor logits(const Tensor& feature) override;
    /// "likelihood": the largest logarithm of a class's Gaussian density, up to a constant: max over j of -d_j - 1/2
    /// log|Lambda_j|. Throws as forward() does.
    std::vector<LossScore> scores(const Tensor& feature) override;
    /// The means [classes, dim].
    Tensor prototypes() const override { return means_; }

    /// The loss's entry in the registry.
    static LossInfo info();

private:
    bool diagonal() const { return options_.covariance == LgmOptions::Covariance::diagonal; }
    Tensor distances(const Tensor& x) const;
    Tensor normalisers() const;
    Tensor negative_likelihood(const Tensor& x, const Tensor& labels, const Tensor& class_weights) const;

    LgmOptions options_;
    Tensor means_, log_variances_;
};

}  // namespace radial
