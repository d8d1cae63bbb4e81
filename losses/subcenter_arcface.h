// Sub-centre ArcFace: several centres a class, of which the nearest counts.
#pragma once

#include "radial/losses/cosine_head.h"

namespace radial {

struct SubcenterArcFaceOptions {
    std::int64_t classes = 10;
    std::int64_t dim = 32;     ///< feature dimension
    std::int64_t centers = 3;  ///< K, of each class
    double scale = 64.0;
    double margin = 0.5;  ///< m, added to the own angle, in radians; within [0, pi)
    SoftmaxLikeOptions softmax{};
};

/// ArcFace over cos t_j = max over k of cos(x, W_jk) (Deng et al.: Sub-center ArcFace, ECCV 2020, Eq. 2 and 3).
/// Parameter: weight [classes * K, dim], the centres of a class next to each other. Forms the cosines [N, classes * K].
class SubcenterArcFace : public CosineHead {
public:
    /// Throws Error when an option is out of range.
    explicit SubcenterArcFace(const SubcenterArcFaceOptions& options);
    Tensor logits(const Tensor& feature) override;

    static LossInfo info();

protected:
    Tensor margin_loss(const Tensor& feature, const Tensor& labels) override;

private:
    Tensor nearest_cosines(const Tensor& feature) const;

    SubcenterArcFaceOptions options_;
};

}  // namespace radial
