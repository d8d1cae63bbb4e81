// Common base of the losses over pairs of a batch: prepares features and keeps running class means for prediction.
#pragma once

#include "radial/core/ops.h"
#include "radial/losses/class_means.h"
#include "radial/losses/functional.h"
#include "radial/losses/loss.h"

#include <memory>
#include <string>
#include <string_view>

namespace radial {

/// Base of losses that compare the samples of a batch with each other. They have no class vectors: prototypes() are
/// running means of the features of each class (see ClassMeans), and logits() are the negative squared distances to
/// these or, for unit features, the cosines. Buffers: means.mean [classes, dim], means.seen [classes].
class PairLoss : public Loss {
public:
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    Tensor logits(const Tensor& feature) override;
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

}  // namespace radial
