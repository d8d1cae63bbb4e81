// Compares Softmax and G-Softmax with the cross-entropy of their logits and with composed ops.
#include "radial/losses/softmax.h"
#include "batches.h"
#include "every_loss.h"
#include "radial/core/ops.h"
#include "radial/losses/functional.h"
#include "radial/losses/loss.h"

namespace radial::test {

TEST_CASE("softmax and RBF-Softmax are the cross-entropy of their logits") {
    for (const std::string name : {"softmax", "rbf-softmax"}) {
        INFO(name);
        const auto loss = make_loss(name, 10, 8);
        const Tensor feature = feature_of(16, 8, DType::float32, 0.3), labels = labels_of(16, 10);
        CHECK(loss->forward(feature, labels).item() ==
              Approx(cross_entropy(loss->logits(feature), labels).item()).epsilon(1e-5));
    }
}

TEST_CASE("the fused softmax loss has its composition's value and gradients in float64") {
    Tensor feature = feature_of(7, 5, DType::float64, 0.3), other = feature.clone();
    Softmax loss({.classes = 4, .dim = 5});
    loss.to(DType::float64);
    const auto parameters = loss.parameters();
    Tensor weight = parameters[0].clone(), bias = parameters[1].clone();
    for (Tensor* leaf : {&feature, &other, &weight, &bias}) leaf->set_requires_grad();
    const Tensor labels = labels_of(7, 4);
    const Tensor fused = loss.forward(feature, labels), composed = cross_entropy(linear(other, weight, bias), labels);
    fused.backward();
    composed.backward();
    CHECK(relative_difference(fused, composed) < 1e-10);
    CHECK(relative_difference(feature.grad(), other.grad()) < 1e-10);
    CHECK(relative_difference(parameters[0].grad(), weight.grad()) < 1e-10);
    CHECK(relative_difference(parameters[1].grad(), bias.grad()) < 1e-10);
}

TEST_CASE("g-softmax without its distribution function is softmax", "[losses][g-softmax]") {
    const auto softmax = make_loss("softmax", 6, 4), other = make_loss("g-softmax", 6, 4, {{"alpha", 0}});
    named(*other, "weight").copy_(named(*softmax, "weight"));
    named(*other, "bias").copy_(named(*softmax, "bias"));
    const auto [feature, labels] = batch_of(7);
    CHECK(other->forward(feature, labels).item() == Approx(softmax->forward(feature, labels).item()).epsilon(1e-5));
}

TEST_CASE("a cross-entropy with its own normaliser is the cross-entropy", "[losses]") {
    RandomInputs random(9);
    const Tensor logits = random.tensor({7, 5}, -3, 3), labels = random.labels(7, 5),
                 weights = random.tensor({5}, 0.1, 2);
    for (const HeadOptions& options :
         {HeadOptions{}, HeadOptions{.smoothing = 0.3}, HeadOptions{.class_weights = weights},
          HeadOptions{.smoothing = 0.3, .class_weights = weights}}) {
        const Tensor own = normalised_cross_entropy(logits, log_sum_exp(logits), labels, options);
        CHECK(own.item() == Approx(cross_entropy(logits, labels, options).item()).epsilon(1e-10));
    }
}

}  // namespace radial::test
