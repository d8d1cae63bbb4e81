// Every op of core/ops.h and losses/functional.h against PyTorch: values and gradients, in both layouts.
#include "radial/core/ops.h"
#include "../folders.h"
#include "golden.h"
#include "radial/losses/functional.h"

#include <fstream>
#include <regex>
#include <set>

namespace radial::test {
namespace {

/// One op: how many cases the fixture must hold, and the call.
struct OpUnderTest {
    std::string name;
    std::size_t cases;
    GoldenFunction call;
};

Tensor at(const TensorMap& inputs, const std::string& name) {
    const auto found = inputs.find(name);
    return found == inputs.end() ? Tensor() : found->second;
}

OpUnderTest unary(const std::string& name, std::size_t cases, Tensor (*op)(const Tensor&)) {
    return {name, cases, [op](const GoldenCase&, TensorMap& in) { return TensorMap{{"y", op(at(in, "x"))}}; }};
}

OpUnderTest binary(const std::string& name, std::size_t cases, Tensor (*op)(const Tensor&, const Tensor&),
                   Tensor (*with_scalar)(const Tensor&, double) = nullptr) {
    return {name, cases, [op, with_scalar](const GoldenCase& golden, TensorMap& in) {
                if (golden.attributes.contains("scalar"))
                    return TensorMap{{"y", with_scalar(at(in, "a"), golden.number("scalar", 0))}};
                return TensorMap{{"y", op(at(in, "a"), at(in, "b"))}};
            }};
}

/// An op that gives one tensor.
OpUnderTest custom(const std::string& name, std::size_t cases,
                   const std::function<Tensor(const GoldenCase&, const TensorMap&)>& call) {
    return {name, cases, [call](const GoldenCase& golden, TensorMap& in) {
                return TensorMap{{"y", call(golden, in)}};
            }};
}

Tensor there_and_back(const GoldenCase& golden, const TensorMap& in) {
    const std::map<std::string, DType> dtypes = {
        {"bfloat16", DType::bfloat16}, {"float32", DType::float32}, {"float64", DType::float64}};
    const Tensor x = at(in, "x");
    return cast(cast(x, dtypes.at(golden.attributes.at("dtype"))), x.dtype());
}

const std::vector<OpUnderTest> elementwise = {
    binary(
        "add", 8, [](const Tensor& a, const Tensor& b) { return a + b; },
        [](const Tensor& a, double b) { return a + b; }),
    binary("sub", 6, [](const Tensor& a, const Tensor& b) { return a - b; }),
    binary(
        "mul", 8, [](const Tensor& a, const Tensor& b) { return a * b; },
        [](const Tensor& a, double b) { return a * b; }),
    binary("div", 6, [](const Tensor& a, const Tensor& b) { return a / b; }),
    unary("exp", 2, exp),
    unary("log", 2, log),
    unary("sqrt", 2, sqrt),
    unary("square", 2, square),
    custom("cast", 5, there_and_back),
};

const std::vector<OpUnderTest> activations = {
    custom("relu", 6,
           [](const GoldenCase& golden, const TensorMap& in) {
               const Tensor x = at(in, "x");
               // A temporary is overwritten; the result must be the same.
               return golden.flag("temporary", false) ? relu(mul(x, 1.0)) : relu(x);
           }),
    custom("prelu", 6, [](const GoldenCase&, const TensorMap& in) { return prelu(at(in, "x"), at(in, "slope")); }),
    unary("silu", 5, silu),
    unary("sigmoid", 5, sigmoid),
    unary("tanh", 5, tanh),
};

TensorMap call_dropout(const GoldenCase& golden, TensorMap& in) {
    Generator generator(golden.attributes.at("seed").get<std::uint64_t>());
    return {{"y", dropout(at(in, "x"), golden.number("p", 0), generator)}};
}

template <Tensor (*op)(const Tensor&, const std::vector<int>&, bool)>
Tensor reduce(const GoldenCase& golden, const TensorMap& in) {
    return op(at(in, "x"), golden.attributes.at("dims").get<std::vector<int>>(), golden.flag("keep_dim", false));
}

const std::vector<OpUnderTest> reductions = {
    custom("sum", 7, reduce<sum>),
    custom("mean", 7, reduce<mean>),
    custom("max", 4,
           [](const GoldenCase& golden, const TensorMap& in) { return max(at(in, "x"), golden.attributes.at("dim")); }),
    unary("argmax", 3, argmax),
    unary("log_sum_exp", 6, log_sum_exp),
};

Tensor call_slice(const GoldenCase& golden, const TensorMap& in) {
    const auto& a = golden.attributes;
    return slice(at(in, "x"), a.at("dim"), a.at("begin"), a.at("end"));
}

Tensor call_concat(const GoldenCase& golden, const TensorMap& in) {
    std::vector<Tensor> parts(golden.attributes.at("parts").get<std::size_t>());
    for (std::size_t i = 0; i < parts.size(); ++i) parts[i] = in.at("part" + std::to_string(i));
    return radial::concat(parts, golden.attributes.at("dim"));
}

const std::vector<OpUnderTest> shapes = {
    custom("reshape", 5,
           [](const GoldenCase& golden, const TensorMap& in) {
               const auto extents = golden.attributes.at("shape").get<std::vector<std::int64_t>>();
               return reshape(at(in, "x"), Shape(std::span<const std::int64_t>(extents)));
           }),
    unary("flatten", 4, flatten),
    custom("slice", 5, call_slice),
    unary("transpose", 3, transpose),
    custom("concat", 5, call_concat),
    custom("gather_rows", 3,
           [](const GoldenCase&, const TensorMap& in) { return gather_rows(at(in, "x"), at(in, "index")); }),
    custom("pick", 3, [](const GoldenCase&, const TensorMap& in) { return pick(at(in, "x"), at(in, "index")); }),
    custom("place", 3,
           [](const GoldenCase& golden, const TensorMap& in) {
               return place(at(in, "values"), at(in, "index"), golden.attributes.at("columns"));
           }),
    custom("class_sums", 4,
           [](const GoldenCase& golden, const TensorMap& in) {
               return class_sums(at(in, "x"), at(in, "labels"), golden.attributes.at("classes"));
           }),
};

Tensor call_matmul(const GoldenCase& golden, const TensorMap& in) {
    return matmul(at(in, "a"), at(in, "b"), golden.flag("transpose_a", false), golden.flag("transpose_b", false));
}

Tensor call_conv2d(const GoldenCase& golden, const TensorMap& in) {
    const auto [stride_h, stride_w] = golden.pair("stride", 1);
    const auto [pad_h, pad_w] = golden.pair("pad", 0);
    const auto [dilation_h, dilation_w] = golden.pair("dilation", 1);
    return conv2d(at(in, "x"), at(in, "weight"), at(in, "bias"),
                  {.stride_h = stride_h,
                   .stride_w = stride_w,
                   .pad_h = pad_h,
                   .pad_w = pad_w,
                   .dilation_h = dilation_h,
                   .dilation_w = dilation_w,
                   .groups = golden.attributes.at("groups")});
}

const std::vector<OpUnderTest> products = {
    custom("matmul", 12, call_matmul),
    custom(
        "linear", 4,
        [](const GoldenCase&, const TensorMap& in) { return linear(at(in, "x"), at(in, "weight"), at(in, "bias")); }),
    custom("scale_channels", 5,
           [](const GoldenCase&, const TensorMap& in) { return scale_channels(at(in, "x"), at(in, "scale")); }),
    custom("conv2d", 14, call_conv2d),
};

template <Tensor (*op)(const Tensor&, const PoolGeometry&)>
Tensor pool(const GoldenCase& golden, const TensorMap& in) {
    const auto [window_h, window_w] = golden.pair("window", 2);
    const auto [stride_h, stride_w] = golden.pair("stride", 2);
    const auto [pad_h, pad_w] = golden.pair("pad", 0);
    return op(at(in, "x"), {.window_h = window_h,
                            .window_w = window_w,
                            .stride_h = stride_h,
                            .stride_w = stride_w,
                            .pad_h = pad_h,
                            .pad_w = pad_w});
}

Tensor call_batch_norm(const GoldenCase& golden, const TensorMap& in) {
    return batch_norm(at(in, "x"), at(in, "scale"), at(in, "shift"), at(in, "running_mean"), at(in, "running_variance"),
                      {.momentum = golden.number("momentum", 0.1),
                       .epsilon = golden.number("epsilon", 1e-5),
                       .training = golden.flag("training", true),
                       .activation = golden.flag("relu", false) ? Activation::relu : Activation::none},
                      at(in, "residual"));
}

const std::vector<OpUnderTest> pools_and_norms = {
    custom("max_pool2d", 6, pool<max_pool2d>),
    custom("avg_pool2d", 6, pool<avg_pool2d>),
    unary("global_avg_pool", 4, global_avg_pool),
    custom("batch_norm", 32, call_batch_norm),
};

TensorMap call_rbf_softmax_loss(const GoldenCase& golden, TensorMap& in) {
    RbfStatistics statistics;
    const Tensor y =
        rbf_softmax_loss(at(in, "feature"), at(in, "prototypes"), at(in, "labels"),
                         {.scale = golden.number("scale", 0), .gamma = golden.number("gamma", 0)}, {}, &statistics);
    return {{"y", y}, {"mean_kernel", statistics.mean_kernel}, {"mean_distance", statistics.mean_distance}};
}

const std::vector<OpUnderTest> losses = {
    unary("log_softmax", 4, log_softmax),
    custom("cross_entropy", 8,
           [](const GoldenCase& golden, const TensorMap& in) {
               return cross_entropy(at(in, "logits"), at(in, "labels"), golden.number("smoothing", 0));
           }),
    custom("softmax_loss", 4,
           [](const GoldenCase&, const TensorMap& in) {
               return softmax_loss(at(in, "feature"), at(in, "weight"), at(in, "bias"), at(in, "labels"));
           }),
    {"rbf_softmax_loss", 4, call_rbf_softmax_loss},
    custom("rbf_logits", 4,
           [](const GoldenCase& golden, const TensorMap& in) {
               return rbf_logits(at(in, "feature"), at(in, "prototypes"), golden.number("scale", 0),
                                 golden.number("gamma", 0));
           }),
};

/// Where the ops' cases are.
const std::vector<std::string> fixtures = {"ops.safetensors", "term_ops.safetensors", "zoo_ops.safetensors"};
/// Those of which head_ops_test.cpp and pair_ops_test.cpp check that they are compared.
const std::vector<std::string> fixtures_elsewhere = {"head_ops.safetensors", "pair_ops.safetensors"};

std::string fixture_of(const std::string& op) {
    for (const std::string& fixture : fixtures)
        for (const GoldenCase& golden : golden_cases(fixture))
            if (golden.op == op) return fixture;
    return fixtures.front();
}

void check_family(const std::vector<OpUnderTest>& family) {
    for (const auto& op : family) check_all_golden(fixture_of(op.name), op.name, op.cases, op.call);
}

const std::vector<OpUnderTest> random_ops = {{"dropout", 3, call_dropout}};
const auto families = {&elementwise, &activations,     &reductions, &shapes,
                       &products,    &pools_and_norms, &losses,     &random_ops};

// Compared elsewhere: what fuses other ops with conv2d's own values (core/ops/conv_test), and a count
// (core/ops/reduce_test).
const std::set<std::string> compared_elsewhere = {"conv2d_activated", "count_equal"};

void add_declared(const std::string& header, std::set<std::string>& names) {
    std::ifstream text(test_folder() + "/../" + header);
    const std::regex declaration(R"(^Tensor ([a-z]\w*)\()");
    std::smatch match;
    for (std::string line; std::getline(text, line);)
        if (std::regex_search(line, match, declaration) && !compared_elsewhere.contains(match[1].str()))
            names.insert(match[1]);
}

/// The ops of the headers that core/ops.h includes, and of losses/functional.h.
std::set<std::string> declared_ops() {
    std::set<std::string> names;
    std::ifstream catalogue(test_folder() + "/../core/ops.h");
    const std::regex include(R"re(^#include "radial/(core/ops/\w+\.h)")re");
    std::smatch match;
    for (std::string line; std::getline(catalogue, line);)
        if (std::regex_search(line, match, include)) add_declared(match[1], names);
    add_declared("losses/functional.h", names);
    return names;
}

}  // namespace

TEST_CASE("elementwise ops agree with PyTorch", "[golden]") { check_family(elementwise); }
TEST_CASE("activations agree with PyTorch", "[golden]") { check_family(activations); }
TEST_CASE("reductions agree with PyTorch", "[golden]") { check_family(reductions); }
TEST_CASE("shape ops agree with PyTorch", "[golden]") { check_family(shapes); }
TEST_CASE("matrix products and convolutions agree with PyTorch", "[golden]") { check_family(products); }
TEST_CASE("pooling and batch normalisation agree with PyTorch", "[golden]") { check_family(pools_and_norms); }
TEST_CASE("softmax and the fused losses agree with PyTorch", "[golden]") { check_family(losses); }

TEST_CASE("dropout keeps the elements whose Philox number is at least p", "[golden]") { check_family(random_ops); }

TEST_CASE("every op of core/ops.h and losses/functional.h is compared with PyTorch", "[golden]") {
    std::set<std::string> tested, recorded;
    for (const auto* family : families)
        for (const auto& op : *family) tested.insert(op.name);
    for (const std::string& fixture : fixtures)
        for (const auto& golden : golden_cases(fixture)) recorded.insert(golden.op);
    for (const std::string& fixture : fixtures_elsewhere) {
        for (const auto& golden : golden_cases(fixture)) {
            tested.insert(golden.op);
            recorded.insert(golden.op);
        }
    }
    REQUIRE(declared_ops().size() > 30);
    CHECK(tested == declared_ops());
    CHECK(recorded == declared_ops());
}

TEST_CASE(
    "every op of core/ops.h and losses/functional.h runs on a device without waiting for it, forward and backward",
    "[golden][device]") {
    for (const auto* family : families) {
        for (const auto& op : *family) {
            for (const auto& golden : golden_cases(fixture_of(op.name), op.name, op.cases)) {
                for (const auto& run : golden_runs(golden)) {
                    INFO(golden.name << ", " << run.str());
                    check_golden_graph(golden, run, op.call);
                }
            }
        }
    }
}

}  // namespace radial::test
