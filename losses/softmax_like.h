// What the losses that are a softmax over classes share: smoothing, class weights, recomputation.
#pragma once

#include "radial/core/ops.h"
#include "radial/losses/loss.h"

#include <vector>

namespace radial {

/// Options of every softmax over classes; each loss's own options begin with these.
struct SoftmaxLikeOptions {
    double smoothing = 0;    ///< of the labels, in [0, 1]: see HeadOptions
    bool recompute = false;  ///< keep no [N, C] buffer: see HeadOptions
};

/// Base of losses that are a softmax cross-entropy over classes.
class SoftmaxLike : public Loss {
public:
    void set_class_weights(const std::vector<double>& weights) override;

    /// The settings that every such loss has, with their defaults, beside `own`: "smoothing" and "recompute".
    static LossSettings with_settings(LossSettings own);
    /// Those two, read.
    static SoftmaxLikeOptions read(const LossSettings& settings);

protected:
    /// Throws Error, naming `loss`, when classes or dim is below 1 or smoothing outside [0, 1].
    SoftmaxLike(std::string_view loss, std::int64_t classes, std::int64_t dim, const SoftmaxLikeOptions& options);
    /// What the ops want, on the device and in the type of `like`.
    HeadOptions head(const Tensor& like);

private:
    std::string name_;
    std::int64_t classes_;
    SoftmaxLikeOptions options_;
    Tensor class_weights_;
};

}  // namespace radial
