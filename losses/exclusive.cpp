// Exclusive: the nearest other prototype in angle, and its entry in the registry.
#include "radial/losses/exclusive.h"

#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

namespace radial {

Exclusive::Exclusive(std::int64_t classes) : classes_(classes) {
    RADIAL_CHECK(classes >= 2, "Exclusive: classes is {}, expected at least 2", classes);
}

Tensor Exclusive::forward(const Tensor&, const Tensor&, const Tensor& prototypes) {
    RADIAL_CHECK(prototypes.defined(), "Exclusive: the loss beside it has no prototypes");
    RADIAL_CHECK(prototypes.rank() == 2 && prototypes.size(0) == classes_,
                 "Exclusive: prototypes are {}, expected one for each of {} classes", prototypes.shape().str(),
                 classes_);
    // max has the gradient of the cosine that it chose: one number a class, where all cosines at once would be classes
    // squared.
    return mean(sum(unit_rows(prototypes) * unit_rows(gather_rows(prototypes, nearest(prototypes))), {1}));
}

// Of each class the other one whose prototype is nearest in angle.
Tensor Exclusive::nearest(const Tensor& prototypes) {
    const NoGrad guard;
    if (!classes_in_order_.defined()) {
        std::vector<std::int64_t> numbers(static_cast<std::size_t>(classes_));
        std::iota(numbers.begin(), numbers.end(), std::int64_t{0});
        classes_in_order_ = Tensor::from(numbers, {classes_}, Device{});
    }
    // Once for each device, so that a step copies nothing from the host.
    classes_in_order_ = classes_in_order_.to(prototypes.device());
    const Tensor chosen = Tensor::empty({classes_}, DType::int64, prototypes.device());
    constexpr std::int64_t block = 1024;  // rows of cosines at a time
    constexpr double never = -std::numeric_limits<double>::infinity();
    for (std::int64_t first = 0; first < classes_; first += block) {
        const std::int64_t end = std::min(first + block, classes_);
        const Tensor own = place(Tensor::full({end - first}, never, prototypes.dtype(), prototypes.device()),
                                 classes_in_order_.rows(first, end), classes_);
        chosen.rows(first, end).copy_(argmax(cosines(prototypes.rows(first, end), prototypes) + own));
    }
    return chosen;
}

RegulariserInfo Exclusive::info() {
    return {
        .name = "exclusive",
        .formula = "mean over classes i of max_{j != i} cos(W_i, W_j), of the loss's own prototypes",
        .source = "Zhao, Xu, Cheng: RegularFace, CVPR 2019, exclusive regularisation",
        .defaults = {},
        .make = [](std::int64_t classes, std::int64_t,
                   const LossSettings&) { return std::make_unique<Exclusive>(classes); },
    };
}

}  // namespace radial
