// AdaCos: softmax over cosines whose scale follows from the batch.
#pragma once

#include "radial/losses/cosine_head.h"

namespace radial {

struct AdaCosOptions {
    std::int64_t classes = 10;  ///< at least 3
    std::int64_t dim = 32;      ///< feature dimension
    bool dynamic = true;        ///< false: the fixed scale sqrt 2 * log(C - 1) of Eq. 12
    SoftmaxLikeOptions softmax{};
};

/// Softmax over s * cos(x, W_j) (Zhang et al.: AdaCos, CVPR 2019). In a training forward(), before it is used,
///   s = log(B) / cos(min(pi / 4, median of the own angles)),
///   B = mean over i of sum over j != y of exp(s_before * cos(x_i, W_j))                                  (Eq. 14 and
///   15),
/// from s = sqrt 2 * log(C - 1). Of an even number of angles the smaller middle one is the median. The update forms all
/// cosines [N, classes] besides the loss. Parameter: weight [classes, dim]; buffer: s [1].
class AdaCos : public CosineHead {
public:
    /// Throws Error when an option is out of range.
    explicit AdaCos(const AdaCosOptions& options);

    /// Where the scale does not follow the batches.
    bool additive() const override { return !dynamic_; }

    static LossInfo info();

protected:
    Tensor margin_loss(const Tensor& feature, const Tensor& labels) override;
    Tensor scale_factor() const override { return s_; }

private:
    void adapt(const Tensor& feature, const Tensor& labels);

    bool dynamic_;
    Tensor s_;
};

}  // namespace radial
