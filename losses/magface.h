// MagFace: ArcFace whose margin grows with the feature's length.
#pragma once

#include "radial/losses/cosine_head.h"

namespace radial {

struct MagFaceOptions {
    std::int64_t classes = 10;
    std::int64_t dim = 32;  ///< feature dimension
    double scale = 64.0;
    double lower_length = 10.0, upper_length = 110.0;  ///< l_a and u_a, between which lengths are kept
    double lower_margin = 0.45, upper_margin = 0.8;    ///< l_m and u_m, in radians: the margins there
    double lambda = 35.0;                              ///< weight of the length's regulariser
    SoftmaxLikeOptions softmax{};
};

/// L = mean of -log softmax_j(s * cos(t_j + m(a) * 1[j = y]))[y] + lambda * mean of g(a), with a = |x| kept within
/// [l_a, u_a], m(a) linear from l_m to u_m, and g(a) = a / u_a^2 + 1 / a (Meng et al.: MagFace, CVPR 2021, Eq. 4 and
/// Sec. 4.1). Parameter: weight [classes, dim].
class MagFace : public CosineHead {
public:
    /// Throws Error when an option is out of range.
    explicit MagFace(const MagFaceOptions& options);

    static LossInfo info();

protected:
    Tensor margin_loss(const Tensor& feature, const Tensor& labels) override;

private:
    MagFaceOptions options_;
};

}  // namespace radial
