// Tests of functions that all losses share: checks of features and labels, and class weights.
#include "radial/losses/loss.h"
#include "batches.h"
#include "every_loss.h"
#include "radial/losses/functional.h"
#include "radial/losses/rbf_softmax.h"
#include "radial/losses/softmax.h"

namespace radial::test {

TEST_CASE("losses refuse features, labels and sizes that do not fit") {
    RbfSoftmax rbf({.classes = 10, .dim = 32});
    Softmax softmax({.classes = 10, .dim = 32});
    const Tensor labels = labels_of(4, 10), narrow = feature_of(4, 8, DType::float32, 0.3);
    CHECK(error_of([&] { rbf.forward(narrow, labels); }) == "RbfSoftmax: feature has dimension 8, prototypes have 32");
    CHECK(error_of([&] { rbf.logits(narrow); }) == "RbfSoftmax: feature has dimension 8, prototypes have 32");
    CHECK(error_of([&] { softmax.forward(narrow, labels); }) == "Softmax: feature has dimension 8, prototypes have 32");
    CHECK(error_of([&] { softmax.logits(Tensor::zeros({4})); }) == "Softmax: feature has shape [4], expected [N, 32]");
    CHECK(error_of([&] { rbf.forward(feature_of(4, 32, DType::float32, 0.3), labels_of(3, 10)); }) ==
          "RbfSoftmax: labels are int64[3], expected int64[4]");
    CHECK(error_of([] { Softmax({.classes = 0}); }) == "Softmax: classes 0 and dim 32 must each be at least 1");
    CHECK(error_of([] { RbfSoftmax({.dim = 0}); }) == "RbfSoftmax: classes 10 and dim 0 must each be at least 1");
}

TEST_CASE("a label out of range is an error that names it and its sample") {
    const Tensor feature = feature_of(2, 4, DType::float32, 0.3),
                 labels = Tensor::from(std::vector<std::int64_t>{0, 10}, {2});
    CHECK(error_after([&] { make_loss("softmax", 10, 4)->forward(feature, labels); }) ==
          bad_index("softmax_loss: label 10 of sample 1 is outside [0, 10)", 10, 1, 10));
    CHECK(error_after([&] { make_loss("rbf-softmax", 10, 4)->forward(feature, labels); }) ==
          bad_index("rbf_softmax_loss: label 10 of sample 1 is outside [0, 10)", 10, 1, 10));
}

TEST_CASE("class weights make samples count as their classes do") {
    const Tensor feature = feature_of(4, 8, DType::float32, 0.3),
                 labels = Tensor::from(std::vector<std::int64_t>{0, 0, 1, 1}, {4});
    const auto loss = make_loss("arcface", 3, 8);
    const double all = loss->forward(feature, labels).item();
    loss->set_class_weights({1, 0, 1});
    CHECK(loss->forward(feature, labels).item() == Approx(loss->forward(feature.rows(0, 2), labels.rows(0, 2)).item()));
    loss->set_class_weights({});
    CHECK(loss->forward(feature, labels).item() == all);
}

TEST_CASE("class weights that do not fit are refused, and those of a loss that is no softmax") {
    const auto loss = make_loss("softmax", 3, 8);
    CHECK(error_of([&] { loss->set_class_weights({1, 2}); }) == "Softmax: 2 class weights, expected 3");
    CHECK(error_of([&] {
              loss->set_class_weights({1, -2, 1});
          }) == "Softmax: the weight of class 1 is -2, expected a number of at least 0");
    CHECK(error_of([&] { loss->set_class_weights({0, 0, 0}); }) == "Softmax: every class weight is 0");
}

TEST_CASE("a sample of a class with weight 0 does not count", "[losses]") {
    const std::vector<std::pair<std::string, LossSettings>> losses = {{"proxy-nca", {}},
                                                                      {"rbf-network", {{"squared_error", 1}}},
                                                                      {"g-softmax", {}},
                                                                      {"focal", {}},
                                                                      {"cpl", {{"prototypes_per_class", 2}}},
                                                                      {"center", {{"lambda", 1}}},
                                                                      {"ring", {{"lambda", 1}}},
                                                                      {"g-cpl", {{"lambda", 1}}},
                                                                      {"lgm", {{"lambda", 1}}},
                                                                      {"lgm", {{"lambda", 1}, {"covariance", 1}}},
                                                                      {"magface", {{"lower_length", 0.01}}},
                                                                      {"softmax + 0.5 * compact", {}},
                                                                      {"softmax + 0.5 * arcface", {}}};
    for (const auto& [name, settings] : losses) {
        INFO(name);
        const auto loss = make_loss(name, 6, 4, settings);
        loss->eval();
        loss->set_class_weights({1, 1, 0, 1, 1, 1});
        const Tensor feature = batch_of(3).feature;
        const double all = loss->forward(feature, label_list({0, 5, 2})).item();
        CHECK(all == Approx(loss->forward(feature.rows(0, 2), label_list({0, 5})).item()).epsilon(1e-5));
        CHECK(all != Approx(loss->forward(feature, label_list({0, 5, 4})).item()).epsilon(1e-5));
    }
}

TEST_CASE("class weights reach the terms that are means over samples, and no others", "[losses]") {
    const Batch batch = batch_of(6);
    const std::vector<double> weights = {1, 2, 3, 4, 5, 6};
    // The difference that the second term makes to the loss of `head`, with the class weights `counts`.
    const auto added = [&](const std::string& head, const std::string& sum, const std::vector<double>& counts) {
        const auto alone = make_loss(head, 6, 4), both = make_loss(sum, 6, 4);
        both->eval();
        for (const NamedTensor& own : alone->state()) own.tensor.copy_(named(*both, "head." + own.name));
        alone->set_class_weights(counts);
        both->set_class_weights(counts);
        return both->forward(batch.feature, batch.labels).item() - alone->forward(batch.feature, batch.labels).item();
    };
    for (const auto& [term, reached] :
         {std::pair("center", true), std::pair("ring", true), std::pair("compact", true), std::pair("cosface", true),
          std::pair("range", false), std::pair("exclusive", false), std::pair("triplet", false)}) {
        INFO(term);
        manual_seed(3);
        const double plain = added("softmax", std::string("softmax + 100 * ") + term, {});
        manual_seed(3);
        const double weighted = added("softmax", std::string("softmax + 100 * ") + term, weights);
        CHECK((weighted == Approx(plain).epsilon(1e-4)) == !reached);
    }
}

}  // namespace radial::test
