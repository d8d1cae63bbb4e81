// Softmax over the cosines between a feature and class vectors, most of them with a margin on the true class.
#pragma once

#include "radial/losses/softmax.h"

#include <string>
#include <string_view>

namespace radial {

/// Options of CosSoftmax.
struct CosSoftmaxOptions {
    std::int64_t classes = 10;     ///< number of classes
    std::int64_t dim = 32;         ///< feature dimension
    double scale = 0;              ///< multiplies the cosines; 0: derived from epsilon
    double epsilon = 1e-4;         ///< the derived scale allows the loss to reach this value
    SoftmaxLikeOptions softmax{};  ///< label smoothing and recomputation

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("scale", self.scale, "multiplies the cosines; 0 derives it from epsilon");
        visit("epsilon", self.epsilon, "bound that the loss should be able to reach");
        SoftmaxLikeOptions::fields(self.softmax, visit);
    }
};

/// L = mean of -log softmax_j(scale * cos(x, W_j))[y] (Liu, Li, Wang: COCO, arXiv 1710.00870). If the scale is derived
/// from epsilon, it is 1/2 log((classes - 1) / epsilon) + 3, as in the paper. Parameter: weight [classes, dim],
/// initially Xavier-uniform.
class CosSoftmax : public SoftmaxLike {
public:
    /// Throws Error when classes or dim is below 1, scale, epsilon or smoothing is invalid, or the scale is derived
    /// with fewer than 2 classes.
    explicit CosSoftmax(const CosSoftmaxOptions& options);
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    Tensor logits(const Tensor& feature) override;
    /// The weight vectors of the classes, [classes, dim].
    Tensor prototypes() const override { return weight_; }
    /// The factor that multiplies the cosines.
    double scale() const { return scale_; }

    /// The loss's entry in the registry.
    static LossInfo info();

private:
    double scale_;
    Tensor weight_;
};

/// Base of the cosine losses, which have one weight vector per class, or several. Only the directions of the vectors
/// matter. Parameter: weight [classes * vectors, dim], initially Xavier-uniform.
class CosineHead : public SoftmaxLike {
public:
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    /// The cosines times the scale, without a margin: [N, classes].
    Tensor logits(const Tensor& feature) override;
    Tensor prototypes() const override { return weight_; }

protected:
    /// `vectors` is the number of weight vectors per class. Throws Error when classes, dim or vectors is below 1, or
    /// when scale is not above 0.
    CosineHead(std::string_view loss, std::int64_t classes, std::int64_t dim, double scale,
               const SoftmaxLikeOptions& options, std::int64_t vectors = 1);
    /// Computes the loss for features [N, dim], in the dtype of the weight, and labels. Both have already been checked.
    virtual Tensor margin_loss(const Tensor& feature, const Tensor& labels) = 0;
    /// A factor that multiplies the cosines in addition to scale(): [1], or undefined.
    virtual Tensor scale_factor() const { return {}; }

    /// The factor that multiplies the cosines.
    double scale() const { return scale_; }
    /// The weight vectors [vectors * classes, dim].
    const Tensor& weight() const { return weight_; }
    /// The cosines [N, vectors * classes] between features and weight vectors.
    Tensor all_cosines(const Tensor& feature) const;
    /// The cosine between each feature and the weight vector of its class, not recorded for gradients: [N]. Only for
    /// losses with one weight vector per class.
    Tensor own_cosines(const Tensor& feature, const Tensor& labels) const;

private:
    std::string name_;
    double scale_;
    Tensor weight_;
};

/// Options of NormFace.
struct NormFaceOptions {
    std::int64_t classes = 10;     ///< number of classes
    std::int64_t dim = 32;         ///< feature dimension
    double scale = 16.0;           ///< s; the initial value if it is learned
    bool learn_scale = true;       ///< learn s, as in the paper
    SoftmaxLikeOptions softmax{};  ///< label smoothing and recomputation

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("scale", self.scale, "multiplies the cosines; the initial value if it is learned");
        visit("learn_scale", self.learn_scale, "learn the scale, as in the paper");
        SoftmaxLikeOptions::fields(self.softmax, visit);
    }
};

/// L = mean of -log softmax_j(s * cos(x, W_j))[y], with a learned s (Wang et al.: NormFace, ACM MM 2017, Eq. 6). The
/// paper gives no initial value of s. Parameters: weight [classes, dim] and, if s is learned, log_scale [1], the
/// logarithm of the factor that multiplies `scale`.
class NormFace : public CosineHead {
public:
    /// Throws Error when an option is out of range.
    explicit NormFace(const NormFaceOptions& options);

    /// The loss's entry in the registry.
    static LossInfo info();

protected:
    Tensor margin_loss(const Tensor& feature, const Tensor& labels) override;
    Tensor scale_factor() const override;

private:
    Tensor log_scale_;
};

/// Options of AdaCos.
struct AdaCosOptions {
    std::int64_t classes = 10;     ///< number of classes, at least 3
    std::int64_t dim = 32;         ///< feature dimension
    bool dynamic = true;           ///< false: the fixed scale sqrt 2 * log(C - 1) of Eq. 12
    SoftmaxLikeOptions softmax{};  ///< label smoothing and recomputation

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("dynamic", self.dynamic, "adapt the scale to the batches; false: the fixed scale of Eq. 12");
        SoftmaxLikeOptions::fields(self.softmax, visit);
    }
};

/// Softmax over s * cos(x, W_j) (Zhang et al.: AdaCos, CVPR 2019). Each forward() in training first updates the scale,
/// starting from s = sqrt 2 * log(C - 1):
///
///     s = log(B) / cos(min(pi / 4, median of the angles to the true classes)),
///     B = mean over i of sum over j != y of exp(s_before * cos(x_i, W_j))      (Eq. 14 and 15)
///
/// For an even number of angles, the median is the smaller of the two in the middle. The update computes all cosines
/// [N, classes] in addition to the loss. Parameter: weight [classes, dim]; buffer: s [1].
class AdaCos : public CosineHead {
public:
    /// Throws Error when an option is out of range.
    explicit AdaCos(const AdaCosOptions& options);

    /// True if the scale is fixed.
    bool additive() const override { return !dynamic_; }

    /// The loss's entry in the registry.
    static LossInfo info();

protected:
    Tensor margin_loss(const Tensor& feature, const Tensor& labels) override;
    Tensor scale_factor() const override { return s_; }

private:
    void adapt(const Tensor& feature, const Tensor& labels);

    bool dynamic_;
    Tensor s_;
};

/// Options of CosFace.
struct CosFaceOptions {
    std::int64_t classes = 10;     ///< number of classes
    std::int64_t dim = 32;         ///< feature dimension
    double scale = 64.0;           ///< s, multiplies the cosines
    double margin = 0.35;          ///< m, subtracted from the cosine to the true class; in [0, 2]
    SoftmaxLikeOptions softmax{};  ///< label smoothing and recomputation

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("scale", self.scale, "multiplies the cosines");
        visit("margin", self.margin, "subtracted from the cosine to the true class; in [0, 2]");
        SoftmaxLikeOptions::fields(self.softmax, visit);
    }
};

/// L = mean of -log softmax_j(s * (cos(x, W_j) - m * 1[j = y]))[y] (Wang et al.: CosFace, CVPR 2018, Eq. 4; Wang et
/// al.: Additive Margin Softmax, 2018, Eq. 6). Parameter: weight [classes, dim].
class CosFace : public CosineHead {
public:
    /// Throws Error when an option is out of range.
    explicit CosFace(const CosFaceOptions& options);

    /// The loss's entry in the registry.
    static LossInfo info();

protected:
    Tensor margin_loss(const Tensor& feature, const Tensor& labels) override;

private:
    double margin_;
};

/// Options of SphereFace.
struct SphereFaceOptions {
    std::int64_t classes = 10;  ///< number of classes
    std::int64_t dim = 32;      ///< feature dimension
    std::int64_t multiple = 4;  ///< m, at least 1
    // lambda = max(lambda_min, lambda_base / (1 + lambda_decay * forwards)), as in the authors' code
    double lambda_base = 1000.0;   ///< initial lambda
    double lambda_decay = 0.12;    ///< decay of lambda
    double lambda_min = 5.0;       ///< smallest lambda
    SoftmaxLikeOptions softmax{};  ///< label smoothing and recomputation

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("multiple", self.multiple, "multiplies the angle to the true class; at least 1");
        visit("lambda_base", self.lambda_base, "initial weight of the plain cosine");
        visit("lambda_decay", self.lambda_decay, "decay of that weight per step");
        visit("lambda_min", self.lambda_min, "smallest weight of the plain cosine");
        SoftmaxLikeOptions::fields(self.softmax, visit);
    }
};

/// L = mean of -log softmax_j(|x| * f_j)[y], where f_j = cos t_j for the other classes and
///
///     f_y = (lambda cos t + psi(t)) / (1 + lambda), psi(t) = (-1)^k cos(m t) - 2 k, t in [k pi / m, (k + 1) pi / m]
///
/// for the true class (Liu et al.: SphereFace, CVPR 2017, Eq. 7; the blend with lambda as in their code and in Liu et
/// al. 2016). lambda = max(lambda_min, lambda_base / (1 + lambda_decay * forwards)). Parameter: weight [classes, dim];
/// buffer: forwards [1], the number of forward() calls in training so far.
class SphereFace : public CosineHead {
public:
    /// Throws Error when an option is out of range.
    explicit SphereFace(const SphereFaceOptions& options);
    Tensor logits(const Tensor& feature) override;

    /// False: lambda depends on the number of batches.
    bool additive() const override { return false; }

    /// The loss's entry in the registry.
    static LossInfo info();

protected:
    Tensor margin_loss(const Tensor& feature, const Tensor& labels) override;

private:
    SphereFaceOptions options_;
    Tensor forwards_;
};

/// Options of ArcFace.
struct ArcFaceOptions {
    std::int64_t classes = 10;     ///< number of classes
    std::int64_t dim = 32;         ///< feature dimension
    double scale = 64.0;           ///< s, multiplies the cosines
    double margin = 0.5;           ///< m, added to the angle to the true class, in radians; in [0, pi)
    SoftmaxLikeOptions softmax{};  ///< label smoothing and recomputation

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("scale", self.scale, "multiplies the cosines");
        visit("margin", self.margin, "added to the angle to the true class, in radians; in [0, pi)");
        SoftmaxLikeOptions::fields(self.softmax, visit);
    }
};

/// L = mean of -log softmax_j(s * cos(t_j + m * 1[j = y]))[y], where t_j is the angle between x and W_j (Deng et al.:
/// ArcFace, CVPR 2019, Eq. 3). If t_y + m exceeds pi, the logit of the true class is s * (cos t_y - m sin m), as in the
/// authors' code, so that it keeps decreasing. Parameter: weight [classes, dim].
class ArcFace : public CosineHead {
public:
    /// Throws Error when an option is out of range.
    explicit ArcFace(const ArcFaceOptions& options);

    /// The loss's entry in the registry.
    static LossInfo info();

protected:
    Tensor margin_loss(const Tensor& feature, const Tensor& labels) override;

private:
    double margin_;
};

/// Options of SubcenterArcFace.
struct SubcenterArcFaceOptions {
    std::int64_t classes = 10;     ///< number of classes
    std::int64_t dim = 32;         ///< feature dimension
    std::int64_t centers = 3;      ///< K, number of centres per class
    double scale = 64.0;           ///< s, multiplies the cosines
    double margin = 0.5;           ///< m, added to the angle to the true class, in radians; in [0, pi)
    SoftmaxLikeOptions softmax{};  ///< label smoothing and recomputation

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("centers", self.centers, "number of centres per class");
        visit("scale", self.scale, "multiplies the cosines");
        visit("margin", self.margin, "added to the angle to the true class, in radians; in [0, pi)");
        SoftmaxLikeOptions::fields(self.softmax, visit);
    }
};

/// ArcFace over cos t_j = max over k of cos(x, W_jk) (Deng et al.: Sub-center ArcFace, ECCV 2020, Eq. 2 and 3).
/// Parameter: weight [classes * K, dim], the centres of a class in consecutive rows. Computes the cosines [N, classes *
/// K].
class SubcenterArcFace : public CosineHead {
public:
    /// Throws Error when an option is out of range.
    explicit SubcenterArcFace(const SubcenterArcFaceOptions& options);
    Tensor logits(const Tensor& feature) override;

    /// The loss's entry in the registry.
    static LossInfo info();

protected:
    Tensor margin_loss(const Tensor& feature, const Tensor& labels) override;

private:
    Tensor nearest_cosines(const Tensor& feature) const;

    SubcenterArcFaceOptions options_;
};

/// Options of CurricularFace.
struct CurricularFaceOptions {
    std::int64_t classes = 10;     ///< number of classes
    std::int64_t dim = 32;         ///< feature dimension
    double scale = 64.0;           ///< s, multiplies the cosines
    double margin = 0.5;           ///< m, added to the angle to the true class, in radians; in [0, pi)
    double momentum = 0.99;        ///< fraction of t that is kept in each batch, in [0, 1]
    SoftmaxLikeOptions softmax{};  ///< label smoothing and recomputation

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("scale", self.scale, "multiplies the cosines");
        visit("margin", self.margin, "added to the angle to the true class, in radians; in [0, pi)");
        visit("momentum", self.momentum, "fraction of the running mean cosine that is kept in each batch, in [0, 1]");
        SoftmaxLikeOptions::fields(self.softmax, visit);
    }
};

/// ArcFace in which another class with c_j > cos(t_y + m) has the logit s * c_j (t + c_j), where t is the running mean
/// over the batches of the mean cosine to the true class (Huang et al.: CurricularFace, CVPR 2020, Eq. 6 to 10).
/// forward() in training updates t before using it, as in the authors' code. Parameter: weight [classes, dim]; buffer:
/// t [1], initially 0.
class CurricularFace : public CosineHead {
public:
    /// Throws Error when an option is out of range.
    explicit CurricularFace(const CurricularFaceOptions& options);

    /// False: t depends on the batches.
    bool additive() const override { return false; }

    /// The loss's entry in the registry.
    static LossInfo info();

protected:
    Tensor margin_loss(const Tensor& feature, const Tensor& labels) override;

private:
    CurricularFaceOptions options_;
    Tensor t_;
};

/// Options of MagFace.
struct MagFaceOptions {
    std::int64_t classes = 10;                         ///< number of classes
    std::int64_t dim = 32;                             ///< feature dimension
    double scale = 64.0;                               ///< s, multiplies the cosines
    double lower_length = 10.0, upper_length = 110.0;  ///< l_a and u_a: the range to which lengths are clamped
    double lower_margin = 0.45, upper_margin = 0.8;    ///< l_m and u_m: margins at these lengths, in radians
    double lambda = 35.0;                              ///< weight of the regulariser of the length
    SoftmaxLikeOptions softmax{};                      ///< label smoothing and recomputation

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("scale", self.scale, "multiplies the cosines");
        visit("lower_length", self.lower_length, "features are clamped to at least this length");
        visit("upper_length", self.upper_length, "features are clamped to at most this length");
        visit("lower_margin", self.lower_margin, "margin at the lower length, in radians");
        visit("upper_margin", self.upper_margin, "margin at the upper length, in radians");
        visit("lambda", self.lambda, "weight of the regulariser of the feature's length");
        SoftmaxLikeOptions::fields(self.softmax, visit);
    }
};

/// L = mean of -log softmax_j(s * cos(t_j + m(a) * 1[j = y]))[y] + lambda * mean of g(a), where a is |x| clamped to
/// [l_a, u_a], m(a) is linear from l_m to u_m, and g(a) = a / u_a^2 + 1 / a (Meng et al.: MagFace, CVPR 2021, Eq. 4 and
/// Sec. 4.1). Parameter: weight [classes, dim].
class MagFace : public CosineHead {
public:
    /// Throws Error when an option is out of range.
    explicit MagFace(const MagFaceOptions& options);

    /// The loss's entry in the registry.
    static LossInfo info();

protected:
    Tensor margin_loss(const Tensor& feature, const Tensor& labels) override;

private:
    MagFaceOptions options_;
};

}  // namespace radial
