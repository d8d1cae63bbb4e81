// NormFace: softmax over scaled cosines.
#pragma once

#include "radial/losses/cosine_head.h"

namespace radial {

struct NormFaceOptions {
    std::int64_t classes = 10;
    std::int64_t dim = 32;    ///< feature dimension
    double scale = 16.0;      ///< s, or where it starts
    bool learn_scale = true;  ///< as in the paper
    SoftmaxLikeOptions softmax{};
};

/// L = mean of -log softmax_j(s * cos(x, W_j))[y], s learned (Wang et al.: NormFace, ACM MM 2017, Eq. 6). The paper
/// gives no value for s to start from. Parameters: weight [classes, dim], and log_scale [1], the logarithm of what
/// multiplies scale, where it is learned.
class NormFace : public CosineHead {
public:
    /// Throws Error when an option is out of range.
    explicit NormFace(const NormFaceOptions& options);

    static LossInfo info();

protected:
    Tensor margin_loss(const Tensor& feature, const Tensor& labels) override;
    Tensor scale_factor() const override;

private:
    Tensor log_scale_;
};

}  // namespace radial
