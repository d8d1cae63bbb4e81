// Range loss: the largest distances within the classes of a batch, and the smallest between their centres.
#pragma once

#include "radial/losses/loss.h"

namespace radial {

struct RangeOptions {
    double alpha = 5e-5;       ///< weight of the distances within classes
    double beta = 1e-4;        ///< weight of the distances between classes
    double margin = 2e4;       ///< M: squared distance at which two centres are far enough apart
    std::int64_t largest = 2;  ///< k: so many of a class's largest distances
};

/// L = alpha * sum over the batch's classes of the harmonic mean of their k largest squared distances between two
/// samples + beta * max(0, M - the smallest squared distance between the centres of two classes), centres being means
/// over the batch (Zhang, Fang, Wen, Li, Qiao, ICCV 2017, Eq. 5 to 8). A class with two equal samples among those pairs
/// adds 0 and gets no gradient within.
class Range : public Regulariser {
public:
    /// Throws Error when alpha, beta or margin is below 0, or largest below 1.
    explicit Range(const RangeOptions& options = {});
    /// `prototypes` are not looked at.
    Tensor forward(const Tensor& feature, const Tensor& labels, const Tensor& prototypes) override;

    static RegulariserInfo info();
    /// softmax + this, as published.
    static LossInfo loss_info();

private:
    RangeOptions options_;
};

}  // namespace radial
