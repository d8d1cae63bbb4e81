// ClassMeans: the buffers, and logits from them.
#include "radial/losses/class_means.h"

#include "radial/core/distributed/over_ranks.h"
#include "radial/core/ops.h"
#include "radial/losses/functional.h"

namespace radial {

ClassMeans::ClassMeans(std::string_view loss, std::int64_t classes, std::int64_t dim, double momentum)
    : momentum_(momentum) {
    RADIAL_CHECK(classes >= 1 && dim >= 1, "{}: classes {} and dim {} must each be at least 1", loss, classes, dim);
    RADIAL_CHECK(momentum > 0 && momentum <= 1, "{}: momentum is {}, expected above 0 and at most 1", loss, momentum);
    mean_ = register_buffer("mean", Tensor::zeros({classes, dim}), BufferKind::statistic);
    seen_ = register_buffer("seen", Tensor::zeros({classes}), BufferKind::state);
}

void ClassMeans::update(const Tensor& x, const Tensor& labels) const {
    update_class_means(mean_, seen_, rows_of_all_ranks(x), rows_of_all_ranks(labels), momentum_);
}

Tensor ClassMeans::logits(const Tensor& x, bool by_cosine) const {
    // Copies, so that a batch taken in before backward() does not change what that reads.
    const Tensor mean = mean_.clone(), seen = seen_.clone();
    const Tensor score = by_cosine ? cosines(x, mean) : -squared_distances(x, mean);
    return score * seen + (seen * -1.0 + 1.0) * unseen_logit;
}

}  // namespace radial
