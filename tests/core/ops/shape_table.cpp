// The ops of shape.h; every_op.h says how to add one.
#include "op_calls.h"

#include "radial/core/ops.h"

namespace radial::test {
namespace {

const std::string shape_file = "shape_ops.safetensors";

Tensor call_slice(const GoldenCase& golden, const TensorMap& in) {
    const auto& a = golden.attributes;
    return slice(input_of(in, "x"), a.at("dim"), a.at("begin"), a.at("end"));
}

int dim_of(const GoldenCase& golden) { return golden.attributes.at("dim"); }

Tensor call_permute(const GoldenCase& golden, const TensorMap& in) {
    return permute(input_of(in, "x"), golden.attributes.at("order").get<std::vector<int>>());
}

Tensor call_concat(const GoldenCase& golden, const TensorMap& in) {
    std::vector<Tensor> parts(golden.attributes.at("parts").get<std::size_t>());
    for (std::size_t i = 0; i < parts.size(); ++i) parts[i] = in.at("part" + std::to_string(i));
    return radial::concat(parts, golden.attributes.at("dim"));
}

}  // namespace

const OpFamily& shape_ops() {
    static const OpFamily family = {
        custom(
            "reshape", 5,
            [](const GoldenCase& golden, const TensorMap& in) {
                const auto extents = golden.attributes.at("shape").get<std::vector<std::int64_t>>();
                return reshape(input_of(in, "x"), Shape(std::span<const std::int64_t>(extents)));
            },
            of_image({{"shape", {8, 32 * 28 * 28}}})),
        unary("flatten", 4, flatten),
        custom("slice", 5, call_slice, of_image({{"dim", 1}, {"begin", 8}, {"end", 24}})),
        unary("transpose", 3, transpose, {.inputs = {{"x", {512, 1000}}}}),
        custom(
            "transpose", 3,
            [](const GoldenCase& golden, const TensorMap& in) {
                return transpose(input_of(in, "x"), golden.attributes.at("dim0"), golden.attributes.at("dim1"));
            },
            of_image({{"dim0", 1}, {"dim1", 2}}), shape_file),
        custom("permute", 10, call_permute, of_image({{"order", {0, 2, 3, 1}}}), shape_file),
        custom(
            "squeeze", 5,
            [](const GoldenCase& golden, const TensorMap& in) { return squeeze(input_of(in, "x"), dim_of(golden)); },
            {.inputs = {{"x", {8, 1, 28, 28}}}, .attributes = {{"dim", 1}}}, shape_file),
        custom(
            "unsqueeze", 5,
            [](const GoldenCase& golden, const TensorMap& in) { return unsqueeze(input_of(in, "x"), dim_of(golden)); },
            of_image({{"dim", 1}}), shape_file),
        custom("concat", 5, call_concat,
               {.inputs = {{"part0", image}, {"part1", image}}, .attributes = {{"dim", 1}, {"parts", 2}}}),
        custom("gather_rows", 3,
               [](const GoldenCase&, const TensorMap& in) {
                   return gather_rows(input_of(in, "x"), input_of(in, "index"));
               },
               {.inputs = {{"x", {1000, 128}}, {.name = "index", .shape = {512}, .below = 1000}}}),
        custom("pick", 3,
               [](const GoldenCase&, const TensorMap& in) { return pick(input_of(in, "x"), input_of(in, "index")); },
               {.inputs = {{"x", {512, 1000}}, {.name = "index", .shape = {512}, .below = 1000}}}),
        custom(
            "place", 3,
            [](const GoldenCase& golden, const TensorMap& in) {
                return place(input_of(in, "values"), input_of(in, "index"), golden.attributes.at("columns"));
            },
            {.inputs = {{"values", {512}}, {.name = "index", .shape = {512}, .below = 1000}},
             .attributes = {{"columns", 1000}}},
            term_ops),
        custom(
            "class_sums", 4,
            [](const GoldenCase& golden, const TensorMap& in) {
                return class_sums(input_of(in, "x"), input_of(in, "labels"), golden.attributes.at("classes"));
            },
            {.inputs = {{"x", {512, 128}}, {.name = "labels", .shape = {512}, .below = 100}},
             .attributes = {{"classes", 100}}},
            term_ops),
    };
    return family;
}

}  // namespace radial::test
