// The ops of elementwise.h and activation.h; every_op.h says how to add one.
#include "op_calls.h"

#include "radial/core/ops.h"

#include <map>

namespace radial::test {
namespace {

OpUnderTest binary(const std::string& name, std::size_t cases, Tensor (*op)(const Tensor&, const Tensor&),
                   LargeCall large, Tensor (*with_scalar)(const Tensor&, double) = nullptr) {
    return {ops, name, cases, giving([op, with_scalar](const GoldenCase& golden, const TensorMap& in) {
                if (golden.attributes.contains("scalar"))
                    return with_scalar(input_of(in, "a"), golden.number("scalar", 0));
                return op(input_of(in, "a"), input_of(in, "b"));
            }),
            std::move(large)};
}

/// A call on two large images.
LargeCall of_images(double low = -1, double high = 1) { return {.inputs = {{"a", image}, {"b", image, low, high}}}; }

Tensor there_and_back(const GoldenCase& golden, const TensorMap& in) {
    const std::map<std::string, DType> dtypes = {
        {"bfloat16", DType::bfloat16}, {"float32", DType::float32}, {"float64", DType::float64}};
    const Tensor x = input_of(in, "x");
    return cast(cast(x, dtypes.at(golden.attributes.at("dtype"))), x.dtype());
}

/// An op that overwrites a temporary; the result must not change.
OpUnderTest temporary_or_kept(const std::string& name, std::size_t cases, Tensor (*op)(Tensor), LargeCall large) {
    return {elementwise_file, name, cases, giving([op](const GoldenCase& golden, const TensorMap& in) {
                const Tensor x = input_of(in, "x");
                return golden.flag("temporary", false) ? op(mul(x, 1.0)) : op(x);
            }),
            std::move(large)};
}

/// For rounding, which is piecewise constant: its gradient is defined as that of the identity.
OpUnderTest without_differences(OpUnderTest op) {
    op.smooth = [](const GoldenCase&) { return false; };
    return op;
}

TensorMap call_dropout(const GoldenCase& golden, TensorMap& in) {
    Generator generator(golden.attributes.at("seed").get<std::uint64_t>());
    return {{"y", dropout(input_of(in, "x"), golden.number("p", 0), generator)}};
}

}  // namespace

const OpFamily& elementwise_ops() {
    static const OpFamily family = {
        binary(
            "add", 8, [](const Tensor& a, const Tensor& b) { return a + b; }, of_images(),
            [](const Tensor& a, double b) { return a + b; }),
        binary(
            "sub", 6, [](const Tensor& a, const Tensor& b) { return a - b; }, of_images()),
        binary(
            "mul", 8, [](const Tensor& a, const Tensor& b) { return a * b; }, of_images(),
            [](const Tensor& a, double b) { return a * b; }),
        binary(
            "div", 6, [](const Tensor& a, const Tensor& b) { return a / b; }, of_images(0.5, 2)),
        unary("exp", 2, exp),
        unary("log", 2, log, of_image({}, 0.1, 4)),
        unary("sqrt", 2, sqrt, of_image({}, 0.1, 4)),
        unary("square", 2, square),
        without_differences(custom("cast", 5, there_and_back, of_image({{"dtype", "float64"}}))),
        unary("normal_cdf", 2, normal_cdf, of_image({}, -4, 4), head_ops_file),
        unary("softplus", 2, softplus, of_image({}, -4, 4), head_ops_file),
        custom(
            "clamp", 2,
            [](const GoldenCase& golden, const TensorMap& in) {
                return clamp(input_of(in, "x"), golden.number("low", 0), golden.number("high", 0));
            },
            of_image({{"low", -0.5}, {"high", 0.5}}), head_ops_file),
    };
    return family;
}

const OpFamily& activation_ops() {
    static const OpFamily family = {
        custom(
            "relu", 6,
            [](const GoldenCase& golden, const TensorMap& in) {
                const Tensor x = input_of(in, "x");
                // A temporary is overwritten; the result must not change.
                return golden.flag("temporary", false) ? relu(mul(x, 1.0)) : relu(x);
            },
            of_image()),
        custom("prelu", 6,
               [](const GoldenCase&, const TensorMap& in) { return prelu(input_of(in, "x"), input_of(in, "slope")); },
               {.inputs = {{"x", image}, {"slope", {32}, 0, 0.5}}}),
        temporary_or_kept("relu6", 3, relu6, of_image({}, -2, 8)),
        unary("hard_sigmoid", 2, hard_sigmoid, of_image({}, -4, 4), elementwise_file),
        unary("hard_swish", 3, hard_swish, of_image({}, -4, 4), elementwise_file),
        unary("silu", 5, silu),
        unary("gelu", 5, gelu, of_image({}, -4, 4)),
        unary("sigmoid", 5, sigmoid),
        unary("tanh", 5, tanh),
    };
    return family;
}

const OpFamily& random_ops() {
    static const OpFamily family = {{ops, "dropout", 3, call_dropout, of_image({{"p", 0.3}, {"seed", 99}})}};
    return family;
}

}  // namespace radial::test
