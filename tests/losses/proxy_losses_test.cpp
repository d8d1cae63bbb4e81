// Tests of SoftTriple and ProxyNca: in special cases they equal other losses.
#include "batches.h"
#include "radial/core/ops.h"
#include "radial/losses/functional.h"

#include <cmath>

namespace radial::test {
namespace {

/// A loss with the state of `other` and its own settings.
std::unique_ptr<Loss> with_state(const std::string& name, const Loss& other, const LossSettings& settings) {
    auto loss = make_loss(name, 6, 4, settings);
    loss->load_state(other.state());
    return loss;
}

}  // namespace

TEST_CASE("soft-triple with one centre a class is a softmax over scaled cosines", "[losses][soft-triple]") {
    const auto triple = make_loss("soft-triple", 6, 4, {{"centres_per_class", 1}, {"delta", 0}, {"lambda", 30}});
    const auto cosine = make_loss("cos-softmax", 6, 4, {{"scale", 30}});
    named(*cosine, "weight").copy_(named(*triple, "centres"));
    const auto [feature, labels] = batch_of(7);
    CHECK(triple->forward(feature, labels).item() == Approx(cosine->forward(feature, labels).item()).epsilon(1e-5));
}

TEST_CASE("proxy-nca with and without the own proxy below the fraction are each other's softplus",
          "[losses][proxy-nca]") {
    const auto without = make_loss("proxy-nca", 6, 4);
    const auto with = with_state("proxy-nca", *without, {{"own_in_denominator", 1}});
    const auto [feature, labels] = batch_of(1);
    const double value = without->forward(feature, labels).item();
    CHECK(with->forward(feature, labels).item() == Approx(std::log1p(std::exp(value))).epsilon(1e-5));
}

}  // namespace radial::test
