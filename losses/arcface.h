// ArcFace: a margin on the own class's angle.
#pragma once

#include "radial/losses/cosine_head.h"

namespace radial {

struct ArcFaceOptions {
    std::int64_t classes = 10;
    std::int64_t dim = 32;  ///< feature dimension
    double scale = 64.0;
    double margin = 0.5;  ///< m, added to the own angle, in radians; within [0, pi)
    SoftmaxLikeOptions softmax{};
};

/// L = mean of -log softmax_j(s * cos(t_j + m * 1[j = y]))[y], t_j the angle between x and W_j (Deng et al.: ArcFace,
/// CVPR 2019, Eq. 3). Past t_y + m = pi the own logit is s * (cos t_y - m sin m), as in the authors' code, so that it
/// goes on falling. Parameter: weight [classes, dim].
class ArcFace : public CosineHead {
public:
    /// Throws Error when an option is out of range.
    explicit ArcFace(const ArcFaceOptions& options);

    static LossInfo info();

protected:
    Tensor margin_loss(const Tensor& feature, const Tensor& labels) override;

private:
    double margin_;
};

}  // namespace radial
