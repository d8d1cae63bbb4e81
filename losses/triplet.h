// Triplet loss: positives must be nearer than negatives by a margin.
#pragma once

#include "radial/losses/functional.h"
#include "radial/losses/pair_loss.h"

namespace radial {

/// Options of Triplet.
struct TripletOptions {
    std::int64_t classes = 10;  ///< number of classes
    std::int64_t dim = 32;      ///< feature dimension
    TripletTerms triplets{};    ///< margin, miner and its options; `dimension` is set to dim
    bool normalise = true;      ///< scale features to length 1 first; required by the distance-weighted miner
    double momentum = PairLoss::default_momentum;  ///< of the running class means used for prediction
};

/// L = mean over triplets of max(0, d(a, p) - d(a, n) + margin), where d is the Euclidean distance (Schroff,
/// Kalenichenko, Philbin, CVPR 2015; Hermans, Beyer, Leibe 2017; Wu et al., ICCV 2017). TripletMiner selects the
/// triplets.
class Triplet : public PairLoss {
public:
    /// Throws Error when classes or dim is below 1, momentum is outside (0, 1], margin is below 0, or
    /// the distance-weighted miner gets a cutoff that is not above 0, features that are not normalised, or a dim
    /// below 2.
    explicit Triplet(const TripletOptions& options);

    /// The loss's entry in the registry.
    static LossInfo info();

protected:
    Tensor batch_loss(const Tensor& x, const PairLabels& labels) override;

private:
    TripletOptions options_;
};

}  // namespace radial
