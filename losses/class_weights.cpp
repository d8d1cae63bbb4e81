// ClassWeights: checks, and copies where they are wanted.
#include "radial/losses/class_weights.h"

#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"

#include <algorithm>
#include <cmath>

namespace radial {

void ClassWeights::set(std::string_view loss, std::int64_t classes, const std::vector<double>& weights) {
    if (!weights.empty()) {
        RADIAL_CHECK(static_cast<std::int64_t>(weights.size()) == classes, "{}: {} class weights, expected {}", loss,
                     weights.size(), classes);
        for (std::size_t i = 0; i < weights.size(); ++i) {
            RADIAL_CHECK(weights[i] >= 0 && std::isfinite(weights[i]),
                         "{}: the weight of class {} is {}, expected a number of at least 0", loss, i, weights[i]);
        }
        RADIAL_CHECK(std::ranges::any_of(weights, [](double w) { return w > 0; }), "{}: every class weight is 0", loss);
    }
    given_ = like_ = sum_ = weights.empty() ? Tensor() : Tensor::from(weights, {classes}, Device{});
}

Tensor ClassWeights::like(const Tensor& x) {
    if (like_.defined()) like_ = like_.to(x.dtype()).to(x.device());
    return like_;
}

Tensor ClassWeights::sum_over(const Tensor& labels) {
    if (!given_.defined()) return {};
    const NoGrad guard;
    sum_ = sum_.to(labels.device());
    return sum(gather_rows(reshape(sum_, {sum_.numel(), 1}), labels));
}

}  // namespace radial
