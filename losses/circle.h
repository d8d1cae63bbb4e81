// Circle loss: pairs weighted by the distance of their similarity from its optimum.
#pragma once

#include "radial/losses/functional.h"
#include "radial/losses/pair_loss.h"

namespace radial {

/// Options of Circle.
struct CircleOptions {
    std::int64_t classes = 10;                     ///< number of classes
    std::int64_t dim = 32;                         ///< feature dimension
    CirclePairs pairs{};                           ///< margin, gamma, gradient through the weights
    double momentum = PairLoss::default_momentum;  ///< of the running class means used for prediction
};

/// L = mean over the anchors that have positive and negative pairs of log(1 + sum over negatives of exp(gamma [cos +
/// m]+ (cos - m)) * sum over positives of exp(-gamma [1 + m - cos]+ (cos - 1 + m))) (Sun et al., CVPR 2020, Eq. 6). The
/// gradient treats the weights [.]+ as constants, as published, unless pairs.through_weights is set.
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
