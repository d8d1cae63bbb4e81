// Proxy-Anchor: one learned proxy per class, compared with the whole batch.
#pragma once

#include "radial/core/ops.h"
#include "radial/losses/loss.h"

namespace radial {

/// Options of ProxyAnchor.
struct ProxyAnchorOptions {
    std::int64_t classes = 10;  ///< number of classes
    std::int64_t dim = 32;      ///< feature dimension
    double alpha = 32;          ///< factor of the cosines
    double delta = 0.1;         ///< margin
};

/// L = mean over the classes c of the batch of log(1 + sum over their samples x of exp(-alpha (cos(x, P_c) - delta))) +
/// mean over all classes c of log(1 + sum over the samples of other classes of exp(alpha (cos(x, P_c) + delta))) (Kim
/// et al., CVPR 2020, Eq. 4). Parameter: proxies [classes, dim], initially He-normal over the classes, as in the
/// authors' code.
class ProxyAnchor : public Loss {
public:
    /// Throws Error when classes or dim is below 1, or alpha is not above 0.
    explicit ProxyAnchor(const ProxyAnchorOptions& options);
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    /// The cosines to the proxies: [N, classes].
    Tensor logits(const Tensor& feature) override;
    Tensor prototypes() const override { return proxies_; }

    /// The loss's entry in the registry.
    static LossInfo info();

private:
    ProxyAnchorOptions options_;
    Tensor proxies_;
    Tensor proxy_labels_;  // 0 .. classes - 1, where the batch was last
};

}  // namespace radial
