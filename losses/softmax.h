// Losses that are a softmax over classes: their base class, with label smoothing, class weights and recomputation;
// class-weighted means; and the losses over linear logits.
#pragma once

#include "radial/core/ops.h"
#include "radial/losses/functional.h"
#include "radial/losses/loss.h"

#include <vector>

namespace radial {

/// The mean of `each` [N] over the batch, with each sample weighted by the entry for its class in `class_weights` [C],
/// or unweighted if `class_weights` is undefined. Scalar; 0 if all weights are 0.
Tensor class_weighted_mean(const Tensor& each, const Tensor& labels, const Tensor& class_weights);

/// The mean of -sum_j t_j (z_j - normaliser) over the batch for logits z [N, C], where the target t and the weights are
/// as described in HeadOptions. This is cross_entropy() with a given normaliser [N], the logarithm of the softmax
/// denominator. Scalar.
Tensor normalised_cross_entropy(const Tensor& logits, const Tensor& normaliser, const Tensor& labels,
                                const HeadOptions& options);

/// Options of every softmax over classes. Each loss includes them in its own options.
struct SoftmaxLikeOptions {
    double smoothing = 0;    ///< label smoothing, in [0, 1]: see HeadOptions
    bool recompute = false;  ///< keep no [N, C] buffer: see HeadOptions

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("smoothing", self.smoothing, "label smoothing, in [0, 1]");
        visit("recompute", self.recompute, "keep no [N, C] buffer for backward, to save memory");
    }
};

/// Base of the losses that are a softmax cross-entropy over classes.
class SoftmaxLike : public Loss {
public:
    void set_class_weights(const std::vector<double>& weights) override {
        class_weights_.set(name_, classes_, weights);
    }
    bool has_class_weights() const override { return true; }
    Tensor batch_weight(const Tensor& labels) override { return class_weights_.sum_over(labels); }
    /// True, unless a derived loss updates state from the batches in training.
    bool additive() const override { return true; }

protected:
    /// Throws Error, naming `loss`, when classes or dim is below 1 or smoothing is outside [0, 1].
    SoftmaxLike(std::string_view loss, std::int64_t classes, std::int64_t dim, const SoftmaxLikeOptions& options);
    /// The options for the ops, with class weights on the device and in the dtype of `like`.
    HeadOptions head(const Tensor& like);

private:
    std::string name_;
    std::int64_t classes_;
    SoftmaxLikeOptions options_;
    ClassWeights class_weights_;
};

/// Options of Softmax.
struct SoftmaxOptions {
    std::int64_t classes = 10;     ///< number of classes
    std::int64_t dim = 32;         ///< feature dimension
    bool bias = true;              ///< add a bias per class
    SoftmaxLikeOptions softmax{};  ///< label smoothing and recomputation

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("bias", self.bias, "add a bias per class");
        SoftmaxLikeOptions::fields(self.softmax, visit);
    }
};

/// L = mean of -log softmax(W x + b)[y] (Zhang et al., ECCV 2020, Eq. 1). Parameters: weight [classes, dim], bias
/// [classes], initially uniform in +-1 / sqrt(dim), as in a Linear layer.
class Softmax : public SoftmaxLike {
public:
    /// Throws Error when classes or dim is below 1, or smoothing is outside [0, 1].
    explicit Softmax(const SoftmaxOptions& options);
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    Tensor logits(const Tensor& feature) override;
    /// The weight vectors of the classes, [classes, dim].
    Tensor prototypes() const override { return weight_; }

    /// The loss's entry in the registry.
    static LossInfo info();

private:
    Tensor weight_, bias_;
};

/// Options of GSoftmax.
struct GSoftmaxOptions {
    std::int64_t classes = 10;     ///< number of classes
    std::int64_t dim = 32;         ///< feature dimension
    double alpha = 1.0;            ///< weight of the distribution function
    SoftmaxLikeOptions softmax{};  ///< label smoothing and recomputation

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("alpha", self.alpha, "weight of the term with the distribution function");
        SoftmaxLikeOptions::fields(self.softmax, visit);
    }
};

/// L = mean of -log softmax_j(z_j + alpha Phi((z_j - mu_j) / sigma_j))[y] with z = W x + b (Luo et al., TNNLS 2019),
/// where Phi is the distribution function of the standard normal distribution. Parameters: weight [classes, dim] and
/// bias [classes], initialised as in a Linear layer; mean [classes], which is mu, and log_sigma [classes], initially
/// those of the standard normal distribution as in the authors' code.
class GSoftmax : public SoftmaxLike {
public:
    /// Throws Error when classes or dim is below 1, alpha is not a number of at least 0, or smoothing is outside [0,
    /// 1].
    explicit GSoftmax(const GSoftmaxOptions& options);
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    Tensor logits(const Tensor& feature) override;
    /// The weight vectors of the classes, [classes, dim].
    Tensor prototypes() const override { return weight_; }

    /// The loss's entry in the registry.
    static LossInfo info();

private:
    GSoftmaxOptions options_;
    Tensor weight_, bias_, mean_, log_sigma_;
};

}  // namespace radial
