// Losses over the pairs of a batch, and the running class means that they use for prediction.
#pragma once

#include "radial/core/nn/module.h"
#include "radial/core/ops.h"
#include "radial/losses/functional.h"
#include "radial/losses/loss.h"

#include <memory>
#include <string>
#include <string_view>

namespace radial {

/// Running means, one per class. The mean of a class starts as the mean of its samples in the first batch that contains
/// any. In each later batch with samples of the class, it moves towards their mean by the fraction `momentum`. Results
/// are the same on every device. Buffers: mean [classes, dim], and seen [classes], which is 1 for a class that has had
/// a sample and 0 otherwise.
class ClassMeans : public Module {
public:
    /// Throws Error, naming `loss`, when classes or dim is below 1, or momentum outside (0, 1].
    ClassMeans(std::string_view loss, std::int64_t classes, std::int64_t dim, double momentum);
    /// Updates the means with a batch: x [N, dim], labels int64 [N]. The update is not recorded for gradients and does
    /// not wait for a device.
    void update(const Tensor& x, const Tensor& labels) const;
    /// Returns the negative squared distances of x [N, dim] to the means, or the cosines if `by_cosine`: [N, classes].
    /// The logit of a class that has had no samples is `unseen_logit`.
    Tensor logits(const Tensor& x, bool by_cosine) const;
    /// The means [classes, dim].
    const Tensor& mean() const { return mean_; }

    static constexpr double unseen_logit = -1e30;  ///< smaller than any other logit, and finite in float32

private:
    double momentum_;
    Tensor mean_, seen_;
};

/// Base of losses that compare the samples of a batch with each other. They have no class vectors: prototypes() are the
/// running means of the features of each class (see ClassMeans), and logits() are the negative squared distances to
/// them or, for unit features, the cosines. Buffers: means.mean [classes, dim], means.seen [classes].
class PairLoss : public Loss {
public:
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    Tensor logits(const Tensor& feature) override;
    /// "distance": the negative squared distance to the nearest mean. None for unit features, whose logits are cosines.
    std::vector<LossScore> scores(const Tensor& feature) override;
    Tensor prototypes() const override { return means_->mean(); }

    /// Default of the option `momentum` of these losses.
    static constexpr double default_momentum = 0.1;

protected:
    /// `unit` scales features to length 1. Throws as ClassMeans does.
    PairLoss(std::string_view loss, std::int64_t classes, std::int64_t dim, bool unit, double momentum);
    /// Computes the loss of a batch x [N, dim], whose rows have length 1 if `unit` was set.
    virtual Tensor batch_loss(const Tensor& x, const PairLabels& labels) = 0;

private:
    Tensor prepared(const Tensor& feature) const;

    std::string name_;
    std::int64_t classes_;
    bool unit_;
    std::shared_ptr<ClassMeans> means_;
};

/// Options of Contrastive.
struct ContrastiveOptions {
    std::int64_t classes = 10;                     ///< number of classes
    std::int64_t dim = 32;                         ///< feature dimension
    ContrastivePairs pairs{};                      ///< margins, power, and which pairs the means are over
    bool normalise = false;                        ///< scale features to length 1 first
    double momentum = PairLoss::default_momentum;  ///< momentum of the running class means used for prediction

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("margin", self.pairs.margin, "distance above which pairs of two classes add nothing");
        visit("positive_margin", self.pairs.positive_margin, "distance below which pairs of one class add nothing");
        visit("power", self.pairs.power, "exponent of the terms, 1 or 2");
        visit("over_nonzero", self.pairs.over_nonzero, "take the means over the pairs whose term is not 0");
        visit("normalise", self.normalise, "scale features to length 1 first");
        visit("momentum", self.momentum, "of the running class means used for prediction, in (0, 1]");
    }
};

/// L = mean over positive pairs of max(0, d - positive_margin)^power + mean over negative pairs of max(0, margin -
/// d)^power, where d is the Euclidean distance (Chopra, Hadsell, LeCun, CVPR 2005; Hadsell et al., CVPR 2006).
class Contrastive : public PairLoss {
public:
    /// Throws Error when classes or dim is below 1, momentum is outside (0, 1], a margin is below 0, or power is
    /// neither 1 nor 2.
    explicit Contrastive(const ContrastiveOptions& options);

    /// The loss's entry in the registry.
    static LossInfo info();

protected:
    Tensor batch_loss(const Tensor& x, const PairLabels& labels) override;

private:
    ContrastiveOptions options_;
};

/// Options of Triplet.
struct TripletOptions {
    std::int64_t classes = 10;  ///< number of classes
    std::int64_t dim = 32;      ///< feature dimension
    TripletTerms triplets{};    ///< margin, miner and its options; `dimension` is set to dim
    bool normalise = true;      ///< scale features to length 1 first; required by the distance-weighted miner
    double momentum = PairLoss::default_momentum;  ///< momentum of the running class means used for prediction

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("margin", self.triplets.margin, "margin in v = d(a, p) - d(a, n) + margin");
        visit("miner", self.triplets.miner, "which triplets are used");
        visit("soft", self.triplets.soft, "log(1 + exp(v)) instead of max(0, v)");
        visit("over_nonzero", self.triplets.over_nonzero, "take the mean over the triplets whose term is not 0");
        visit("cutoff", self.triplets.cutoff, "distance-weighted: smaller distances get the weight of this one");
        visit("furthest", self.triplets.furthest,
              "distance-weighted: negatives at this distance or further are not drawn");
        visit("normalise", self.normalise, "scale features to length 1 first");
        visit("momentum", self.momentum, "of the running class means used for prediction, in (0, 1]");
    }
};

/// L = mean over triplets of max(0, d(a, p) - d(a, n) + margin), where d is the Euclidean distance (Schroff,
/// Kalenichenko, Philbin, CVPR 2015; Hermans, Beyer, Leibe 2017; Wu et al., ICCV 2017). TripletMiner selects the
/// triplets.
class Triplet : public PairLoss {
public:
    /// Throws Error when classes or dim is below 1, momentum is outside (0, 1], margin is below 0, or the
    /// distance-weighted miner is used with a cutoff or furthest that is not above 0, without `normalise`, or with a
    /// dim below 2.
    explicit Triplet(const TripletOptions& options);

    /// The loss's entry in the registry.
    static LossInfo info();

protected:
    Tensor batch_loss(const Tensor& x, const PairLabels& labels) override;

private:
    TripletOptions options_;
};

/// Options of SupervisedContrastive.
struct SupervisedContrastiveOptions {
    std::int64_t classes = 10;                     ///< number of classes
    std::int64_t dim = 32;                         ///< feature dimension
    double temperature = 0.1;                      ///< divisor of the cosines
    double momentum = PairLoss::default_momentum;  ///< momentum of the running class means used for prediction

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("temperature", self.temperature, "divisor of the cosines");
        visit("momentum", self.momentum, "of the running class means used for prediction, in (0, 1]");
    }
};

/// For each anchor a: the mean over its positives p of -log(exp(cos(a, p) / temperature) / sum over all other samples j
/// of exp(cos(a, j) / temperature)). L is the mean over the anchors that have a positive (Khosla et al., NeurIPS 2020,
/// Eq. 2: L_out).
class SupervisedContrastive : public PairLoss {
public:
    /// Throws Error when classes or dim is below 1, momentum is outside (0, 1], or temperature is not
    /// above 0.
    explicit SupervisedContrastive(const SupervisedContrastiveOptions& options);

    /// The loss's entry in the registry.
    static LossInfo info();

protected:
    Tensor batch_loss(const Tensor& x, const PairLabels& labels) override;

private:
    double temperature_;
};

/// Options of MultiSimilarity.
struct MultiSimilarityOptions {
    std::int64_t classes = 10;                     ///< number of classes
    std::int64_t dim = 32;                         ///< feature dimension
    MultiSimilarityPairs pairs{};                  ///< alpha, beta, base, mining
    double momentum = PairLoss::default_momentum;  ///< momentum of the running class means used for prediction

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("alpha", self.pairs.alpha, "scale for positive pairs");
        visit("beta", self.pairs.beta, "scale for negative pairs");
        visit("base", self.pairs.base, "similarity that pairs are compared with");
        visit("mining", self.pairs.mining, "use only hard pairs");
        visit("epsilon", self.pairs.epsilon, "tolerance of mining");
        visit("momentum", self.momentum, "of the running class means used for prediction, in (0, 1]");
    }
};

/// L = mean over anchors of
///
///     log(1 + sum over positives of exp(-alpha (cos - base))) / alpha
///     + log(1 + sum over negatives of exp(beta (cos - base))) / beta
///
/// (Wang et al., CVPR 2019, Eq. 15).
class MultiSimilarity : public PairLoss {
public:
    /// Throws Error when classes or dim is below 1, momentum is outside (0, 1], or alpha or beta is
    /// not above 0.
    explicit MultiSimilarity(const MultiSimilarityOptions& options);

    /// The loss's entry in the registry.
    static LossInfo info();

protected:
    Tensor batch_loss(const Tensor& x, const PairLabels& labels) override;

private:
    MultiSimilarityPairs pairs_;
};

/// Options of Circle.
struct CircleOptions {
    std::int64_t classes = 10;                     ///< number of classes
    std::int64_t dim = 32;                         ///< feature dimension
    CirclePairs pairs{};                           ///< margin, gamma, gradient through the weights
    double momentum = PairLoss::default_momentum;  ///< momentum of the running class means used for prediction

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("margin", self.pairs.margin, "relaxation of the decision boundary");
        visit("gamma", self.pairs.gamma, "scale");
        visit("through_weights", self.pairs.through_weights, "differentiate the weights of the pairs too");
        visit("momentum", self.momentum, "of the running class means used for prediction, in (0, 1]");
    }
};

/// L = mean of log(1 + sum over negatives of exp(gamma [cos + m]+ (cos - m)) * sum over positives of exp(-gamma [1 + m
/// - cos]+ (cos - 1 + m))) over the anchors that have both positive and negative pairs (Sun et al., CVPR 2020, Eq. 6).
/// The gradient treats the weights [.]+ as constants, as published, unless pairs.through_weights is set.
class Circle : public PairLoss {
public:
    /// Throws Error when classes or dim is below 1, momentum is outside (0, 1], gamma is not above 0, or
    /// margin is not finite.
    explicit Circle(const CircleOptions& options);

    /// The loss's entry in the registry.
    static LossInfo info();

protected:
    Tensor batch_loss(const Tensor& x, const PairLabels& labels) override;

private:
    CirclePairs pairs_;
};

}  // namespace radial
