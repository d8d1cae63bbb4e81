// Center loss: pulls features towards a moving centre of their class.
#pragma once

#include "radial/losses/class_weights.h"
#include "radial/losses/loss.h"

namespace radial {

/// Options of Center.
struct CenterOptions {
    std::int64_t classes = 10;  ///< number of classes
    std::int64_t dim = 32;      ///< feature dimension
    double alpha = 0.5;         ///< fraction by which a centre moves in a step, in [0, 1]
};

/// L = 1/2 mean of |x - c_y|^2 (Wen et al., ECCV 2016, Eq. 2; the mean over the batch as in their code). The centres
/// get no gradient. After each forward() in training they are updated:
///
///     c_j -= alpha * sum_i 1[y_i = j] (c_j - x_i) / (1 + n_j)
///
/// where n_j is the number of samples of class j in the batch (Eq. 4). Buffer: centres [classes, dim], initially
/// Xavier-uniform as in the authors' code.
class Center : public Regulariser {
public:
    /// Throws Error when classes or dim is below 1, or alpha outside [0, 1].
    explicit Center(const CenterOptions& options);
    Tensor forward(const Tensor& feature, const Tensor& labels, const Tensor& prototypes) override;
    /// See Regulariser. The weights do not affect the update of the centres.
    void set_class_weights(const std::vector<double>& weights) override {
        class_weights_.set("Center", options_.classes, weights);
    }

    /// The regulariser's entry in the registry.
    static RegulariserInfo info();
    /// The registry's entry for softmax + lambda * center, lambda 0.003 (Wen et al. 2016, Eq. 5).
    static LossInfo loss_info();

private:
    void move_centres(const Tensor& feature, const Tensor& own, const Tensor& labels);

    CenterOptions options_;
    Tensor centres_;
    ClassWeights class_weights_;
};

}  // namespace radial
