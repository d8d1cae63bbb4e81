// Circle loss: pairs weighted by how far their similarity is from its optimum.
#pragma once

#include "radial/losses/functional.h"
#include "radial/losses/pair_loss.h"

namespace radial {

struct CircleOptions {
    std::int64_t classes = 10;
    std::int64_t dim = 32;                         ///< feature dimension
    CirclePairs pairs{};                           ///< margin, gamma, how the weights are differentiated
    double momentum = PairLoss::default_momentum;  ///< of the running class means that predict
};

/// L = mean over anchors with both kinds of pairs of log(1 + sum over negatives of exp(gamma [cos + m]+ (cos - m)) *
/// sum over positives of exp(-gamma [1 + m - cos]+ (cos - 1 + m))) (Sun et al., CVPR 2020, Eq. 6). The weights [.]+ are
/// constants to the gradient, as published, unless pairs.through_weights.
class Circle : public PairLoss {
public:
    /// Throws Error when classes or dim is below 1, momentum is outside (0, 1], gamma is not above 0, or
    /// margin is not finite.
    explicit Circle(const CircleOptions& options);

    static LossInfo info();

protected:
    Tensor batch_loss(const Tensor& x, const PairLabels& labels) override;

private:
    CirclePairs pairs_;
};

}  // namespace radial
