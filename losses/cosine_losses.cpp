// The cosine losses: scales, margins, running statistics, calls of the fused losses, and registry entries.
#include "radial/losses/cosine_losses.h"

#include "radial/core/distributed/communicator.h"
#include "radial/core/tensor/random.h"
#include "radial/losses/functional.h"
#include "radial/losses/loss.h"
#include "radial/losses/softmax.h"

#include <cmath>
#include <limits>

namespace radial {
namespace {

double scale_of(const CosSoftmaxOptions& options) {
    RADIAL_CHECK(options.scale >= 0 && std::isfinite(options.scale),
                 "CosSoftmax: scale is {}, expected above 0, or 0 for the rule", options.scale);
    if (options.scale > 0) return options.scale;
    RADIAL_CHECK(options.classes >= 2, "CosSoftmax: the rule for the scale expects at least 2 classes, not {}",
                 options.classes);
    RADIAL_CHECK(options.epsilon > 0 && options.epsilon <= 1, "CosSoftmax: epsilon is {}, expected in (0, 1]",
                 options.epsilon);
    // The first term is the scale at which the loss reaches epsilon if the cosine to the true class is 1 and those to
    // the other classes are -1; the second is the paper's allowance.
    constexpr double allowance = 3;
    return 0.5 * std::log(static_cast<double>(options.classes - 1) / options.epsilon) + allowance;
}

}  // namespace

CosSoftmax::CosSoftmax(const CosSoftmaxOptions& options)
    : SoftmaxLike("CosSoftmax", options.classes, options.dim, options.softmax), scale_(scale_of(options)) {
    weight_ = register_parameter("weight", Tensor::empty({options.classes, options.dim}));
    init::xavier_uniform_(weight_);
}

Tensor CosSoftmax::forward(const Tensor& feature, const Tensor& labels) {
    check_feature("CosSoftmax", feature, weight_);
    check_labels("CosSoftmax", labels, feature);
    return cosine_softmax_loss(feature, weight_, labels, {.scale = scale_}, head(weight_));
}

Tensor CosSoftmax::logits(const Tensor& feature) {
    check_feature("CosSoftmax", feature, weight_);
    return cosines(cast(feature, weight_.dtype()), weight_) * scale_;
}

LossInfo CosSoftmax::info() {
    return loss_entry<CosSoftmax, CosSoftmaxOptions>(
        "cos-softmax",
        "mean over i of -log softmax_j(scale * cos(x_i, W_j))[y_i]; scale 0: log((C - 1) / epsilon) / 2 + 3",
        "Liu, Li, Wang: Rethinking Feature Discrimination and Polymerization (COCO), 2017");
}

CosineHead::CosineHead(std::string_view loss, std::int64_t classes, std::int64_t dim, double scale,
                       const SoftmaxLikeOptions& options, std::int64_t vectors)
    : SoftmaxLike(loss, classes, dim, options), name_(loss), scale_(scale) {
    RADIAL_CHECK(scale > 0, "{}: scale is {}, expected above 0", loss, scale);
    RADIAL_CHECK(vectors >= 1, "{}: {} centres a class, expected at least 1", loss, vectors);
    weight_ = register_parameter("weight", Tensor::empty({classes * vectors, dim}));
    init::xavier_uniform_(weight_);
}

Tensor CosineHead::forward(const Tensor& feature, const Tensor& labels) {
    check_feature(name_, feature, weight_);
    check_labels(name_, labels, feature);
    return margin_loss(cast(feature, weight_.dtype()), labels);
}

Tensor CosineHead::logits(const Tensor& feature) {
    check_feature(name_, feature, weight_);
    const Tensor scaled = all_cosines(feature) * scale_, factor = scale_factor();
    return factor.defined() ? scaled * factor : scaled;
}

Tensor CosineHead::all_cosines(const Tensor& feature) const { return cosines(cast(feature, weight_.dtype()), weight_); }

Tensor CosineHead::own_cosines(const Tensor& feature, const Tensor& labels) const {
    const NoGrad no_grad;
    return sum(unit_rows(feature) * unit_rows(gather_rows(weight_, labels)), {1});
}

NormFace::NormFace(const NormFaceOptions& options)
    : CosineHead("NormFace", options.classes, options.dim, options.scale, options.softmax) {
    if (options.learn_scale) log_scale_ = register_parameter("log_scale", Tensor::zeros({1}));
}

Tensor NormFace::scale_factor() const { return log_scale_.defined() ? exp(log_scale_) : Tensor(); }

Tensor NormFace::margin_loss(const Tensor& feature, const Tensor& labels) {
    return cosine_softmax_loss(feature, weight(), labels, {.scale = scale(), .scale_factor = scale_factor()},
                               head(weight()));
}

LossInfo NormFace::info() {
    return loss_entry<NormFace, NormFaceOptions>(
        "normface", "mean over i of -log softmax_j(scale * cos(x_i, W_j))[y_i], scale learned",
        "Wang, Xiang, Cheng, Yuille: NormFace, ACM MM 2017, Eq. 6");
}

AdaCos::AdaCos(const AdaCosOptions& options)
    : CosineHead("AdaCos", options.classes, options.dim, 1.0, options.softmax), dynamic_(options.dynamic) {
    RADIAL_CHECK(options.classes >= 3, "AdaCos: {} classes, expected at least 3, for a scale above 0", options.classes);
    s_ = register_buffer("s", Tensor::full({1}, std::sqrt(2.0) * std::log(static_cast<double>(options.classes - 1))),
                         BufferKind::statistic);
}

Tensor AdaCos::margin_loss(const Tensor& feature, const Tensor& labels) {
    if (training() && dynamic_) adapt(rows_of_all_ranks(feature), rows_of_all_ranks(labels));
    // Copied, because the next forward() may change the buffer before backward() of this loss runs.
    return cosine_softmax_loss(feature, weight(), labels, {.scale = 1, .scale_factor = s_.clone()}, head(weight()));
}

void AdaCos::adapt(const Tensor& feature, const Tensor& labels) {
    const NoGrad no_grad;
    constexpr double cos_quarter_pi = 0.70710678118654752;
    const Tensor all = all_cosines(feature), own = pick(all, labels);
    const Tensor others = sum(exp(all * s_), {1}) - exp(own * s_);
    // A smaller angle has a larger cosine, so min(pi / 4, angle) corresponds to a cosine of at least cos(pi / 4).
    const Tensor middle = -median(-own);
    s_.copy_(reshape(log(mean(others)), {1}) / clamp(reshape(middle, {1}), cos_quarter_pi, 1));
}

LossInfo AdaCos::info() {
    return loss_entry<AdaCos, AdaCosOptions>(
        "adacos", "mean over i of -log softmax_j(s * cos(x_i, W_j))[y_i], s from the batch's cosines",
        "Zhang, Zhao, Qiao, Wang, Li: AdaCos, CVPR 2019, Eq. 12 to 15");
}

CosFace::CosFace(const CosFaceOptions& options)
    : CosineHead("CosFace", options.classes, options.dim, options.scale, options.softmax), margin_(options.margin) {
    RADIAL_CHECK(margin_ >= 0 && margin_ <= 2, "CosFace: margin is {}, expected within [0, 2]", margin_);
}

Tensor CosFace::margin_loss(const Tensor& feature, const Tensor& labels) {
    return cosine_softmax_loss(feature, weight(), labels, {.scale = scale(), .cosine = margin_}, head(weight()));
}

LossInfo CosFace::info() {
    return loss_entry<CosFace, CosFaceOptions>(
        "cosface", "mean over i of -log softmax_j(scale * (cos(x_i, W_j) - margin * [j = y_i]))[y_i]",
        "Wang et al.: CosFace, CVPR 2018, Eq. 4");
}

SphereFace::SphereFace(const SphereFaceOptions& options)
    : CosineHead("SphereFace", options.classes, options.dim, 1.0, options.softmax), options_(options) {
    RADIAL_CHECK(options.multiple >= 1, "SphereFace: multiple is {}, expected at least 1", options.multiple);
    RADIAL_CHECK(options.lambda_base >= 0 && options.lambda_decay >= 0 && options.lambda_min >= 0,
                 "SphereFace: lambda_base {}, lambda_decay {} and lambda_min {} must each be at least 0",
                 options.lambda_base, options.lambda_decay, options.lambda_min);
    forwards_ = register_buffer("forwards", Tensor::zeros({1}), BufferKind::state);
}

Tensor SphereFace::margin_loss(const Tensor& feature, const Tensor& labels) {
    Tensor lambda;
    {
        const NoGrad no_grad;
        if (training()) forwards_.copy_(forwards_ + 1.0);
        const Tensor divisor = forwards_ * options_.lambda_decay + 1.0;
        const Tensor annealed = Tensor::full({1}, options_.lambda_base, divisor.dtype(), divisor.device()) / divisor;
        lambda = clamp(annealed, options_.lambda_min, std::numeric_limits<double>::infinity());
    }
    return cosine_softmax_loss(feature, weight(), labels,
                               {.scale = 1,
                                .multiple = static_cast<int>(options_.multiple),
                                .scale_factor = row_norms(feature),
                                .blend = lambda},
                               head(weight()));
}

Tensor SphereFace::logits(const Tensor& feature) {
    check_feature("SphereFace", feature, weight());
    return linear(cast(feature, weight().dtype()), unit_rows(weight()));
}

LossInfo SphereFace::info() {
    return loss_entry<SphereFace, SphereFaceOptions>(
        "sphereface",
        "mean over i of -log softmax_j(|x_i| * (cos theta_ij, or for j = y_i psi(theta_ij) blended with it))[y_i]",
        "Liu et al.: SphereFace, CVPR 2017, Eq. 7");
}

ArcFace::ArcFace(const ArcFaceOptions& options)
    : CosineHead("ArcFace", options.classes, options.dim, options.scale, options.softmax), margin_(options.margin) {
    RADIAL_CHECK(margin_ >= 0 && margin_ < 3.14159, "ArcFace: margin is {}, expected within [0, pi)", margin_);
}

Tensor ArcFace::margin_loss(const Tensor& feature, const Tensor& labels) {
    return cosine_softmax_loss(feature, weight(), labels, {.scale = scale(), .angle = margin_}, head(weight()));
}

LossInfo ArcFace::info() {
    return loss_entry<ArcFace, ArcFaceOptions>(
        "arcface",
        "mean over i of -log softmax_j(scale * cos(theta_ij + margin * [j = y_i]))[y_i], theta_ij the angle of x_i "
        "and W_j",
        "Deng, Guo, Xue, Zafeiriou: ArcFace, CVPR 2019, Eq. 3");
}

SubcenterArcFace::SubcenterArcFace(const SubcenterArcFaceOptions& options)
    : CosineHead("SubcenterArcFace", options.classes, options.dim, options.scale, options.softmax, options.centers),
      options_(options) {
    RADIAL_CHECK(options.margin >= 0 && options.margin < 3.14159,
                 "SubcenterArcFace: margin is {}, expected within [0, pi)", options.margin);
}

Tensor SubcenterArcFace::margin_loss(const Tensor& feature, const Tensor& labels) {
    return margin_cross_entropy(nearest_cosines(feature), labels, {.scale = scale(), .angle = options_.margin},
                                head(weight()));
}

Tensor SubcenterArcFace::logits(const Tensor& feature) {
    check_feature("SubcenterArcFace", feature, weight());
    return nearest_cosines(feature) * scale();
}

Tensor SubcenterArcFace::nearest_cosines(const Tensor& feature) const {
    return max(reshape(all_cosines(feature), {feature.size(0), options_.classes, options_.centers}), 2);
}

LossInfo SubcenterArcFace::info() {
    return loss_entry<SubcenterArcFace, SubcenterArcFaceOptions>(
        "subcenter-arcface", "arcface over the largest of the cosines to each class's centers",
        "Deng, Guo, Liu, Gong, Zafeiriou: Sub-center ArcFace, ECCV 2020, Eq. 2 and 3");
}

CurricularFace::CurricularFace(const CurricularFaceOptions& options)
    : CosineHead("CurricularFace", options.classes, options.dim, options.scale, options.softmax), options_(options) {
    RADIAL_CHECK(options.margin >= 0 && options.margin < 3.14159,
                 "CurricularFace: margin is {}, expected within [0, pi)", options.margin);
    RADIAL_CHECK(options.momentum >= 0 && options.momentum <= 1,
                 "CurricularFace: momentum is {}, expected within [0, 1]", options.momentum);
    t_ = register_buffer("t", Tensor::zeros({1}), BufferKind::statistic);
}

Tensor CurricularFace::margin_loss(const Tensor& feature, const Tensor& labels) {
    if (training()) {
        const NoGrad no_grad;
        const Tensor own = rows_of_all_ranks(own_cosines(feature, labels));
        t_.copy_(t_ * options_.momentum + (1 - options_.momentum) * mean(own));
    }
    return cosine_softmax_loss(feature, weight(), labels, {.scale = scale(), .angle = options_.margin, .hardness = t_},
                               head(weight()));
}

LossInfo CurricularFace::info() {
    return loss_entry<CurricularFace, CurricularFaceOptions>(
        "curricularface",
        "arcface, with scale * c_ij * (t + c_ij) for the other classes of c_ij > cos(theta_iy + margin)",
        "Huang et al.: CurricularFace, CVPR 2020, Eq. 6 to 10");
}

MagFace::MagFace(const MagFaceOptions& options)
    : CosineHead("MagFace", options.classes, options.dim, options.scale, options.softmax), options_(options) {
    RADIAL_CHECK(options.lower_length > 0 && options.upper_length > options.lower_length,
                 "MagFace: lengths from {} to {}, expected above 0 and rising", options.lower_length,
                 options.upper_length);
    RADIAL_CHECK(
        options.lower_margin >= 0 && options.upper_margin >= options.lower_margin && options.upper_margin < 3.14159,
        "MagFace: margins from {} to {}, expected within [0, pi) and not falling", options.lower_margin,
        options.upper_margin);
    RADIAL_CHECK(options.lambda >= 0, "MagFace: lambda is {}, expected at least 0", options.lambda);
}

Tensor MagFace::margin_loss(const Tensor& feature, const Tensor& labels) {
    const double low = options_.lower_length, high = options_.upper_length;
    const Tensor length = row_norms(feature);
    const Tensor kept = clamp(length, low, high);
    const double slope = (options_.upper_margin - options_.lower_margin) / (high - low);
    const Tensor margins = (kept - low) * slope + options_.lower_margin;
    const Tensor loss =
        cosine_softmax_loss(feature, weight(), labels, {.scale = scale(), .sample_angle = margins}, head(weight()));
    const Tensor one = Tensor::full({1}, 1.0, kept.dtype(), kept.device());
    const Tensor regulariser = kept * (1 / (high * high)) + one / kept;
    return loss + options_.lambda * class_weighted_mean(regulariser, labels, head(weight()).class_weights);
}

LossInfo MagFace::info() {
    return loss_entry<MagFace, MagFaceOptions>(
        "magface", "arcface with the margin m(|x_i|) + lambda * mean over i of (|x_i| / upper_length^2 + 1 / |x_i|)",
        "Meng, Zhao, Huang, Zhou: MagFace, CVPR 2021, Eq. 4");
}

}  // namespace radial
