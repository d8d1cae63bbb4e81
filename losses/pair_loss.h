// What the losses over pairs of a batch share: features made ready, and running class means to predict with.
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
/// running means of each class's features (see ClassMeans), and logits() minus the squared distances to these or, for
/// unit features, the cosines. Buffers: means.mean [classes, dim], means.seen [classes].
class PairLoss : public Loss {
public:
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    Tensor logits(const Tensor& feature) override;
    Tensor prototypes() const override { return means_->mean(); }

    /// The momentum that each of these losses has as an option.
    static constexpr double default_momentum = 0.1;

protected:
    /// `unit`: the features' lengths do not count. Throws as ClassMeans does.
    PairLoss(std::string_view loss, std::int64_t classes, std::int64_t dim, bool unit, double momentum);
    /// The loss of a batch [N, dim], scaled to length 1 where `unit`.
    virtual Tensor batch_loss(const Tensor& x, const PairLabels& labels) = 0;

private:
    Tensor prepared(const Tensor& feature) const;

    std::string name_;
    std::int64_t classes_;
    bool unit_;
    std::shared_ptr<ClassMeans> means_;
};

}  // namespace radial
