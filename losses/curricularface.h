// CurricularFace: ArcFace whose hard negatives count more as training goes on.
#pragma once

#include "radial/losses/cosine_head.h"

namespace radial {

struct CurricularFaceOptions {
    std::int64_t classes = 10;
    std::int64_t dim = 32;  ///< feature dimension
    double scale = 64.0;
    double margin = 0.5;     ///< m, added to the own angle, in radians; within [0, pi)
    double momentum = 0.99;  ///< what is kept of t at each batch, in [0, 1]
    SoftmaxLikeOptions softmax{};
};

/// ArcFace in which another class with c_j > cos(t_y + m) has the logit s * c_j (t + c_j); t is the running mean of the
/// batches' mean own cosine (Huang et al.: CurricularFace, CVPR 2020, Eq. 6 to 10). t moves in a training forward(),
/// before it is used, as in the authors' code. Parameter: weight [classes, dim]; buffer: t [1], from 0.
class CurricularFace : public CosineHead {
public:
    /// Throws Error when an option is out of range.
    explicit CurricularFace(const CurricularFaceOptions& options);

    /// t follows the batches.
    bool additive() const override { return false; }

    static LossInfo info();

protected:
    Tensor margin_loss(const Tensor& feature, const Tensor& labels) override;

private:
    CurricularFaceOptions options_;
    Tensor t_;
};

}  // namespace radial
