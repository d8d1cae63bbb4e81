// The ops over pairs of a batch against PyTorch: every rule, miner and option.
#include "golden.h"
#include "radial/core/ops.h"
#include "radial/losses/functional.h"

#include <set>

namespace radial::test {
namespace {

const std::string fixture = "pair_ops.safetensors";

/// The numbers that a case gives an op.
struct Settings {
    nlohmann::json values{};
    double number(const char* name, double otherwise) const { return values.value(name, otherwise); }
    bool flag(const char* name, bool otherwise) const { return number(name, otherwise ? 1 : 0) != 0; }
};

Settings settings_of(const GoldenCase& golden) { return {golden.attributes.at("settings")}; }

PairLabels labels_of(const TensorMap& in) {
    const auto columns = in.find("columns");
    return {.rows = in.at("rows"), .columns = columns == in.end() ? Tensor() : columns->second};
}

struct OpUnderTest {
    std::string name;
    std::size_t cases;
    std::function<Tensor(const GoldenCase&, const TensorMap&)> call;

    GoldenFunction function() const {
        return [call = call](const GoldenCase& golden, TensorMap& in) { return TensorMap{{"y", call(golden, in)}}; };
    }
};

Tensor call_triplet_loss(const GoldenCase& golden, const TensorMap& in) {
    const Settings s = settings_of(golden);
    Generator generator(static_cast<std::uint64_t>(s.number("seed", 0)));
    return triplet_loss(in.at("distances"), labels_of(in),
                        {.margin = s.number("margin", 0.2),
                         .miner = static_cast<TripletMiner>(s.number("miner", 0)),
                         .soft = s.flag("soft", false),
                         .over_nonzero = s.flag("over_nonzero", true),
                         .dimension = static_cast<std::int64_t>(s.number("dimension", 0)),
                         .cutoff = s.number("cutoff", 0.5),
                         .furthest = s.number("furthest", 1.4)},
                        generator);
}

const std::vector<OpUnderTest> ops = {
    {"distances", 4, [](const GoldenCase&, const TensorMap& in) { return distances(in.at("x"), in.at("w")); }},
    {"contrastive_loss", 12,
     [](const GoldenCase& golden, const TensorMap& in) {
         const Settings s = settings_of(golden);
         return contrastive_loss(in.at("distances"), labels_of(in),
                                 {.positive_margin = s.number("positive_margin", 0),
                                  .margin = s.number("margin", 1),
                                  .power = static_cast<int>(s.number("power", 2)),
                                  .over_nonzero = s.flag("over_nonzero", false)});
     }},
    {"triplet_loss", 22, call_triplet_loss},
    {"supervised_contrastive_loss", 8,
     [](const GoldenCase& golden, const TensorMap& in) {
         return supervised_contrastive_loss(in.at("similarities"), labels_of(in),
                                            settings_of(golden).number("temperature", 0.1));
     }},
    {"multi_similarity_loss", 10,
     [](const GoldenCase& golden, const TensorMap& in) {
         const Settings s = settings_of(golden);
         return multi_similarity_loss(in.at("similarities"), labels_of(in),
                                      {.alpha = s.number("alpha", 2),
                                       .beta = s.number("beta", 50),
                                       .base = s.number("base", 0.5),
                                       .mining = s.flag("mining", true),
                                       .epsilon = s.number("epsilon", 0.1)});
     }},
    {"circle_loss", 12,
     [](const GoldenCase& golden, const TensorMap& in) {
         const Settings s = settings_of(golden);
         return circle_loss(in.at("similarities"), labels_of(in),
                            {.margin = s.number("margin", 0.25),
                             .gamma = s.number("gamma", 256),
                             .through_weights = s.flag("through_weights", false)});
     }},
    {"proxy_anchor_loss", 8,
     [](const GoldenCase& golden, const TensorMap& in) {
         const Settings s = settings_of(golden);
         return proxy_anchor_loss(in.at("similarities"), labels_of(in),
                                  {.alpha = s.number("alpha", 32), .delta = s.number("delta", 0.1)});
     }},
    {"range_intra_loss", 6,
     [](const GoldenCase& golden, const TensorMap& in) {
         return range_intra_loss(in.at("distances"), in.at("labels"), golden.attributes.at("k"));
     }},
    {"range_inter_loss", 10,
     [](const GoldenCase& golden, const TensorMap& in) {
         return range_inter_loss(in.at("distances"), in.at("labels"), golden.attributes.at("margin"));
     }},
    {"batch_class_means", 5,
     [](const GoldenCase&, const TensorMap& in) { return batch_class_means(in.at("x"), in.at("labels")); }},
};

}  // namespace

TEST_CASE("ops over pairs of a batch agree with PyTorch", "[golden][pairs]") {
    for (const OpUnderTest& op : ops) check_all_golden(fixture, op.name, op.cases, op.function());
}

TEST_CASE("every recorded op over pairs is compared", "[golden][pairs][host]") {
    std::set<std::string> tested, recorded;
    for (const OpUnderTest& op : ops) tested.insert(op.name);
    for (const GoldenCase& golden : golden_cases(fixture)) recorded.insert(golden.op);
    CHECK(tested == recorded);
}

TEST_CASE("every op over pairs runs on a device without waiting for it, forward and backward",
          "[golden][pairs][device]") {
    for (const OpUnderTest& op : ops) {
        for (const GoldenCase& golden : golden_cases(fixture, op.name, op.cases)) {
            for (const GoldenRun& run : golden_runs(golden)) {
                INFO(golden.name << ", " << run.str());
                check_golden_graph(golden, run, op.function());
            }
        }
    }
}

}  // namespace radial::test
