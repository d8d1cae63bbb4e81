// Multi-similarity loss: pairs weighted by their own similarity and those of other pairs.
#pragma once

#include "radial/losses/functional.h"
#include "radial/losses/pair_loss.h"

namespace radial {

/// Options of MultiSimilarity.
struct MultiSimilarityOptions {
    std::int64_t classes = 10;                     ///< number of classes
    std::int64_t dim = 32;                         ///< feature dimension
    MultiSimilarityPairs pairs{};                  ///< alpha, beta, base, mining
    double momentum = PairLoss::default_momentum;  ///< of the running class means used for prediction
};

/// L = mean over anchors of
///
///     log(1 + sum over positives of exp(-alpha (cos - base))) / alpha
///     + log(1 + sum over negatives of exp(beta (cos - base))) / beta
///
/// (Wang et al., CVPR 2019, Eq. 15).
class MultiSimilarity : public PairLoss {
public:
    /// Throws Error when classes or dim is below 1, momentum is outside (0, 1], or alpha or beta is
    /// not above 0.
    explicit MultiSimilarity(const MultiSimilarityOptions& options);

    /// The loss's entry in the registry.
    static LossInfo info();

protected:
    Tensor batch_loss(const Tensor& x, const PairLabels& labels) override;

private:
    MultiSimilarityPairs pairs_;
};

}  // namespace radial
