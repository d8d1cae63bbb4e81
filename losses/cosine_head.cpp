// CosineHead: weights, checks, prediction.
#include "radial/losses/cosine_head.h"

#include "radial/core/tensor/random.h"
#include "radial/losses/feature_check.h"

namespace radial {

CosineHead::CosineHead(std::string_view loss, std::int64_t classes, std::int64_t dim, double scale,
                       const SoftmaxLikeOptions& options, std::int64_t vectors)
    : SoftmaxLike(loss, classes, dim, options), name_(loss), scale_(scale) {
    RADIAL_CHECK(scale > 0, "{}: scale is {}, expected above 0", loss, scale);
    RADIAL_CHECK(vectors >= 1, "{}: {} centres a class, expected at least 1", loss, vectors);
    weight_ = register_parameter("weight", Tensor::empty({classes * vectors, dim}));
    init::xavier_uniform_(weight_);
}

Tensor CosineHead::forward(const Tensor& feature, const Tensor& labels) {
    check_feature(name_, feature, weight_);
    check_labels(name_, labels, feature);
    return margin_loss(cast(feature, weight_.dtype()), labels);
}

Tensor CosineHead::logits(const Tensor& feature) {
    check_feature(name_, feature, weight_);
    const Tensor scaled = all_cosines(feature) * scale_, factor = scale_factor();
    return factor.defined() ? scaled * factor : scaled;
}

Tensor CosineHead::all_cosines(const Tensor& feature) const { return cosines(cast(feature, weight_.dtype()), weight_); }

Tensor CosineHead::own_cosines(const Tensor& feature, const Tensor& labels) const {
    const NoGrad no_grad;
    return sum(unit_rows(feature) * unit_rows(gather_rows(weight_, labels)), {1});
}

}  // namespace radial
