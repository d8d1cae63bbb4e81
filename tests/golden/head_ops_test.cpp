// The softmax heads with all their options, and what compares rows, against PyTorch.
#include "golden.h"
#include "radial/core/ops.h"
#include "radial/losses/functional.h"

#include <set>

namespace radial::test {
namespace {

const std::string fixture = "head_ops.safetensors";

Tensor at(const TensorMap& inputs, const std::string& name) {
    const auto found = inputs.find(name);
    return found == inputs.end() ? Tensor() : found->second;
}

HeadOptions options_of(const GoldenCase& golden, const TensorMap& in, bool recompute) {
    return {
        .smoothing = golden.number("smoothing", 0), .class_weights = at(in, "class_weights"), .recompute = recompute};
}

RbfKernel rbf_of(const GoldenCase& golden, const TensorMap& in) {
    return {.scale = golden.number("scale", 2),
            .gamma = golden.number("gamma", 1),
            .margin = golden.number("margin", 0),
            .scale_factor = at(in, "scale_factor"),
            .gamma_factor = at(in, "gamma_factor")};
}

DistanceLogits distances_of(const GoldenCase& golden, const TensorMap& in) {
    return {.gamma = golden.number("gamma", 1), .margin = golden.number("margin", 0), .bias = at(in, "bias")};
}

CosineMargin margin_of(const GoldenCase& golden, const TensorMap& in) {
    return {.scale = golden.number("scale", 64),
            .angle = golden.number("angle", 0),
            .cosine = golden.number("cosine", 0),
            .multiple = static_cast<int>(golden.number("multiple", 1)),
            .scale_factor = at(in, "scale_factor"),
            .sample_angle = at(in, "sample_angle"),
            .blend = at(in, "blend"),
            .hardness = at(in, "hardness")};
}

struct OpUnderTest {
    std::string name;
    std::size_t cases;
    std::function<Tensor(const GoldenCase&, const TensorMap&, bool recompute)> call;

    GoldenFunction with(bool recompute) const {
        return [call = call, recompute](const GoldenCase& golden, TensorMap& in) {
            return TensorMap{{"y", call(golden, in, recompute)}};
        };
    }
};

OpUnderTest unary(const std::string& name, std::size_t cases, Tensor (*op)(const Tensor&)) {
    return {name, cases, [op](const GoldenCase&, const TensorMap& in, bool) { return op(at(in, "x")); }};
}
OpUnderTest of_two(const std::string& name, std::size_t cases, Tensor (*op)(const Tensor&, const Tensor&)) {
    return {name, cases, [op](const GoldenCase&, const TensorMap& in, bool) { return op(at(in, "x"), at(in, "w")); }};
}

const std::vector<OpUnderTest> heads = {
    {"softmax_loss", 4,
     [](const GoldenCase& golden, const TensorMap& in, bool recompute) {
         return softmax_loss(at(in, "feature"), at(in, "weight"), at(in, "bias"), at(in, "labels"),
                             options_of(golden, in, recompute));
     }},
    {"cross_entropy", 4,
     [](const GoldenCase& golden, const TensorMap& in, bool recompute) {
         return cross_entropy(at(in, "logits"), at(in, "labels"), options_of(golden, in, recompute));
     }},
    {"rbf_softmax_loss", 12,
     [](const GoldenCase& golden, const TensorMap& in, bool recompute) {
         return rbf_softmax_loss(at(in, "feature"), at(in, "prototypes"), at(in, "labels"), rbf_of(golden, in),
                                 options_of(golden, in, recompute));
     }},
    {"distance_softmax_loss", 4,
     [](const GoldenCase& golden, const TensorMap& in, bool recompute) {
         return distance_softmax_loss(at(in, "feature"), at(in, "prototypes"), at(in, "labels"),
                                      distances_of(golden, in), options_of(golden, in, recompute));
     }},
    {"distance_cross_entropy", 4,
     [](const GoldenCase& golden, const TensorMap& in, bool recompute) {
         return distance_cross_entropy(at(in, "distances"), at(in, "labels"), distances_of(golden, in),
                                       options_of(golden, in, recompute));
     }},
    {"cosine_softmax_loss", 28,
     [](const GoldenCase& golden, const TensorMap& in, bool recompute) {
         return cosine_softmax_loss(at(in, "feature"), at(in, "weight"), at(in, "labels"), margin_of(golden, in),
                                    options_of(golden, in, recompute));
     }},
    {"margin_cross_entropy", 28,
     [](const GoldenCase& golden, const TensorMap& in, bool recompute) {
         return margin_cross_entropy(at(in, "cosines"), at(in, "labels"), margin_of(golden, in),
                                     options_of(golden, in, recompute));
     }},
};

const std::vector<OpUnderTest> comparisons = {
    of_two("squared_distances", 3, squared_distances),
    of_two("cosines", 3, cosines),
    unary("row_norms", 2, row_norms),
    unary("unit_rows", 2, unit_rows),
    unary("normal_cdf", 2, normal_cdf),
    unary("softplus", 2, softplus),
    unary("median", 3, median),
    {"clamp", 2,
     [](const GoldenCase& golden, const TensorMap& in, bool) {
         return clamp(at(in, "x"), golden.number("low", 0), golden.number("high", 0));
     }},
};

}  // namespace

TEST_CASE("the heads agree with PyTorch in every margin and option, kept or recomputed", "[golden]") {
    for (const OpUnderTest& op : heads)
        for (const bool recompute : {false, true}) check_all_golden(fixture, op.name, op.cases, op.with(recompute));
}

TEST_CASE("distances, cosines, lengths and their kin agree with PyTorch", "[golden]") {
    for (const OpUnderTest& op : comparisons) check_all_golden(fixture, op.name, op.cases, op.with(false));
}

TEST_CASE("every recorded head is compared", "[golden][host]") {
    std::set<std::string> tested, recorded;
    for (const auto* family : {&heads, &comparisons})
        for (const OpUnderTest& op : *family) tested.insert(op.name);
    for (const GoldenCase& golden : golden_cases(fixture)) recorded.insert(golden.op);
    CHECK(tested == recorded);
}

TEST_CASE("every head runs on a device without waiting for it, forward and backward", "[golden][device]") {
    for (const auto* family : {&heads, &comparisons}) {
        for (const OpUnderTest& op : *family) {
            for (const GoldenCase& golden : golden_cases(fixture, op.name, op.cases)) {
                for (const GoldenRun& run : golden_runs(golden)) {
                    INFO(golden.name << ", " << run.str());
                    check_golden_graph(golden, run, op.with(false));
                }
            }
        }
    }
}

}  // namespace radial::test
