// The regularisers and their registry entries.
#include "radial/losses/regularisers.h"

#include "radial/core/autograd/autograd.h"
#include "radial/core/distributed/communicator.h"
#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/losses/functional.h"
#include "radial/losses/loss.h"
#include "radial/losses/softmax.h"
#include "radial/losses/sum_loss.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

namespace radial {

Center::Center(const CenterOptions& options) : options_(options) {
    RADIAL_CHECK(options_.classes >= 1 && options_.dim >= 1, "Center: classes {} and dim {} must each be at least 1",
                 options_.classes, options_.dim);
    RADIAL_CHECK(options_.alpha >= 0 && options_.alpha <= 1, "Center: alpha is {}, expected within [0, 1]",
                 options_.alpha);
    centres_ = register_buffer("centres", Tensor::empty({options_.classes, options_.dim}), BufferKind::statistic);
    init::xavier_uniform_(centres_);
}

Tensor Center::forward(const Tensor& feature, const Tensor& labels, const Tensor&) {
    check_feature("Center", feature, centres_);
    check_labels("Center", labels, feature);
    const Tensor x = cast(feature, centres_.dtype());
    const Tensor own = gather_rows(centres_, labels);
    const Tensor loss = 0.5 * class_weighted_mean(sum(square(x - own), {1}), labels, class_weights_.like(x));
    if (training()) move_centres(x, own, labels);
    return loss;
}

void Center::move_centres(const Tensor& feature, const Tensor& own, const Tensor& labels) {
    const NoGrad guard;
    const Tensor difference = rows_of_all_ranks(feature.detach() - own), classes = rows_of_all_ranks(labels);
    const Tensor pull = class_sums(difference, classes, options_.classes);
    const Tensor ones = Tensor::full({classes.size(0), 1}, 1, own.dtype(), own.device());
    const Tensor count = class_sums(ones, classes, options_.classes);
    centres_.copy_(centres_ + options_.alpha * (pull / (count + 1)));
}

RegulariserInfo Center::info() {
    return regulariser_entry<Center, CenterOptions>(
        "center", "1/2 * mean over i of |x_i - c_{y_i}|^2, c a running mean of the class",
        "Wen et al.: A Discriminative Feature Learning Approach, ECCV 2016, Eq. 2 and 4");
}

LossInfo Center::loss_info() {
    constexpr double lambda = 0.003;
    return with_term({.name = "center",
                      .formula = "softmax + lambda/2 * mean over i of |x_i - c_{y_i}|^2, c a running mean of the class",
                      .source = "Wen et al.: A Discriminative Feature Learning Approach, ECCV 2016, Eq. 5",
                      .options = {},
                      .make = {}},
                     Softmax::info(), info(), lambda);
}

Ring::Ring()
    : radius_(register_parameter("radius", Tensor::full({1}, 1))),
      first_(register_buffer("started", Tensor::zeros({1}), BufferKind::state)) {}

Tensor Ring::forward(const Tensor& feature, const Tensor& labels, const Tensor&) {
    RADIAL_CHECK(feature.defined() && feature.rank() == 2, "Ring: feature is {}, expected [N, D]", feature.str());
    const Tensor lengths = row_norms(cast(feature, radius_.dtype()));
    if (first_.begins(training())) {
        const NoGrad guard;
        radius_.copy_(mean(rows_of_all_ranks(lengths), {0}, true));
    }
    return 0.5 * class_weighted_mean(square(lengths - radius_), labels, class_weights_.like(lengths));
}

RegulariserInfo Ring::info() {
    return {.name = "ring",
            .formula = "1/2 * mean over i of (|x_i| - R)^2, R learned",
            .source = "Zheng, Pal, Savvides: Ring loss, CVPR 2018",
            .options = {},
            .make = [](std::int64_t, std::int64_t, const LossSettings&) { return std::make_unique<Ring>(); }};
}

LossInfo Ring::loss_info() {
    constexpr double lambda = 0.01;
    return with_term({.name = "ring",
                      .formula = "softmax + lambda/2 * mean over i of (|x_i| - R)^2, R learned",
                      .source = "Zheng, Pal, Savvides: Ring loss, CVPR 2018",
                      .options = {},
                      .make = {}},
                     Softmax::info(), info(), lambda);
}

Range::Range(const RangeOptions& options) : options_(options) {
    RADIAL_CHECK(options.alpha >= 0, "Range: alpha is {}, expected at least 0", options.alpha);
    RADIAL_CHECK(options.beta >= 0, "Range: beta is {}, expected at least 0", options.beta);
    RADIAL_CHECK(options.margin >= 0, "Range: margin is {}, expected at least 0", options.margin);
    RADIAL_CHECK(options.largest >= 1, "Range: largest is {}, expected at least 1", options.largest);
}

Tensor Range::forward(const Tensor& feature, const Tensor& labels, const Tensor&) {
    RADIAL_CHECK(feature.defined() && feature.rank() == 2, "Range: feature is {}, expected [N, D]", feature.str());
    check_labels("Range", labels, feature);
    const Tensor x = feature.dtype() == DType::bfloat16 ? cast(feature, DType::float32) : feature;
    const Tensor centres = batch_class_means(x, labels);
    // distances() is exactly 0 for equal samples, and so is its square.
    const Tensor within = range_intra_loss(square(distances(x, x)), labels, options_.largest);
    const Tensor between = range_inter_loss(square(distances(centres, centres)), labels, options_.margin);
    return options_.alpha * within + options_.beta * between;
}

RegulariserInfo Range::info() {
    return regulariser_entry<Range, RangeOptions>(
        "range",
        "alpha * sum over classes of the harmonic mean of the k largest |x_i - x_j|^2 + beta * max(0, margin - "
        "smallest |c_a - c_b|^2)",
        "Zhang, Fang, Wen, Li, Qiao: Range Loss, ICCV 2017, Eq. 5 to 8");
}

LossInfo Range::loss_info() {
    constexpr double lambda = 1;  // the published weights are alpha and beta
    return with_term(
        {.name = "range",
         .formula = "softmax + lambda * (alpha * sum over classes of the harmonic mean of the k largest |x_i "
                    "- x_j|^2 + beta * max(0, margin - smallest |c_a - c_b|^2))",
         .source = "Zhang, Fang, Wen, Li, Qiao: Range Loss, ICCV 2017, Eq. 5 to 8",
         .options = {},
         .make = {}},
        Softmax::info(), info(), lambda);
}

Compact::Compact(std::int64_t classes) : classes_(classes) {
    RADIAL_CHECK(classes >= 1, "Compact: classes is {}, expected at least 1", classes);
}

Tensor Compact::forward(const Tensor& feature, const Tensor& labels, const Tensor& prototypes) {
    RADIAL_CHECK(prototypes.defined(), "Compact: the loss beside it has no prototypes");
    RADIAL_CHECK(prototypes.rank() == 2 && prototypes.size(0) > 0 && prototypes.size(0) % classes_ == 0,
                 "Compact: prototypes are {}, expected as many for each of {} classes", prototypes.shape().str(),
                 classes_);
    check_feature("Compact", feature, prototypes);
    check_labels("Compact", labels, feature);
    const Tensor x = cast(feature, prototypes.dtype());
    const std::int64_t rows = x.size(0), dim = x.size(1), each = prototypes.size(0) / classes_;
    const Tensor weights = class_weights_.like(x);
    if (each == 1) return class_weighted_mean(sum(square(x - gather_rows(prototypes, labels)), {1}), labels, weights);
    const Tensor own = gather_rows(reshape(prototypes, {classes_, each * dim}), labels);
    const Tensor distances = sum(square(reshape(own, {rows, each, dim}) - reshape(x, {rows, 1, dim})), {2});
    return -class_weighted_mean(max(-distances, 1), labels, weights);  // the distance to the nearest prototype
}

RegulariserInfo Compact::info() {
    return {.name = "compact",
            .formula = "mean over i of |x_i - W_{y_i}|^2, to the loss's own prototypes",
            .source = "Yang et al.: Convolutional Prototype Learning, CVPR 2018, the prototype loss",
            .options = {},
            .make = [](std::int64_t classes, std::int64_t, const LossSettings&) {
                return std::make_unique<Compact>(classes);
            }};
}

Exclusive::Exclusive(std::int64_t classes) : classes_(classes) {
    RADIAL_CHECK(classes >= 2, "Exclusive: classes is {}, expected at least 2", classes);
}

Tensor Exclusive::forward(const Tensor&, const Tensor&, const Tensor& prototypes) {
    RADIAL_CHECK(prototypes.defined(), "Exclusive: the loss beside it has no prototypes");
    RADIAL_CHECK(prototypes.rank() == 2 && prototypes.size(0) == classes_,
                 "Exclusive: prototypes are {}, expected one for each of {} classes", prototypes.shape().str(),
                 classes_);
    // The gradient of max is that of the chosen cosine, so one cosine per class suffices; all of them would be
    // [classes, classes].
    return mean(sum(unit_rows(prototypes) * unit_rows(gather_rows(prototypes, nearest(prototypes))), {1}));
}

// For each class, the other class whose prototype has the smallest angle to its own.
Tensor Exclusive::nearest(const Tensor& prototypes) {
    const NoGrad guard;
    if (!classes_in_order_.defined()) {
        std::vector<std::int64_t> numbers(static_cast<std::size_t>(classes_));
        std::iota(numbers.begin(), numbers.end(), std::int64_t{0});
        classes_in_order_ = Tensor::from(numbers, {classes_}, Device{});
    }
    // Copied only when the device changes, so that a step copies nothing from the host.
    classes_in_order_ = classes_in_order_.to(prototypes.device());
    const Tensor chosen = Tensor::empty({classes_}, DType::int64, prototypes.device());
    constexpr std::int64_t block = 1024;  // rows of cosines at a time
    constexpr double never = -std::numeric_limits<double>::infinity();
    for (std::int64_t first = 0; first < classes_; first += block) {
        const std::int64_t end = std::min(first + block, classes_);
        const Tensor own = place(Tensor::full({end - first}, never, prototypes.dtype(), prototypes.device()),
                                 classes_in_order_.rows(first, end), classes_);
        chosen.rows(first, end).copy_(argmax(cosines(prototypes.rows(first, end), prototypes) + own));
    }
    return chosen;
}

RegulariserInfo Exclusive::info() {
    return {.name = "exclusive",
            .formula = "mean over classes i of max_{j != i} cos(W_i, W_j), of the loss's own prototypes",
            .source = "Zhao, Xu, Cheng: RegularFace, CVPR 2019, exclusive regularisation",
            .options = {},
            .make = [](std::int64_t classes, std::int64_t, const LossSettings&) {
                return std::make_unique<Exclusive>(classes);
            }};
}

}  // namespace radial
