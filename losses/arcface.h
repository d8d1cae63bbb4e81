// ArcFace: a margin added to the angle to the own class.
#pragma once

#include "radial/losses/cosine_head.h"

namespace radial {

/// Options of ArcFace.
struct ArcFaceOptions {
    std::int64_t classes = 10;     ///< number of classes
    std::int64_t dim = 32;         ///< feature dimension
    double scale = 64.0;           ///< s, factor of the cosines
    double margin = 0.5;           ///< m, added to the angle to the own class, in radians; in [0, pi)
    SoftmaxLikeOptions softmax{};  ///< label smoothing and recomputation
};

/// L = mean of -log softmax_j(s * cos(t_j + m * 1[j = y]))[y], where t_j is the angle between x and W_j (Deng et al.:
/// ArcFace, CVPR 2019, Eq. 3). If t_y + m exceeds pi, the logit of the own class is s * (cos t_y - m sin m), as in the
/// authors' code, so that it keeps decreasing. Parameter: weight [classes, dim].
class ArcFace : public CosineHead {
public:
    /// Throws Error when an option is out of range.
    explicit ArcFace(const ArcFaceOptions& options);

    /// The loss's entry in the registry.
    static LossInfo info();

protected:
    Tensor margin_loss(const Tensor& feature, const Tensor& labels) override;

private:
    double margin_;
};

}  // namespace radial
