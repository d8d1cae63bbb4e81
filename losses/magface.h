// MagFace: ArcFace with a margin that grows with the length of the feature.
#pragma once

#include "radial/losses/cosine_head.h"

namespace radial {

/// Options of MagFace.
struct MagFaceOptions {
    std::int64_t classes = 10;                         ///< number of classes
    std::int64_t dim = 32;                             ///< feature dimension
    double scale = 64.0;                               ///< s, factor of the cosines
    double lower_length = 10.0, upper_length = 110.0;  ///< l_a and u_a, to which lengths are clamped
    double lower_margin = 0.45, upper_margin = 0.8;    ///< l_m and u_m: margins at these lengths, in radians
    double lambda = 35.0;                              ///< weight of the regulariser of the length
    SoftmaxLikeOptions softmax{};                      ///< label smoothing and recomputation
};

/// L = mean of -log softmax_j(s * cos(t_j + m(a) * 1[j = y]))[y] + lambda * mean of g(a), where a is |x| clamped to
/// [l_a, u_a], m(a) is linear from l_m to u_m, and g(a) = a / u_a^2 + 1 / a (Meng et al.: MagFace, CVPR 2021, Eq. 4 and
/// Sec. 4.1). Parameter: weight [classes, dim].
class MagFace : public CosineHead {
public:
    /// Throws Error when an option is out of range.
    explicit MagFace(const MagFaceOptions& options);

    /// The loss's entry in the registry.
    static LossInfo info();

protected:
    Tensor margin_loss(const Tensor& feature, const Tensor& labels) override;

private:
    MagFaceOptions options_;
};

}  // namespace radial
