// NormFace: softmax over scaled cosines.
#pragma once

#include "radial/losses/cosine_head.h"

namespace radial {

/// Options of NormFace.
struct NormFaceOptions {
    std::int64_t classes = 10;     ///< number of classes
    std::int64_t dim = 32;         ///< feature dimension
    double scale = 16.0;           ///< s; the initial value if it is learned
    bool learn_scale = true;       ///< as in the paper
    SoftmaxLikeOptions softmax{};  ///< label smoothing and recomputation
};

/// L = mean of -log softmax_j(s * cos(x, W_j))[y], with a learned s (Wang et al.: NormFace, ACM MM 2017, Eq. 6). The
/// paper gives no initial value of s. Parameters: weight [classes, dim] and, if s is learned, log_scale [1], the
/// logarithm of a factor of `scale`.
class NormFace : public CosineHead {
public:
    /// Throws Error when an option is out of range.
    explicit NormFace(const NormFaceOptions& options);

    /// The loss's entry in the registry.
    static LossInfo info();

protected:
    Tensor margin_loss(const Tensor& feature, const Tensor& labels) override;
    Tensor scale_factor() const override;

private:
    Tensor log_scale_;
};

}  // namespace radial
