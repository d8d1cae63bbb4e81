// Contrastive loss: pulls positive pairs together and pushes negative pairs apart.
#pragma once

#include "radial/losses/functional.h"
#include "radial/losses/pair_loss.h"

namespace radial {

/// Options of Contrastive.
struct ContrastiveOptions {
    std::int64_t classes = 10;                     ///< number of classes
    std::int64_t dim = 32;                         ///< feature dimension
    ContrastivePairs pairs{};                      ///< margins, power, and which pairs the means are over
    bool normalise = false;                        ///< scale features to length 1 first
    double momentum = PairLoss::default_momentum;  ///< of the running class means used for prediction
};

/// L = mean over positive pairs of max(0, d - positive_margin)^power + mean over negative pairs of max(0, margin -
/// d)^power, where d is the Euclidean distance (Chopra, Hadsell, LeCun, CVPR 2005; Hadsell et al., CVPR 2006).
class Contrastive : public PairLoss {
public:
    /// Throws Error when classes or dim is below 1, momentum is outside (0, 1], a margin is below 0,
    /// or power is not 1 or 2.
    explicit Contrastive(const ContrastiveOptions& options);

    /// The loss's entry in the registry.
    static LossInfo info();

protected:
    Tensor batch_loss(const Tensor& x, const PairLabels& labels) override;

private:
    ContrastiveOptions options_;
};

}  // namespace radial
