// The fused ops that losses are made of: softmax heads over classes, and rules over the pairs of a batch.
//
// What holds for every op (core/ops.h) holds for these. Losses as modules are in losses/losses.h.
#pragma once

#include "radial/core/ops.h"

#include <cstdint>

namespace radial {

// ---- softmax heads ----
//
// Labels are int64 [N] with values in [0, C). On the CPU another value is an Error at once; on a CUDA device that
// sample's loss is NaN, its gradient 0, and the Error comes from the next synchronize(). The heads take bfloat16
// features beside float32 weights, and then compute and return float32.
/// What every head that ends in a softmax cross-entropy takes besides its inputs.
struct HeadOptions {
    double smoothing = 0;  ///< that much of the target is spread evenly over all classes (Szegedy 2016); in [0, 1]
    /// [C], at least 0, in the logits' dtype: a sample counts as much as its class (and, with smoothing, a class in the
    /// target), and the mean is over the samples' weights, as in PyTorch. Undefined: all alike. Gets no gradient.
    Tensor class_weights{};
    /// Keep no [N, C] buffer from forward to backward, which then forms the products again: a third more arithmetic.
    bool recompute = false;
};

/// Mean of -log softmax(logits)[label] over the batch; logits [N, C]. Throws Error when a label is out of range.
/// Scalar.
Tensor cross_entropy(const Tensor& logits, const Tensor& labels, const HeadOptions& options = {});
/// The same with no other option than smoothing.
inline Tensor cross_entropy(const Tensor& logits, const Tensor& labels, double smoothing) {
    return cross_entropy(logits, labels, HeadOptions{.smoothing = smoothing});
}

// The heads below compare feature x [N, D] with one vector a class [C, D]: by one product, formed in blocks of classes,
// and one pass over each block. They never hold an [N, C, D] tensor, and keep one [N, C] buffer, or none.

/// Cross-entropy of x W^T + b in one op: weight [C, D], bias [C] or undefined. Scalar.
Tensor softmax_loss(const Tensor& feature, const Tensor& weight, const Tensor& bias, const Tensor& labels,
                    const HeadOptions& options = {});

/// The kernel of RBF-Softmax: logits s * (K_j - m * 1[j = y]) with K_j = exp(-|x - W_j|^2 / gamma_j). The factors,
/// where defined, are above 0, in the prototypes' dtype, and get gradients.
struct RbfKernel {
    double scale = 2;       ///< s
    double gamma = 1;       ///< width of the kernel, in squared distance
    double margin = 0;      ///< m: taken from the own class's kernel
    Tensor scale_factor{};  ///< [1]: multiplies scale
    Tensor gamma_factor{};  ///< [1], or [C] with one for each class: multiplies gamma
};
/// What rbf_softmax_loss measured besides its value: scalars on the feature's device, without history.
struct RbfStatistics {
    Tensor mean_kernel;    ///< mean over the batch of K(x_i, W_{y_i}), in [0, 1]
    Tensor mean_distance;  ///< mean over the batch of |x_i - W_{y_i}|^2
};
/// RBF-Softmax (Zhang et al. 2020, Eq. 4): mean cross-entropy of the kernel's logits. prototypes [C, D]. Gradients as
/// Eq. 5 and 6 with the factor -1/gamma that the paper leaves out. `statistics` may be null. Scalar.
Tensor rbf_softmax_loss(const Tensor& feature, const Tensor& prototypes, const Tensor& labels, const RbfKernel& kernel,
                        const HeadOptions& options = {}, RbfStatistics* statistics = nullptr);
/// The logits s * exp(-|x - W_j|^2 / gamma), without factors or margin: [N, C]. Differentiable.
Tensor rbf_logits(const Tensor& feature, const Tensor& prototypes, double scale, double gamma);

/// Logits -gamma * d_j * (1 + margin * 1[j = y]) + bias_j, where d_j is a squared distance.
struct DistanceLogits {
    double gamma = 1;
    double margin = 0;  ///< at least 0: how much further than it is the own class counts as
    Tensor bias{};      ///< [C], or undefined; gets a gradient
};
/// Cross-entropy of logits from d_j = |x - W_j|^2 (Yang et al. 2018, Eq. 6; Wan et al. 2018, Eq. 13 and 18 with the
/// identity as covariance). prototypes [C, D]. Scalar.
Tensor distance_softmax_loss(const Tensor& feature, const Tensor& prototypes, const Tensor& labels,
                             const DistanceLogits& kernel, const HeadOptions& options = {});
/// The same from given distances [N, C].
Tensor distance_cross_entropy(const Tensor& distances, const Tensor& labels, const DistanceLogits& kernel,
                              const HeadOptions& options = {});

/// Logits from cosines: s * c_j for the other classes and s * f(c_y) for the own one,
///   f(cos t) = (cos(t + angle) - cosine), and past t + angle = pi: (cos t - angle * sin(angle) - cosine)   (ArcFace,
///              CosFace; Deng et al. 2019, Wang et al. 2018)
///   or, for multiple k >= 2, (b cos t + (-1)^q cos(k t) - 2 q) / (1 + b), t in [q pi/k, (q+1) pi/k]    (SphereFace,
///              Liu et al. 2017), with b = blend, and then no angle or cosine.
/// With `hardness` h, the logit of another class with c_j > cos(t + angle) is s * c_j (h + c_j) (CurricularFace, Huang
/// et al. 2020). Tensors are in the weights' dtype.
struct CosineMargin {
    double scale = 64;      ///< s, above 0
    double angle = 0;       ///< in radians, in [0, pi)
    double cosine = 0;      ///< taken from the own class's cosine
    int multiple = 1;       ///< k
    Tensor scale_factor{};  ///< [1] or [N]: multiplies scale; gets a gradient
    Tensor sample_angle{};  ///< [N]: in the place of angle; gets a gradient
    Tensor blend{};         ///< [1], at least 0, undefined for 0; no gradient
    Tensor hardness{};      ///< [1]; no gradient
};
/// Cross-entropy of logits from the cosines between x and weight [C, D]. A zero row has cosine 0 with everything and
/// gets no gradient. `own`, where not null, is set to the cosines [N] to the own class, without history. Scalar.
Tensor cosine_softmax_loss(const Tensor& feature, const Tensor& weight, const Tensor& labels,
                           const CosineMargin& margin, const HeadOptions& options = {}, Tensor* own = nullptr);
/// The same from given cosines [N, C].
Tensor margin_cross_entropy(const Tensor& cosines, const Tensor& labels, const CosineMargin& margin,
                            const HeadOptions& options = {});

// ---- losses over pairs of a batch ----
//
// `matrix` [R, M] holds the similarity, or the distance, of each of R anchors to each of M others. Two of equal labels
// are a positive pair, two of different ones a negative pair; labels are only compared, so any number will do. Each
// loss is a mean over terms, and 0, with a gradient of 0, where there are none. Scalars.

/// The labels of the rows and the columns of a matrix of pairs.
struct PairLabels {
    Tensor rows;       ///< int64 [R]
    Tensor columns{};  ///< int64 [M]; undefined where rows and columns are one batch: then the diagonal is no pair
    std::int64_t classes = 0;  ///< where above 0: the samples' labels (columns, or rows) are to lie in [0, classes)
};
struct ContrastivePairs {
    double positive_margin = 0;  ///< positive pairs nearer than this are near enough
    double margin = 1;           ///< negative pairs further than this are far enough
    int power = 2;               ///< 2: squared, as published; 1: as many programs have it
    bool over_nonzero = false;   ///< the means are over the pairs whose term is not 0
};
/// Mean over positive pairs of max(0, d - positive_margin)^power plus mean over negative pairs of
/// max(0, margin - d)^power (Chopra et al. 2005; Hadsell et al. 2006, Eq. 4, with means and without its factors of
/// 1/2).
Tensor contrastive_loss(const Tensor& distances, const PairLabels& labels, const ContrastivePairs& options = {});

/// Which triplets of an anchor a, a positive p and a negative n count.
enum class TripletMiner : std::uint8_t {
    all,
    /// For each anchor its furthest positive and its nearest negative (Hermans et al. 2017).
    hard,
    /// For each positive pair the nearest negative with d(a, p) < d(a, n) < d(a, p) + margin; none where there is no
    /// such negative (Schroff et al. 2015).
    semi_hard,
    /// For each positive pair a negative drawn with a probability in proportion to 1 / q(d(a, n)), q being the density
    /// of distances between random points on the unit sphere; none where no negative is nearer than `furthest` (Wu et
    /// al. 2017).
    distance_weighted,
};
struct TripletTerms {
    double margin = 0.2;
    TripletMiner miner = TripletMiner::all;
    bool soft = false;         ///< log(1 + exp(v)) in the place of max(0, v)
    bool over_nonzero = true;  ///< the mean is over the triplets whose term is not 0
    // Of the distance-weighted miner.
    std::int64_t dimension = 0;  ///< of the unit features, at least 2
    double cutoff = 0.5;         ///< smaller distances have its weight
    double furthest = 1.4;       ///< negatives as far as this are not drawn
};
/// Mean over triplets of max(0, v), v = d(a, p) - d(a, n) + margin (Schroff et al. 2015, Eq. 3; soft: Hermans et al.
/// 2017). The distance-weighted miner takes R * M numbers from `generator`.
Tensor triplet_loss(const Tensor& distances, const PairLabels& labels, const TripletTerms& options = {},
                    Generator& generator = default_generator());

/// Mean over the anchors that have a positive pair of the mean over those pairs p of
/// -log(exp(s_p / temperature) / sum over all others j of exp(s_j / temperature)) (Khosla et al. 2020, Eq. 2).
Tensor supervised_contrastive_loss(const Tensor& similarities, const PairLabels& labels, double temperature = 0.1);

struct MultiSimilarityPairs {
    double alpha = 2, beta = 50;
    double base = 0.5;  ///< lambda
    /// Only negative pairs more similar than the least similar positive less epsilon count, and positive pairs less
    /// similar than the most similar negative plus epsilon.
    bool mining = true;
    double epsilon = 0.1;
};
/// Mean over all anchors of log(1 + sum over positive pairs of exp(-alpha (s - lambda))) / alpha
/// + log(1 + sum over negative pairs of exp(beta (s - lambda))) / beta (Wang et al. 2019, Eq. 10, 11 and 15).
Tensor multi_similarity_loss(const Tensor& similarities, const PairLabels& labels,
                             const MultiSimilarityPairs& options = {});

struct CirclePairs {
    double margin = 0.25;
    double gamma = 256;
    /// The weights are functions of the similarities to the gradient too. As published they are constants to it, and
    /// it is then not the derivative of the loss.
    bool through_weights = false;
};
/// Mean over the anchors with both kinds of pairs of log(1 + sum over negatives of exp(gamma [s + m]+ (s - m)) * sum
/// over positives of exp(-gamma [1 + m - s]+ (s - 1 + m))) (Sun et al. 2020, Eq. 6 to 8).
Tensor circle_loss(const Tensor& similarities, const PairLabels& labels, const CirclePairs& options = {});

struct ProxyAnchorPairs {
    double alpha = 32;
    double delta = 0.1;
};
/// Rows are proxies, columns samples. Mean over the proxies with positive pairs of
/// log(1 + sum over these of exp(-alpha (s - delta))) plus mean over all proxies of
/// log(1 + sum over negative pairs of exp(alpha (s + delta))) (Kim et al. 2020, Eq. 4).
Tensor proxy_anchor_loss(const Tensor& similarities, const PairLabels& labels, const ProxyAnchorPairs& options = {});

/// Sum over the classes of a batch of the harmonic mean of their `largest` largest distances between two samples, or of
/// all where they have fewer (Zhang et al. 2017, Eq. 5). distances [N, N], labels int64 [N]. 0, without a gradient, for
/// a class of which one of those distances is 0. Scalar.
Tensor range_intra_loss(const Tensor& distances, const Tensor& labels, std::int64_t largest = 2);
/// max(0, margin - the smallest distance between samples of two classes) (Zhang et al. 2017, Eq. 7, where distances are
/// those of batch_class_means). The gradient goes to the first of equals. distances [N, N], labels int64 [N]. Scalar.
Tensor range_inter_loss(const Tensor& distances, const Tensor& labels, double margin);
/// For each sample the mean of the samples of its class in the batch: x [N, D], labels int64 [N]: [N, D].
Tensor batch_class_means(const Tensor& x, const Tensor& labels);
/// Moves, in place, the running mean of each class of the batch towards the batch's mean of it: by `momentum` of the
/// way, or all of it where seen[c] is 0, which becomes 1. means [C, D], seen [C], in x's dtype; x [N, D], labels int64
/// [N]. Labels outside [0, C) are passed over. Not recorded.
void update_class_means(const Tensor& means, const Tensor& seen, const Tensor& x, const Tensor& labels,
                        double momentum);

}  // namespace radial
