// The fused ops of losses: softmax heads over classes, and losses over the pairs of a batch.
//
// These ops have the properties of all ops (core/ops.h). losses/losses.h has the losses as modules.
#pragma once

#include "radial/core/ops.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace radial {

// ---- softmax heads ----
/// Options of all heads that end in a softmax cross-entropy.
///
/// Labels are int64 [N] with values in [0, C). On the CPU any other value throws Error at once; on a CUDA device the
/// sample's loss is NaN, its gradient is 0, and the next synchronize() throws Error. The heads accept bfloat16 features
/// with float32 weights, and then compute and return float32. They compare features x [N, D] with one vector per class
/// [C, D] by a matrix product, which is computed in blocks of classes, followed by one pass over each block. They never
/// store an [N, C, D] tensor, and they keep one [N, C] buffer or none.
struct HeadOptions {
    double smoothing = 0;  ///< part of the target that is spread evenly over all classes (Szegedy 2016), in [0, 1]
    /// Class weights [C], at least 0, in the dtype of the logits. Each sample is weighted by its class (and, with
    /// smoothing, each class in the target by its own weight), and the mean is divided by the sum of the samples'
    /// weights, as in PyTorch. If undefined, all weights are 1. Gets no gradient.
    Tensor class_weights{};
    /// Does not keep an [N, C] buffer between forward and backward. Backward then computes the products again, which
    /// adds a third to the arithmetic.
    bool recompute = false;
};

/// Mean of -log softmax(logits)[label] over the batch; logits [N, C], labels int64 [N]. Throws Error when a label is
/// out of range. Scalar.
Tensor cross_entropy(const Tensor& logits, const Tensor& labels, const HeadOptions& options = {});
/// cross_entropy() with smoothing as the only option.
inline Tensor cross_entropy(const Tensor& logits, const Tensor& labels, double smoothing) {
    return cross_entropy(logits, labels, HeadOptions{.smoothing = smoothing});
}

/// For each row of logits [N, C], -(1 - p)^gamma log p with p = softmax(logits)[label]: [N] (Lin et al. 2017, "Focal
/// Loss for Dense Object Detection", Eq. 5). p and 1 - p are computed without a subtraction, so values and gradients
/// are accurate where p is near 0 or near 1. With gamma 0, the loss is the cross-entropy. Labels are int64 [N]; see
/// HeadOptions for labels out of range. bfloat16 logits are converted to float32. Throws Error when gamma is negative
/// or not finite.
Tensor focal_cross_entropy(const Tensor& logits, const Tensor& labels, double gamma = 2);

/// Cross-entropy of the logits x W^T + b, with weight [C, D] and bias [C] or undefined. Scalar.
Tensor softmax_loss(const Tensor& feature, const Tensor& weight, const Tensor& bias, const Tensor& labels,
                    const HeadOptions& options = {});

/// Parameters of the logits s * (K_j - m * 1[j = y]) of RBF-Softmax, with the kernel K_j = exp(-|x - W_j|^2 / gamma_j).
/// Factors that are defined must be above 0 and in the dtype of the prototypes; they get gradients.
struct RbfKernel {
    double scale = 2;       ///< s
    double gamma = 1;       ///< width of the kernel, in squared distance
    double margin = 0;      ///< m, subtracted from the kernel of the true class
    Tensor scale_factor{};  ///< [1]: multiplies scale
    Tensor gamma_factor{};  ///< [1], or [C] with one per class: multiplies gamma
};
/// Statistics of rbf_softmax_loss(): scalars on the feature's device, not recorded for gradients.
struct RbfStatistics {
    Tensor mean_kernel;    ///< mean over the batch of K(x_i, W_{y_i}), in [0, 1]
    Tensor mean_distance;  ///< mean over the batch of |x_i - W_{y_i}|^2
};
/// RBF-Softmax (Zhang et al. 2020, Eq. 4): the mean cross-entropy of the logits of RbfKernel. prototypes [C, D].
/// Gradients are as in Eq. 5 and 6, with the factor -1/gamma that the paper omits. `statistics` may be null. Scalar.
Tensor rbf_softmax_loss(const Tensor& feature, const Tensor& prototypes, const Tensor& labels, const RbfKernel& kernel,
                        const HeadOptions& options = {}, RbfStatistics* statistics = nullptr);
/// The logits scale * exp(-|x - W_j|^2 / gamma), without factors or margin: [N, C]. Differentiable.
Tensor rbf_logits(const Tensor& feature, const Tensor& prototypes, double scale, double gamma);

/// Parameters of the logits -gamma * d_j * (1 + margin * 1[j = y]) + bias_j, where d_j is a squared distance.
struct DistanceLogits {
    double gamma = 1;   ///< multiplies the distances
    double margin = 0;  ///< at least 0: relative increase of the distance to the true class
    Tensor bias{};      ///< [C], or undefined; gets a gradient
};
/// Cross-entropy of the logits of DistanceLogits with d_j = |x - W_j|^2 (Yang et al. 2018, Eq. 6; Wan et al. 2018, Eq.
/// 13 and 18 with the identity as covariance). prototypes [C, D]. Scalar.
Tensor distance_softmax_loss(const Tensor& feature, const Tensor& prototypes, const Tensor& labels,
                             const DistanceLogits& kernel, const HeadOptions& options = {});
/// Cross-entropy of the logits of DistanceLogits for given squared distances d_j [N, C]. Scalar.
Tensor distance_cross_entropy(const Tensor& distances, const Tensor& labels, const DistanceLogits& kernel,
                              const HeadOptions& options = {});

/// Parameters of logits computed from cosines: s * c_j for the other classes and s * f(c_y) for the true class. With
/// multiple k = 1 (ArcFace, Deng et al. 2019; CosFace, Wang et al. 2018)
///
///     f(cos t) = cos(t + angle) - cosine, and for t + angle > pi: cos t - angle * sin(angle) - cosine
///
/// With k >= 2 (SphereFace, Liu et al. 2017), where b = blend and neither angle nor cosine may be set,
///
///     f(cos t) = (b cos t + (-1)^q cos(k t) - 2 q) / (1 + b), t in [q pi/k, (q+1) pi/k]
///
/// With `hardness` h, the logit of another class with c_j > cos(t + angle) is s * c_j (h + c_j) (CurricularFace, Huang
/// et al. 2020). Tensors are in the dtype of the weights.
struct CosineMargin {
    double scale = 64;      ///< s, above 0
    double angle = 0;       ///< added to the angle to the true class, in radians; in [0, pi)
    double cosine = 0;      ///< subtracted from the cosine to the true class
    int multiple = 1;       ///< k
    Tensor scale_factor{};  ///< [1] or [N]: multiplies scale; gets a gradient
    Tensor sample_angle{};  ///< [N]: replaces angle; gets a gradient
    Tensor blend{};         ///< [1], at least 0; undefined means 0; no gradient
    Tensor hardness{};      ///< [1]; no gradient
};
/// Cross-entropy of the logits of CosineMargin for the cosines between x and weight [C, D]. A zero row has cosine 0
/// with every row and gets no gradient. If `own` is not null, it is set to the cosines [N] to the true class, not
/// recorded for gradients. Scalar.
Tensor cosine_softmax_loss(const Tensor& feature, const Tensor& weight, const Tensor& labels,
                           const CosineMargin& margin, const HeadOptions& options = {}, Tensor* own = nullptr);
/// Cross-entropy of the logits of CosineMargin for given cosines [N, C]. Scalar.
Tensor margin_cross_entropy(const Tensor& cosines, const Tensor& labels, const CosineMargin& margin,
                            const HeadOptions& options = {});

// ---- losses over pairs of a batch ----

/// The labels of the rows and columns of a matrix of pairs.
///
/// The losses over pairs take a matrix [R, M] of the similarities or distances between R anchors and M other samples.
/// Two samples with equal labels are a positive pair, otherwise a negative pair. Labels are only compared, so they may
/// be any numbers. Each loss is a mean over terms; without terms, the loss and its gradient are 0. The results are
/// scalars.
struct PairLabels {
    Tensor rows;               ///< int64 [R]
    Tensor columns{};          ///< int64 [M]; if undefined, rows and columns are one batch: the diagonal is skipped
    std::int64_t classes = 0;  ///< if above 0, the labels of the columns (or else of the rows) must be in [0, classes)
};
/// Options of contrastive_loss().
struct ContrastivePairs {
    double positive_margin = 0;  ///< positive pairs closer than this add nothing
    double margin = 1;           ///< negative pairs further apart than this add nothing
    int power = 2;               ///< 2: squared, as published; 1: as in many implementations
    bool over_nonzero = false;   ///< take the means over the pairs whose term is not 0
};
/// Mean over positive pairs of max(0, d - positive_margin)^power plus mean over negative pairs of max(0, margin -
/// d)^power (Chopra et al. 2005; Hadsell et al. 2006, Eq. 4, with means and without its factors of 1/2).
Tensor contrastive_loss(const Tensor& distances, const PairLabels& labels, const ContrastivePairs& options = {});

/// The selection of triplets of an anchor a, a positive p and a negative n.
enum class TripletMiner : std::uint8_t {
    all,  ///< all triplets
    /// For each anchor, its furthest positive and its nearest negative (Hermans et al. 2017).
    hard,
    /// For each positive pair, the nearest negative with d(a, p) < d(a, n) < d(a, p) + margin, if any (Schroff et al.
    /// 2015).
    semi_hard,
    /// For each positive pair, a negative drawn with a probability proportional to 1 / q(d(a, n)), where q is the
    /// density of distances between random points on the unit sphere; none if no negative is closer than `furthest` (Wu
    /// et al. 2017).
    distance_weighted,
};
/// The names of the miners.
constexpr auto words_of(TripletMiner /*value*/) {
    return std::to_array<std::string_view>({"all", "hard", "semi-hard", "distance-weighted"});
}
/// Options of triplet_loss().
struct TripletTerms {
    double margin = 0.2;                     ///< margin in v = d(a, p) - d(a, n) + margin
    TripletMiner miner = TripletMiner::all;  ///< which triplets are used
    bool soft = false;                       ///< log(1 + exp(v)) instead of max(0, v)
    bool over_nonzero = true;                ///< take the mean over the triplets whose term is not 0
    // For TripletMiner::distance_weighted only:
    std::int64_t dimension = 0;  ///< dimension of the unit features, at least 2
    double cutoff = 0.5;         ///< smaller distances get the weight of this distance
    double furthest = 1.4;       ///< negatives at this distance or further are not drawn
};
/// Mean over triplets of max(0, v) with v = d(a, p) - d(a, n) + margin (Schroff et al. 2015, Eq. 3; soft: Hermans et
/// al. 2017). The distance-weighted miner draws R * M random numbers from `generator`.
Tensor triplet_loss(const Tensor& distances, const PairLabels& labels, const TripletTerms& options = {},
                    Generator& generator = default_generator());

/// The loss of an anchor is the mean over its positive pairs p of -log(exp(s_p / temperature) / sum over all other
/// samples j of exp(s_j / temperature)). The result is the mean over the anchors that have a positive pair (Khosla et
/// al. 2020, Eq. 2).
Tensor supervised_contrastive_loss(const Tensor& similarities, const PairLabels& labels, double temperature = 0.1);

/// Options of multi_similarity_loss().
struct MultiSimilarityPairs {
    double alpha = 2, beta = 50;  ///< scales for positive and negative pairs
    double base = 0.5;            ///< lambda, the similarity that pairs are compared with
    /// Use only negative pairs more similar than the least similar positive minus epsilon, and positive pairs less
    /// similar than the most similar negative plus epsilon.
    bool mining = true;
    double epsilon = 0.1;  ///< tolerance of mining
};
/// Mean over all anchors of
///
///     log(1 + sum over positive pairs of exp(-alpha (s - lambda))) / alpha
///     + log(1 + sum over negative pairs of exp(beta (s - lambda))) / beta
///
/// (Wang et al. 2019, Eq. 10, 11 and 15).
Tensor multi_similarity_loss(const Tensor& similarities, const PairLabels& labels,
                             const MultiSimilarityPairs& options = {});

/// Options of circle_loss().
struct CirclePairs {
    double margin = 0.25;  ///< m
    double gamma = 256;    ///< scale
    /// Differentiates the weights [.]+ too. The paper treats them as constants; the gradient is then not the derivative
    /// of the loss.
    bool through_weights = false;
};
/// log(1 + sum over negatives of exp(gamma [s + m]+ (s - m)) * sum over positives of exp(-gamma [1 + m - s]+ (s - 1 +
/// m))) for each anchor, averaged over the anchors that have both positive and negative pairs (Sun et al. 2020, Eq. 6
/// to 8).
Tensor circle_loss(const Tensor& similarities, const PairLabels& labels, const CirclePairs& options = {});

/// Options of proxy_anchor_loss().
struct ProxyAnchorPairs {
    double alpha = 32;   ///< scale
    double delta = 0.1;  ///< margin
};
/// Proxy-Anchor loss of similarities between proxies (rows) and samples (columns). The loss is the sum of two means:
/// over the proxies that have positive pairs, of log(1 + sum over positive pairs of exp(-alpha (s - delta))); and over
/// all proxies, of log(1 + sum over negative pairs of exp(alpha (s + delta))) (Kim et al. 2020, Eq. 4).
Tensor proxy_anchor_loss(const Tensor& similarities, const PairLabels& labels, const ProxyAnchorPairs& options = {});

/// The sum over the classes of the batch of the harmonic mean of the `largest` largest distances between two samples of
/// the class, or of all its distances if there are fewer (Zhang et al. 2017, Eq. 5). distances [N, N], labels int64
/// [N]. A class in which one of these distances is 0 adds 0 and gets no gradient. Scalar.
Tensor range_intra_loss(const Tensor& distances, const Tensor& labels, std::int64_t largest = 2);
/// max(0, margin - the smallest distance between samples of two different classes) (Zhang et al. 2017, Eq. 7, where the
/// distances are those between batch_class_means()). If several distances are smallest, the first one gets the
/// gradient. distances [N, N], labels int64 [N]. Scalar.
Tensor range_inter_loss(const Tensor& distances, const Tensor& labels, double margin);
/// For each sample, the mean of the samples of its class in the batch: [N, D]. x [N, D], labels int64 [N].
Tensor batch_class_means(const Tensor& x, const Tensor& labels);
/// Updates the running means of the classes in a batch, in place. The mean of class c moves towards the batch's mean of
/// the class by the fraction `momentum`; if seen[c] is 0, seen[c] is set to 1 and the running mean to the batch's mean.
/// means [C, D] and seen [C], in x's dtype; x [N, D], labels int64 [N]. Labels outside [0, C) are ignored. Not recorded
/// for gradients.
void update_class_means(const Tensor& means, const Tensor& seen, const Tensor& x, const Tensor& labels,
                        double momentum);

}  // namespace radial
