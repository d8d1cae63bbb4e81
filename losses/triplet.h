// Triplet loss: a positive nearer than a negative, by a margin.
#pragma once

#include "radial/losses/functional.h"
#include "radial/losses/pair_loss.h"

namespace radial {

struct TripletOptions {
    std::int64_t classes = 10;
    std::int64_t dim = 32;                         ///< feature dimension
    TripletTerms triplets{};                       ///< margin, miner and its numbers; its dimension is this dim
    bool normalise = true;                         ///< compare unit features, as the distance-weighted miner needs them
    double momentum = PairLoss::default_momentum;  ///< of the running class means that predict
};

/// L = mean over triplets of max(0, d(a, p) - d(a, n) + margin), d the Euclidean distance (Schroff, Kalenichenko,
/// Philbin, CVPR 2015; Hermans, Beyer, Leibe 2017; Wu et al., ICCV 2017). See TripletMiner for which triplets.
class Triplet : public PairLoss {
public:
    /// Throws Error when classes or dim is below 1, momentum is outside (0, 1], margin is below 0, or
    /// the distance-weighted miner gets a cutoff that is not above 0, features that are not normalised, or a dim
    /// below 2.
    explicit Triplet(const TripletOptions& options);

    static LossInfo info();

protected:
    Tensor batch_loss(const Tensor& x, const PairLabels& labels) override;

private:
    TripletOptions options_;
};

}  // namespace radial
