// What the losses over cosines between feature and class weights share.
#pragma once

#include "radial/losses/softmax_like.h"

#include <string>
#include <string_view>

namespace radial {

/// Base of the cosine losses: a weight vector a class, of which only the direction counts.
/// Parameter: weight [classes, dim], started Xavier-uniform.
class CosineHead : public SoftmaxLike {
public:
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    /// The cosines times the scale, without a margin.
    Tensor logits(const Tensor& feature) override;
    Tensor prototypes() const override { return weight_; }

protected:
    /// `vectors`: weight vectors a class. Throws Error when classes, dim or vectors is below 1, or scale not above 0.
    CosineHead(std::string_view loss, std::int64_t classes, std::int64_t dim, double scale,
               const SoftmaxLikeOptions& options, std::int64_t vectors = 1);
    /// The loss of features [N, dim] in the weight's dtype and labels, both checked.
    virtual Tensor margin_loss(const Tensor& feature, const Tensor& labels) = 0;
    /// What the cosines are multiplied by besides scale(): [1], or undefined.
    virtual Tensor scale_factor() const { return {}; }

    double scale() const { return scale_; }
    const Tensor& weight() const { return weight_; }
    /// cosines [N, vectors * classes].
    Tensor all_cosines(const Tensor& feature) const;
    /// Cosine of each sample to its own class, without history: [N].
    Tensor own_cosines(const Tensor& feature, const Tensor& labels) const;

private:
    std::string name_;
    double scale_;
    Tensor weight_;
};

}  // namespace radial
