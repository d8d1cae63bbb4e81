// The ops of linear_algebra.h; every_op.h says how to add one.
#include "op_calls.h"

#include "radial/core/ops.h"

namespace radial::test {
namespace {

/// An op on two sets of rows, x and w.
OpUnderTest of_rows(const std::string& name, std::size_t cases, Tensor (*op)(const Tensor&, const Tensor&),
                    const std::string& fixture = head_ops_file) {
    return custom(
        name, cases, [op](const GoldenCase&, const TensorMap& in) { return op(input_of(in, "x"), input_of(in, "w")); },
        {.inputs = {{"x", {256, 64}}, {"w", {100, 64}}}}, fixture);
}

Tensor call_matmul(const GoldenCase& golden, const TensorMap& in) {
    return matmul(input_of(in, "a"), input_of(in, "b"), golden.flag("transpose_a", false),
                  golden.flag("transpose_b", false));
}

Tensor call_bmm(const GoldenCase& golden, const TensorMap& in) {
    return bmm(input_of(in, "a"), input_of(in, "b"), golden.flag("transpose_a", false),
               golden.flag("transpose_b", false));
}

/// Calls scaled_dot_product_attention(), with an int64 mask converted to uint8.
Tensor call_attention(const GoldenCase& golden, const TensorMap& in) {
    const Tensor mask = input_of(in, "mask");
    AttentionOptions options{.causal = golden.flag("causal", false)};
    if (golden.attributes.contains("scale")) options.scale = golden.attributes.at("scale");
    return scaled_dot_product_attention(input_of(in, "q"), input_of(in, "k"), input_of(in, "v"),
                                        mask.defined() && mask.dtype() == DType::int64 ? mask.to(DType::uint8) : mask,
                                        options);
}

}  // namespace

const OpFamily& product_ops() {
    static const OpFamily family = {
        custom("matmul", 12, call_matmul, {.inputs = {{"a", {256, 512}}, {"b", {512, 256}}}}),
        custom("linear", 4,
               [](const GoldenCase&, const TensorMap& in) {
                   return linear(input_of(in, "x"), input_of(in, "weight"), input_of(in, "bias"));
               },
               {.inputs = {{"x", {256, 512}}, {"weight", {256, 512}}, {"bias", {256}}}}),
        custom("bmm", 16, call_bmm, {.inputs = {{"a", {24, 99, 64}}, {"b", {24, 64, 99}}}}, "norm_ops.safetensors"),
        custom("scaled_dot_product_attention", 11, call_attention,
               {.inputs = {{"q", {8, 6, 99, 64}}, {"k", {8, 6, 99, 64}}, {"v", {8, 6, 99, 64}}, {"mask", {99, 99}}}},
               "norm_ops.safetensors"),
    };
    return family;
}

const OpFamily& comparison_ops() {
    static const OpFamily family = {
        of_rows("squared_distances", 3, squared_distances),
        of_rows("cosines", 3, cosines),
        of_rows("distances", 4, distances, "pair_ops.safetensors"),
        unary("row_norms", 2, row_norms, {.inputs = {{"x", {512, 128}}}}, head_ops_file),
        unary("unit_rows", 2, unit_rows, {.inputs = {{"x", {512, 128}}}}, head_ops_file),
    };
    return family;
}

}  // namespace radial::test
