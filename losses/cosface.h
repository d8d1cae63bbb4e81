// CosFace (AM-Softmax): a margin subtracted from the cosine to the own class.
#pragma once

#include "radial/losses/cosine_head.h"

namespace radial {

/// Options of CosFace.
struct CosFaceOptions {
    std::int64_t classes = 10;     ///< number of classes
    std::int64_t dim = 32;         ///< feature dimension
    double scale = 64.0;           ///< s, factor of the cosines
    double margin = 0.35;          ///< m, subtracted from the cosine to the own class; in [0, 2]
    SoftmaxLikeOptions softmax{};  ///< label smoothing and recomputation
};

/// L = mean of -log softmax_j(s * (cos(x, W_j) - m * 1[j = y]))[y] (Wang et al.: CosFace, CVPR 2018, Eq. 4; Wang et
/// al.: Additive Margin Softmax, 2018, Eq. 6). Parameter: weight [classes, dim].
class CosFace : public CosineHead {
public:
    /// Throws Error when an option is out of range.
    explicit CosFace(const CosFaceOptions& options);

    /// The loss's entry in the registry.
    static LossInfo info();

protected:
    Tensor margin_loss(const Tensor& feature, const Tensor& labels) override;

private:
    double margin_;
};

}  // namespace radial
