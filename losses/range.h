// Range loss: reduces the largest distances within classes and increases the smallest between class centres.
#pragma once

#include "radial/losses/loss.h"

namespace radial {

/// Options of Range.
struct RangeOptions {
    double alpha = 5e-5;       ///< weight of the distances within classes
    double beta = 1e-4;        ///< weight of the distances between classes
    double margin = 2e4;       ///< M: squared distance above which two centres add nothing
    std::int64_t largest = 2;  ///< k: number of largest distances per class
};

/// L = alpha * sum over the classes of the batch of the harmonic mean of their k largest squared distances between two
/// samples + beta * max(0, M - the smallest squared distance between the centres of two classes), where a centre is the
/// mean over the batch (Zhang, Fang, Wen, Li, Qiao, ICCV 2017, Eq. 5 to 8). A class with two equal samples among these
/// pairs adds 0 to the first sum and gets no gradient from it.
class Range : public Regulariser {
public:
    /// Throws Error when alpha, beta or margin is below 0, or largest below 1.
    explicit Range(const RangeOptions& options = {});
    /// The value of the term. `prototypes` are ignored.
    Tensor forward(const Tensor& feature, const Tensor& labels, const Tensor& prototypes) override;

    /// The regulariser's entry in the registry.
    static RegulariserInfo info();
    /// The registry's entry for softmax + range, as published.
    static LossInfo loss_info();

private:
    RangeOptions options_;
};

}  // namespace radial
