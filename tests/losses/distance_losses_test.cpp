// Tests of Cpl and Lgm: several prototypes per class, and covariances.
#include "radial/losses/distance_losses.h"
#include "batches.h"
#include "radial/core/ops.h"
#include "radial/losses/functional.h"

namespace radial::test {

TEST_CASE("several equal prototypes a class are as good as one", "[losses][cpl]") {
    Cpl one({.classes = 6, .dim = 4}), three({.classes = 6, .dim = 4, .prototypes_per_class = 3});
    std::vector<std::int64_t> rows;
    for (std::int64_t i = 0; i < 18; ++i) rows.push_back(i / 3);
    three.prototypes().copy_(gather_rows(one.prototypes().detach(), label_list(rows)));
    const auto [feature, labels] = batch_of(7);
    CHECK(three.forward(feature, labels).item() == Approx(one.forward(feature, labels).item()).epsilon(1e-5));
}

TEST_CASE("lgm with a diagonal covariance of 1 is lgm with the identity", "[losses][lgm]") {
    const auto diagonal = make_loss("lgm", 6, 4, {{"covariance", 1}, {"alpha", 0.4}, {"lambda", 0.7}});
    const auto identity = make_loss("lgm", 6, 4, {{"alpha", 0.4}, {"lambda", 0.7}});
    identity->load_state({{"means", named(*diagonal, "means")}});
    const auto [feature, labels] = batch_of(7);
    CHECK(diagonal->forward(feature, labels).item() == Approx(identity->forward(feature, labels).item()).epsilon(1e-5));
    CHECK(relative_difference(diagonal->logits(feature), identity->logits(feature)) < 1e-5);
}

TEST_CASE("lgm with a diagonal covariance keeps its digits far from the origin", "[losses][lgm]") {
    for (const std::int64_t rows : {8, 12000}) {
        INFO(rows << " features");
        auto full = make_loss("lgm", 6, 4);
        const Tensor means = named(*full, "means");
        {
            const NoGrad no_grad;
            means.copy_(means + 4096.0);
        }
        auto diagonal = make_loss("lgm", 6, 4, {{"covariance", 1}});
        diagonal->load_state({{"means", means}, {"log_variances", Tensor::zeros({6, 4})}});
        const auto results = [&](Loss& loss) {
            Batch batch = batch_of(rows);
            Tensor feature = (batch.feature + 4096.0).detach().clone();
            feature.set_requires_grad();
            const Tensor value = loss.forward(feature, batch.labels);
            value.backward();
            return std::vector<Tensor>{value.detach(), feature.grad(), named(loss, "means").grad()};
        };
        const auto expected = results(*full), found = results(*diagonal);
        for (std::size_t i = 0; i < expected.size(); ++i) CHECK(relative_difference(found[i], expected[i]) < 1e-5);
    }
}

}  // namespace radial::test
