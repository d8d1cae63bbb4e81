// The prototype loss of convolutional prototype learning: pulls features towards the prototypes of the main loss.
#pragma once

#include "radial/losses/class_weights.h"
#include "radial/losses/loss.h"

namespace radial {

/// L = mean of |x - W_y|^2, with the nearest prototype if the class has several (Yang et al., CVPR 2018, the prototype
/// loss). The prototypes are those of the main loss: [classes, D], or [classes * K, D] with the K prototypes of a class
/// in consecutive rows.
class Compact : public Regulariser {
public:
    /// Throws Error when classes is below 1.
    explicit Compact(std::int64_t classes);
    Tensor forward(const Tensor& feature, const Tensor& labels, const Tensor& prototypes) override;
    void set_class_weights(const std::vector<double>& weights) override {
        class_weights_.set("Compact", classes_, weights);
    }
    bool additive() const override { return true; }

    /// The regulariser's entry in the registry.
    static RegulariserInfo info();

private:
    std::int64_t classes_;
    ClassWeights class_weights_;
};

}  // namespace radial
