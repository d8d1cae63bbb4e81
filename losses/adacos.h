// AdaCos: softmax over cosines with a scale that adapts to the batch.
#pragma once

#include "radial/losses/cosine_head.h"

namespace radial {

/// Options of AdaCos.
struct AdaCosOptions {
    std::int64_t classes = 10;     ///< at least 3
    std::int64_t dim = 32;         ///< feature dimension
    bool dynamic = true;           ///< false: the fixed scale sqrt 2 * log(C - 1) of Eq. 12
    SoftmaxLikeOptions softmax{};  ///< label smoothing and recomputation
};

/// Softmax over s * cos(x, W_j) (Zhang et al.: AdaCos, CVPR 2019). Each forward() in training first updates the scale,
/// starting from s = sqrt 2 * log(C - 1):
///
///     s = log(B) / cos(min(pi / 4, median of the angles to the own classes)),
///     B = mean over i of sum over j != y of exp(s_before * cos(x_i, W_j))      (Eq. 14 and 15)
///
/// For an even number of angles, the median is the smaller of the two in the middle. The update computes all cosines
/// [N, classes] in addition to the loss. Parameter: weight [classes, dim]; buffer: s [1].
class AdaCos : public CosineHead {
public:
    /// Throws Error when an option is out of range.
    explicit AdaCos(const AdaCosOptions& options);

    /// True if the scale is fixed.
    bool additive() const override { return !dynamic_; }

    /// The loss's entry in the registry.
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
