// The exclusive regularisation of RegularFace: pushes the prototypes of different classes apart in angle.
#pragma once

#include "radial/losses/loss.h"

namespace radial {

/// L = mean over classes of max_{j != i} cos(W_i, W_j) (Zhao, Xu, Cheng: RegularFace, CVPR 2019), over the prototypes
/// [classes, D] of the main loss. Uses memory for 1024 rows of cosines at a time.
class Exclusive : public Regulariser {
public:
    /// Throws Error when classes is below 2.
    explicit Exclusive(std::int64_t classes);
    Tensor forward(const Tensor& feature, const Tensor& labels, const Tensor& prototypes) override;

    bool additive() const override { return true; }

    /// The regulariser's entry in the registry.
    static RegulariserInfo info();

private:
    Tensor nearest(const Tensor& prototypes);

    std::int64_t classes_;
    Tensor classes_in_order_;  ///< 0, 1, 2 ..., where they were last wanted
};

}  // namespace radial
