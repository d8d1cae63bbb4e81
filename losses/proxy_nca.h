// Proxy-NCA: neighbourhood component analysis with one learned proxy per class.
#pragma once

#include "radial/losses/softmax_like.h"

namespace radial {

/// Options of ProxyNca.
struct ProxyNcaOptions {
    std::int64_t classes = 10;        ///< number of classes
    std::int64_t dim = 32;            ///< feature dimension
    double scale = 1;                 ///< factor of the squared distances: 1 / temperature
    bool own_in_denominator = false;  ///< as in ProxyNCA++ (Teh et al. 2020); the loss is then a softmax
    SoftmaxLikeOptions softmax{};     ///< label smoothing and recomputation
};

/// L = mean of -log(exp(-s d_y) / sum_{j != y} exp(-s d_j)), d_j = |x / |x| - p_j / |p_j||^2, s the scale
/// (Movshovitz-Attias et al., ICCV 2017, with s = 1). With own_in_denominator the sum is over all j; without it the
/// loss may be negative. Logits: -s d_j. Parameter: proxies [classes, dim], initially Xavier-uniform.
class ProxyNca : public SoftmaxLike {
public:
    /// Throws Error when classes is below 2, dim below 1, or scale is not above 0.
    explicit ProxyNca(const ProxyNcaOptions& options);
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    Tensor logits(const Tensor& feature) override;
    /// The proxies [classes, dim].
    Tensor prototypes() const override { return proxies_; }

    /// The loss's entry in the registry.
    static LossInfo info();

private:
    ProxyNcaOptions options_;
    Tensor proxies_;
};

}  // namespace radial
