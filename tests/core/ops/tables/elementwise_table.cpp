// The ops of elementwise.h, compare.h and activation.h; every_op.h says how to add one.
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

using BinaryOp = Tensor (*)(const Tensor&, const Tensor&);
using ActivationWithNumber = Tensor (*)(const Tensor&, double);

/// An op of two broadcast tensors with cases of elementwise_ops.safetensors.
OpUnderTest of_two(const std::string& name, std::size_t cases, BinaryOp op, LargeCall large = of_images(),
                   Tensor (*with_number)(const Tensor&, double) = nullptr) {
    return custom(
        name, cases,
        [op, with_number](const GoldenCase& golden, const TensorMap& in) {
            if (golden.attributes.contains("number")) return with_number(input_of(in, "a"), golden.number("number", 0));
            return op(input_of(in, "a"), input_of(in, "b"));
        },
        std::move(large), elementwise_file);
}

OpUnderTest elementary(const std::string& name, Tensor (*op)(const Tensor&), double low = -1, double high = 1) {
    return unary(name, 2, op, of_image(nlohmann::json::object(), low, high), elementwise_file);
}

/// An activation with one number, called `key`.
OpUnderTest with_number(const std::string& name, const char* key, ActivationWithNumber op) {
    return custom(
        name, 2,
        [op, key](const GoldenCase& golden, const TensorMap& in) {
            return op(input_of(in, "x"), golden.number(key, 0));
        },
        of_image({{key, 0.4}}, -3, 3), elementwise_file);
}

void add_elementary(OpFamily& family) {
    for (OpUnderTest op : {elementary("expm1", expm1),
                           elementary("log1p", log1p, -0.8, 3),
                           elementary("log2", log2, 0.1, 4),
                           elementary("log10", log10, 0.1, 4),
                           elementary("rsqrt", rsqrt, 0.2, 4),
                           elementary("reciprocal", reciprocal, 0.4, 3),
                           elementary("sin", sin, -4, 4),
                           elementary("cos", cos, -4, 4),
                           elementary("tan", tan),
                           elementary("asin", asin, -0.9, 0.9),
                           elementary("acos", acos, -0.9, 0.9),
                           elementary("atan", atan, -4, 4),
                           elementary("sinh", sinh),
                           elementary("cosh", cosh),
                           elementary("erf", erf, -2, 2),
                           elementary("abs", abs),
                           elementary("sign", sign),
                           elementary("floor", floor, -4, 4),
                           elementary("ceil", ceil, -4, 4),
                           elementary("round", round, -4, 4)})
        family.push_back(std::move(op));
    family.push_back(custom(
        "pow", 10,
        [](const GoldenCase& golden, const TensorMap& in) {
            if (golden.attributes.contains("exponent")) return pow(input_of(in, "x"), golden.number("exponent", 0));
            return pow(input_of(in, "a"), input_of(in, "b"));
        },
        of_images(0.3, 2), elementwise_file));
    family.back().large.inputs[0].low = 0.3;
    family.push_back(of_two("atan2", 5, atan2));
    family.push_back(of_two("remainder", 5, remainder, of_images(0.1, 2)));
    family.push_back(of_two("fmod", 5, fmod, of_images(0.1, 2)));
}

void add_choices(OpFamily& family) {
    for (OpUnderTest op :
         {of_two("equal", 5, equal, of_images(), equal), of_two("not_equal", 5, not_equal, of_images(), not_equal),
          of_two("less", 5, less, of_images(), less), of_two("less_equal", 5, less_equal, of_images(), less_equal),
          of_two("greater", 5, greater, of_images(), greater),
          of_two("greater_equal", 5, greater_equal, of_images(), greater_equal), of_two("logical_and", 3, logical_and),
          of_two("logical_or", 3, logical_or), of_two("maximum", 5, maximum), of_two("minimum", 5, minimum)})
        family.push_back(std::move(op));
    family.push_back(unary("logical_not", 1, logical_not, of_image(), elementwise_file));
    family.push_back(unary("is_nan", 1, is_nan, of_image(), elementwise_file));
    family.push_back(unary("is_finite", 1, is_finite, of_image(), elementwise_file));
    family.push_back(custom(
        "where", 6,
        [](const GoldenCase&, const TensorMap& in) {
            return where(input_of(in, "condition"), input_of(in, "a"), input_of(in, "b"));
        },
        {.inputs = {{"condition", image}, {"a", image}, {"b", {32, 1, 1}}}}, elementwise_file));
}

void add_activations(OpFamily& family) {
    for (OpUnderTest op :
         {elementary("gelu_tanh", gelu_tanh, -4, 4), elementary("selu", selu, -4, 4), elementary("mish", mish, -4, 4),
          elementary("softsign", softsign, -4, 4), elementary("log_sigmoid", log_sigmoid, -4, 4),
          with_number("elu", "alpha", elu), with_number("celu", "alpha", celu),
          with_number("soft_shrink", "bound", soft_shrink), with_number("hard_shrink", "bound", hard_shrink)})
        family.push_back(std::move(op));
    family.push_back(custom(
        "leaky_relu", 3,
        [](const GoldenCase& golden, const TensorMap& in) {
            const Tensor x = input_of(in, "x");
            const double slope = golden.number("slope", 0);
            return golden.flag("temporary", false) ? leaky_relu(mul(x, 1.0), slope) : leaky_relu(x, slope);
        },
        of_image({{"slope", 0.1}}), elementwise_file));
    family.push_back(custom(
        "hard_tanh", 2,
        [](const GoldenCase& golden, const TensorMap& in) {
            return hard_tanh(input_of(in, "x"), golden.number("low", 0), golden.number("high", 0));
        },
        of_image({{"low", -0.5}, {"high", 0.5}}), elementwise_file));
    family.push_back(custom(
        "glu", 4,
        [](const GoldenCase& golden, const TensorMap& in) {
            return glu(input_of(in, "x"), golden.attributes.at("dim"));
        },
        of_image({{"dim", 1}}), elementwise_file));
}

/// Excludes an op from the comparison with differences: rounding is piecewise constant, and its gradient is defined as
/// that of the identity.
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
    static const OpFamily family = [] {
        OpFamily all = {
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
        add_elementary(all);
        add_choices(all);
        return all;
    }();
    return family;
}

const OpFamily& activation_ops() {
    static const OpFamily family = [] {
        OpFamily all = {
            custom(
                "relu", 6,
                [](const GoldenCase& golden, const TensorMap& in) {
                    const Tensor x = input_of(in, "x");
                    // A temporary is overwritten; the result must not change.
                    return golden.flag("temporary", false) ? relu(mul(x, 1.0)) : relu(x);
                },
                of_image()),
            custom(
                "prelu", 6,
                [](const GoldenCase&, const TensorMap& in) { return prelu(input_of(in, "x"), input_of(in, "slope")); },
                {.inputs = {{"x", image}, {"slope", {32}, 0, 0.5}}}),
            temporary_or_kept("relu6", 3, relu6, of_image(nlohmann::json::object(), -2, 8)),
            unary("hard_sigmoid", 2, hard_sigmoid, of_image({}, -4, 4), elementwise_file),
            unary("hard_swish", 3, hard_swish, of_image({}, -4, 4), elementwise_file),
            unary("silu", 5, silu),
            unary("gelu", 5, gelu, of_image({}, -4, 4)),
            unary("sigmoid", 5, sigmoid),
            unary("tanh", 5, tanh),
        };
        add_activations(all);
        return all;
    }();
    return family;
}

const OpFamily& random_ops() {
    static const OpFamily family = {{ops, "dropout", 3, call_dropout, of_image({{"p", 0.3}, {"seed", 99}})}};
    return family;
}

}  // namespace radial::test
