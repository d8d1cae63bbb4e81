// The classical radial basis function network as a head: Gaussian units and a linear read-out.
#pragma once

#include "radial/core/nn/first_batch.h"
#include "radial/losses/loss.h"
#include "radial/losses/softmax.h"

namespace radial {

/// Options of RbfNetwork.
struct RbfNetworkOptions {
    std::int64_t classes = 10;          ///< number of classes
    std::int64_t dim = 32;              ///< feature dimension
    std::int64_t units_per_class = 10;  ///< the M = classes * units_per_class units are shared by all classes
    bool squared_error = false;         ///< squared error to the one-hot target instead of cross-entropy
    SoftmaxLikeOptions softmax{};       ///< label smoothing and recomputation

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("units_per_class", self.units_per_class, "number of units divided by the number of classes");
        visit("squared_error", self.squared_error, "squared error to the one-hot target instead of cross-entropy");
        SoftmaxLikeOptions::fields(self.softmax, visit);
    }
};

/// logits_j = b_j + M^-1/4 sum_m W_jm exp(-|x - c_m|^2 / w_m) (Broomhead & Lowe 1988, with Gaussians whose centres and
/// widths are learned). The factor M^-1/4 is an addition of this library, explained in rbf_network.cpp; the initial W
/// compensates for it. L = mean cross-entropy, or mean over the batch of sum_j (logits_j - t_j)^2 with the one-hot,
/// smoothed target t. Parameters: centres [M, dim], log_widths [M], weight [classes, M], bias [classes]. Buffer:
/// started [1].
///
/// A Gaussian far from the data gets no gradient, so the first training batch initialises the units. The centres are
/// set to its features in order, starting again from the first one if there are more units than features, and the
/// widths to the mean squared distance between features and centres. If this distance is below 1, the widths are set to
/// 1 instead, and the centres are moved away from the mean of the features, so that their squared distances from it
/// grow by the same factor as the widths.
class RbfNetwork : public SoftmaxLike {
public:
    /// Throws Error when classes, dim or units_per_class is below 1, or smoothing is outside [0, 1].
    explicit RbfNetwork(const RbfNetworkOptions& options);
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    Tensor logits(const Tensor& feature) override;
    /// "kernel": the largest unit's value, in [0, 1]. Throws as forward() does.
    std::vector<LossScore> scores(const Tensor& feature) override;
    /// "mean_kernel": the mean over the batch of the largest unit's value, in [0, 1]. Near 0, no gradient reaches the
    /// units.
    std::vector<LossMetric> metrics() const override;

    /// True once the units have been initialised.
    bool additive() const override { return first_.over(); }

    /// The loss's entry in the registry.
    static LossInfo info();

private:
    Tensor units(const Tensor& feature) const;
    void place_units(const Tensor& feature);
    Tensor squared_error(const Tensor& outputs, const Tensor& labels);

    RbfNetworkOptions options_;
    double factor_;  ///< M^-1/4
    Tensor centres_, log_widths_, weight_, bias_, mean_kernel_;
    FirstBatch first_;
};

}  // namespace radial
