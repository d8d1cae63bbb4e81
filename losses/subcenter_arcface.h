// Sub-centre ArcFace: several centres per class, of which the nearest is used.
#pragma once

#include "radial/losses/cosine_head.h"

namespace radial {

/// Options of SubcenterArcFace.
struct SubcenterArcFaceOptions {
    std::int64_t classes = 10;     ///< number of classes
    std::int64_t dim = 32;         ///< feature dimension
    std::int64_t centers = 3;      ///< K, number of centres per class
    double scale = 64.0;           ///< s, factor of the cosines
    double margin = 0.5;           ///< m, added to the angle to the own class, in radians; in [0, pi)
    SoftmaxLikeOptions softmax{};  ///< label smoothing and recomputation
};

/// ArcFace over cos t_j = max over k of cos(x, W_jk) (Deng et al.: Sub-center ArcFace, ECCV 2020, Eq. 2 and 3).
/// Parameter: weight [classes * K, dim], the centres of a class in consecutive rows. Computes the cosines [N, classes *
/// K].
class SubcenterArcFace : public CosineHead {
public:
    /// Throws Error when an option is out of range.
    explicit SubcenterArcFace(const SubcenterArcFaceOptions& options);
    Tensor logits(const Tensor& feature) override;

    /// The loss's entry in the registry.
    static LossInfo info();

protected:
    Tensor margin_loss(const Tensor& feature, const Tensor& labels) override;

private:
    Tensor nearest_cosines(const Tensor& feature) const;

    SubcenterArcFaceOptions options_;
};

}  // namespace radial
