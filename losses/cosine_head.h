// Common base of the losses over cosines between a feature and class weights.
#pragma once

#include "radial/losses/softmax_like.h"

#include <string>
#include <string_view>

namespace radial {

/// Base of the cosine losses: one weight vector per class, of which only the direction matters. Parameter: weight
/// [classes, dim], initially Xavier-uniform.
class CosineHead : public SoftmaxLike {
public:
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    /// The cosines times the scale, without a margin: [N, classes].
    Tensor logits(const Tensor& feature) override;
    Tensor prototypes() const override { return weight_; }

protected:
    /// `vectors` is the number of weight vectors per class. Throws Error when classes, dim or vectors is below 1, or
    /// scale is not above 0.
    CosineHead(std::string_view loss, std::int64_t classes, std::int64_t dim, double scale,
               const SoftmaxLikeOptions& options, std::int64_t vectors = 1);
    /// Computes the loss of features [N, dim], in the dtype of the weight, and of labels. Both have been checked.
    virtual Tensor margin_loss(const Tensor& feature, const Tensor& labels) = 0;
    /// A further factor of the cosines besides scale(): [1], or undefined.
    virtual Tensor scale_factor() const { return {}; }

    /// The factor of the cosines.
    double scale() const { return scale_; }
    /// The weight vectors [vectors * classes, dim].
    const Tensor& weight() const { return weight_; }
    /// The cosines [N, vectors * classes] between features and weight vectors.
    Tensor all_cosines(const Tensor& feature) const;
    /// The cosine between each sample and its own class, without history: [N].
    Tensor own_cosines(const Tensor& feature, const Tensor& labels) const;

private:
    std::string name_;
    double scale_;
    Tensor weight_;
};

}  // namespace radial
