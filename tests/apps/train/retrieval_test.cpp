// Tests of recall@K, R-precision and MAP@R.
#include "radial/apps/train/retrieval.h"
#include "../../expect.h"
#include "../../folders.h"
#include "../program.h"
#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"

#include <nlohmann/json.hpp>

#include <cmath>

namespace radial::test {
namespace {

Tensor labels_of(const std::vector<std::int64_t>& labels) {
    return Tensor::from(labels, {std::ssize(labels)}, Device{});
}

}  // namespace

TEST_CASE("recall@K, R-precision and MAP@R are pytorch-metric-learning's", "[apps]") {
    const auto recorded = nlohmann::json::parse(read_text(test_folder() + "/golden/retrieval.json"));
    for (const auto& [name, entry] : recorded.items()) {
        const auto labels = entry.at("labels").get<std::vector<std::int64_t>>();
        const auto features = entry.at("features").get<std::vector<float>>();
        const Tensor rows = Tensor::from(features, {std::ssize(labels), entry.at("dim").get<std::int64_t>()});
        for (const auto distance : {train::FeatureDistance::euclidean, train::FeatureDistance::cosine}) {
            const bool cosine = distance == train::FeatureDistance::cosine;
            INFO(name << (cosine ? ", cosine" : ", euclidean"));
            const auto& expected = entry.at(cosine ? "cosine" : "euclidean");
            const auto found = train::retrieval_metrics(rows, labels_of(labels), {.distance = distance});
            CHECK(found.queries == expected.at("queries"));
            CHECK(found.r_precision == Approx(expected.at("r_precision").get<double>()).epsilon(1e-9));
            CHECK(found.map_at_r == Approx(expected.at("map_at_r").get<double>()).epsilon(1e-9));
            REQUIRE(found.recall.size() == 4);
            for (std::size_t k = 0; k < 4; ++k)
                CHECK(found.recall[k] == Approx(expected.at("recall")[k].get<double>()).epsilon(1e-9));
        }
    }
}

TEST_CASE("the figures of retrieval do not depend on where the features lie", "[apps]") {
    Generator random(3);
    const Tensor features = Tensor::empty({60, 4}, DType::float32, Device{});
    normal_(features, 0, 1, random);
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < 60; ++i) labels.push_back(i % 5);
    const auto near = train::retrieval_metrics(features, labels_of(labels));
    const auto far = train::retrieval_metrics(features + 4096, labels_of(labels));
    CHECK(far.map_at_r == Approx(near.map_at_r).epsilon(0.02));
    CHECK(near.map_at_r > 0);
}

TEST_CASE("of equal distances the sample with the smaller index comes first", "[apps]") {
    // Samples 0 and 1 are equally far from sample 2.
    const Tensor features = Tensor::from<float>({-1, 1, 0, 9}, {4, 1});
    const auto found = train::retrieval_metrics(features, labels_of({0, 1, 1, 2}), {.recall_at = {1, 2}});
    CHECK(found.queries == 2);
    CHECK(found.recall == std::vector<double>{0.5, 1});  // sample 1 finds 2; sample 2 finds 0, then 1
}

TEST_CASE("samples that are the only ones of their class are no queries", "[apps]") {
    const Tensor features = Tensor::from<float>({0, 1, 2}, {3, 1});
    const auto found = train::retrieval_metrics(features, labels_of({0, 1, 2}));
    CHECK(found.queries == 0);
    CHECK(found.map_at_r == 0);
    CHECK(train::retrieval_metrics(Tensor::zeros({0, 3}), labels_of({})).queries == 0);
}

TEST_CASE("retrieval refuses features and labels that it cannot rank", "[apps]") {
    const Tensor features = Tensor::from<float>({0, 1, 2, NAN}, {2, 2});
    CHECK(error_of([&] {
              train::retrieval_metrics(features, labels_of({0, 0}));
          }) == "retrieval_metrics: the feature of sample 1 is nan at element 1");
    CHECK(error_of([&] { train::retrieval_metrics(features, labels_of({0})); }) ==
          "retrieval_metrics: labels are int64[1], expected int64[2] on the CPU");
    const Tensor vector = Tensor::zeros({4}, DType::float32, Device{});
    CHECK(error_of([&] {
              train::retrieval_metrics(vector, labels_of({0, 0, 0, 0}));
          }) == "retrieval_metrics: features are float32[4], expected float32 [N, D]");
    CHECK(error_of([&] {
              train::retrieval_metrics(Tensor::zeros({2, 2}), labels_of({0, 0}), {.recall_at = {0}});
          }) == "retrieval_metrics: recall@0: expected K above 0");
}

TEST_CASE("the nearest neighbours of queries are those of plain sums, for both distances", "[apps]") {
    Generator generator(5);
    const Tensor samples = Tensor::empty({40, 6}, DType::float32, Device{}),
                 queries = Tensor::empty({7, 6}, DType::float32, Device{});
    normal_(samples, 0, 1, generator);
    normal_(queries, 0, 1, generator);
    const std::vector<double> rows = samples.to_vector<double>(), asked = queries.to_vector<double>();
    for (const auto distance : {train::FeatureDistance::euclidean, train::FeatureDistance::cosine}) {
        const auto found = train::nearest_neighbours(queries, samples, 3, distance);
        REQUIRE(found.size() == 7);
        for (std::size_t q = 0; q < 7; ++q) {
            std::vector<std::pair<double, std::int64_t>> all;
            for (std::size_t i = 0; i < 40; ++i) {
                double square = 0, dot = 0, own = 0, other = 0;
                for (std::size_t d = 0; d < 6; ++d) {
                    const double a = asked[q * 6 + d], b = rows[i * 6 + d];
                    square += (a - b) * (a - b);
                    dot += a * b;
                    own += a * a;
                    other += b * b;
                }
                all.emplace_back(
                    distance == train::FeatureDistance::cosine ? 1 - dot / std::sqrt(own * other) : std::sqrt(square),
                    static_cast<std::int64_t>(i));
            }
            std::ranges::sort(all);
            REQUIRE(found[q].size() == 3);
            for (std::size_t k = 0; k < 3; ++k) {
                CHECK(found[q][k].index == all[k].second);
                CHECK(found[q][k].distance == Approx(all[k].first).epsilon(1e-5));
            }
        }
    }
}

TEST_CASE("fewer samples than neighbours are all found, equal ones in their order", "[apps]") {
    const Tensor samples = Tensor::full({3, 2}, 1.0, DType::float32, Device{});
    const auto found = train::nearest_neighbours(samples.rows(0, 1), samples, 10);
    REQUIRE(found.at(0).size() == 3);
    for (std::size_t k = 0; k < 3; ++k) CHECK(found[0][k].index == static_cast<std::int64_t>(k));
    CHECK(error_of([&] { train::nearest_neighbours(samples, samples, 0); }) ==
          "nearest_neighbours: 0 neighbours asked for, expected at least 1");
    CHECK(error_of([&] {
              train::nearest_neighbours(Tensor::zeros({1, 3}, DType::float32, Device{}), samples, 1);
          }) == "nearest_neighbours: queries have 3 elements, samples 2, expected the same");
}

}  // namespace radial::test
