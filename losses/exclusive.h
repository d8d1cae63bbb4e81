// RegularFace's exclusive regularisation: classes' prototypes are pushed apart in angle.
#pragma once

#include "radial/losses/loss.h"

namespace radial {

/// L = mean over classes of max_{j != i} cos(W_i, W_j) (Zhao, Xu, Cheng: RegularFace, CVPR 2019), over the
/// prototypes [classes, D] of the loss beside it.
class Exclusive : public Regulariser {
public:
    /// Throws Error when classes is below 2.
    explicit Exclusive(std::int64_t classes);
    Tensor forward(const Tensor& feature, const Tensor& labels, const Tensor& prototypes) override;

    static RegulariserInfo info();

private:
    std::int64_t classes_;
    Tensor diagonal_;  ///< -inf on the diagonal, 0 elsewhere, where it was last wanted
};

}  // namespace radial
