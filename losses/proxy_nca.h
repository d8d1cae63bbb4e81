// Proxy-NCA: neighbourhood component analysis against one learned proxy a class.
#pragma once

#include "radial/losses/softmax_like.h"

namespace radial {

struct ProxyNcaOptions {
    std::int64_t classes = 10;
    std::int64_t dim = 32;            ///< feature dimension
    double scale = 1;                 ///< what the squared distances are multiplied by: 1 / temperature
    bool own_in_denominator = false;  ///< as ProxyNCA++ (Teh et al. 2020), which makes it a softmax
    SoftmaxLikeOptions softmax{};
};

/// L = mean of -log(exp(-s d_y) / sum_{j != y} exp(-s d_j)), d_j = |x / |x| - p_j / |p_j||^2, s the scale
/// (Movshovitz-Attias et al., ICCV 2017, with s = 1); with own_in_denominator the sum is over all j. The
/// value may be below 0 without it. Predicts -s d_j. Parameter: proxies [classes, dim], started Xavier-uniform.
class ProxyNca : public SoftmaxLike {
public:
    /// Throws Error when classes is below 2, dim below 1, or scale is not above 0.
    explicit ProxyNca(const ProxyNcaOptions& options);
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    Tensor logits(const Tensor& feature) override;
    /// The proxies [classes, dim].
    Tensor prototypes() const override { return proxies_; }

    static LossInfo info();

private:
    ProxyNcaOptions options_;
    Tensor proxies_;
};

}  // namespace radial
