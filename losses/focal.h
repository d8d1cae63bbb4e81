// The focal loss.
#pragma once

#include "radial/losses/loss.h"
#include "radial/losses/softmax.h"

namespace radial {

/// Options of Focal.
struct FocalOptions {
    std::int64_t classes = 10;  ///< number of classes
    std::int64_t dim = 32;      ///< feature dimension
    double gamma = 2;           ///< exponent of 1 - p; with 0 the loss is Softmax
    bool bias = true;           ///< add a bias per class

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("gamma", self.gamma, "exponent of 1 - p, at least 0; with 0 the loss is softmax");
        visit("bias", self.bias, "add a bias per class");
    }
};

/// L = mean of -(1 - p)^gamma log p, where p = softmax(W x + b)[y] (Lin et al. 2017, "Focal Loss for Dense Object
/// Detection", Eq. 5, for several classes): samples that are classified well count less. The class weights are the
/// paper's alpha; the mean is divided by the sum of the samples' weights. Parameters: weight [classes, dim] and bias
/// [classes], initialised as in a Linear layer.
class Focal : public SoftmaxLike {
public:
    /// Throws Error when classes or dim is below 1, or gamma is not a number of at least 0.
    explicit Focal(const FocalOptions& options);
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    Tensor logits(const Tensor& feature) override;
    /// The weight vectors of the classes, [classes, dim].
    Tensor prototypes() const override { return weight_; }

    /// The loss's entry in the registry.
    static LossInfo info();

private:
    double gamma_;
    Tensor weight_, bias_;
};

}  // namespace radial
