// PairLoss: checks, the batch's loss, and the means that follow it.
#include "radial/losses/pair_loss.h"

#include "radial/losses/feature_check.h"

namespace radial {

PairLoss::PairLoss(std::string_view loss, std::int64_t classes, std::int64_t dim, bool unit, double momentum)
    : name_(loss),
      classes_(classes),
      unit_(unit),
      means_(register_module("means", std::make_shared<ClassMeans>(loss, classes, dim, momentum))) {}

Tensor PairLoss::prepared(const Tensor& feature) const {
    check_feature(name_, feature, means_->mean());
    const Tensor x = cast(feature, means_->mean().dtype());
    return unit_ ? unit_rows(x) : x;
}

Tensor PairLoss::forward(const Tensor& feature, const Tensor& labels) {
    const Tensor x = prepared(feature);
    check_labels(name_, labels, feature);
    Tensor loss = batch_loss(x, {.rows = labels, .classes = classes_});
    if (training()) means_->update(x.detach(), labels);
    return loss;
}

Tensor PairLoss::logits(const Tensor& feature) { return means_->logits(prepared(feature), unit_); }

}  // namespace radial
