// Supervised contrastive loss: softmax over the cosines to the other samples of a batch.
#pragma once

#include "radial/losses/functional.h"
#include "radial/losses/pair_loss.h"

namespace radial {

/// Options of SupervisedContrastive.
struct SupervisedContrastiveOptions {
    std::int64_t classes = 10;                     ///< number of classes
    std::int64_t dim = 32;                         ///< feature dimension
    double temperature = 0.1;                      ///< divisor of the cosines
    double momentum = PairLoss::default_momentum;  ///< of the running class means used for prediction
};

/// L = mean over anchors with a positive of the mean over positives p of -log(exp(cos(a, p) / temperature) / sum over
/// the others j of exp(cos(a, j) / temperature)) (Khosla et al., NeurIPS 2020, Eq. 2: L_out).
class SupervisedContrastive : public PairLoss {
public:
    /// Throws Error when classes or dim is below 1, momentum is outside (0, 1], or temperature is not
    /// above 0.
    explicit SupervisedContrastive(const SupervisedContrastiveOptions& options);

    /// The loss's entry in the registry.
    static LossInfo info();

protected:
    Tensor batch_loss(const Tensor& x, const PairLabels& labels) override;

private:
    double temperature_;
};

}  // namespace radial
