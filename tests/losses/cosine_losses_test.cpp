// Tests of losses over cosines: the length to which MagFace limits features, and the scale of CosSoftmax.
#include "radial/losses/cosine_losses.h"
#include "every_loss.h"
#include "radial/core/ops.h"
#include "radial/losses/functional.h"
#include "radial/losses/loss.h"

#include <cmath>

namespace radial::test {

TEST_CASE("MagFace limits the length of a feature to its upper length", "[losses][magface]") {
    auto loss = make_loss("magface", 5, 4);
    const Tensor feature = feature_of(6, 4, DType::float32, 0.3), labels = labels_of(6, 5);
    const auto at_length = [&](double length) { return loss->forward(unit_rows(feature) * length, labels).item(); };
    const double expected = at_length(110);
    for (const double length : {200.0, 1e5, 1e8, 1e12}) CHECK(at_length(length) == Approx(expected).epsilon(1e-5));
}

TEST_CASE("cos-softmax takes its scale from the rule unless it is told one", "[losses][cos-softmax]") {
    CHECK(CosSoftmax({.classes = 10}).scale() == Approx(0.5 * std::log(9e4) + 3));
    CHECK(CosSoftmax({.classes = 10, .scale = 30}).scale() == 30);
}

}  // namespace radial::test
