// CosFace (AM-Softmax): a margin on the own class's cosine.
#pragma once

#include "radial/losses/cosine_head.h"

namespace radial {

struct CosFaceOptions {
    std::int64_t classes = 10;
    std::int64_t dim = 32;  ///< feature dimension
    double scale = 64.0;
    double margin = 0.35;  ///< m, taken from the own cosine; within [0, 2]
    SoftmaxLikeOptions softmax{};
};

/// L = mean of -log softmax_j(s * (cos(x, W_j) - m * 1[j = y]))[y] (Wang et al.: CosFace, CVPR 2018, Eq. 4; Wang et
/// al.: Additive Margin Softmax, 2018, Eq. 6). Parameter: weight [classes, dim].
class CosFace : public CosineHead {
public:
    /// Throws Error when an option is out of range.
    explicit CosFace(const CosFaceOptions& options);

    static LossInfo info();

protected:
    Tensor margin_loss(const Tensor& feature, const Tensor& labels) override;

private:
    double margin_;
};

}  // namespace radial
