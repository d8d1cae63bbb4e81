// CurricularFace: ArcFace in which the influence of hard negatives grows during training.
#pragma once

#include "radial/losses/cosine_head.h"

namespace radial {

/// Options of CurricularFace.
struct CurricularFaceOptions {
    std::int64_t classes = 10;     ///< number of classes
    std::int64_t dim = 32;         ///< feature dimension
    double scale = 64.0;           ///< s, factor of the cosines
    double margin = 0.5;           ///< m, added to the angle to the own class, in radians; in [0, pi)
    double momentum = 0.99;        ///< fraction of t that is kept in each batch, in [0, 1]
    SoftmaxLikeOptions softmax{};  ///< label smoothing and recomputation
};

/// ArcFace in which another class with c_j > cos(t_y + m) has the logit s * c_j (t + c_j), where t is the running mean
/// over the batches of the mean cosine to the own class (Huang et al.: CurricularFace, CVPR 2020, Eq. 6 to 10).
/// forward() in training updates t before using it, as in the authors' code. Parameter: weight [classes, dim]; buffer:
/// t [1], initially 0.
class CurricularFace : public CosineHead {
public:
    /// Throws Error when an option is out of range.
    explicit CurricularFace(const CurricularFaceOptions& options);

    /// False: t depends on the batches.
    bool additive() const override { return false; }

    /// The loss's entry in the registry.
    static LossInfo info();

protected:
    Tensor margin_loss(const Tensor& feature, const Tensor& labels) override;

private:
    CurricularFaceOptions options_;
    Tensor t_;
};

}  // namespace radial
