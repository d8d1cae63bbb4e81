// The ops of shape.h; every_op.h says how to add one.
#include "op_calls.h"

#include "radial/core/ops.h"

#include <map>

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

std::vector<int> dims_of(const GoldenCase& golden) { return golden.attributes.at("dims").get<std::vector<int>>(); }

Shape shape_of(const GoldenCase& golden, const char* name) {
    const auto extents = golden.attributes.at(name).get<std::vector<std::int64_t>>();
    return Shape(std::span<const std::int64_t>(extents));
}

/// The index of a case. Large calls provide the index as a vector and its shape as an attribute.
Tensor index_of(const GoldenCase& golden, const TensorMap& in) {
    const Tensor index = input_of(in, "index");
    return golden.attributes.contains("index_shape") ? index.view(shape_of(golden, "index_shape")) : index;
}

Tensor call_strided_slice(const GoldenCase& golden, const TensorMap& in) {
    const auto& a = golden.attributes;
    if (!a.contains("slices")) return slice(input_of(in, "x"), a.at("dim"), a.at("begin"), a.at("end"), a.at("step"));
    std::vector<Slice> slices;
    for (const auto& each : a.at("slices")) slices.push_back({each.at(0), each.at(1), each.at(2)});
    return slice(input_of(in, "x"), slices);
}

Tensor call_pad(const GoldenCase& golden, const TensorMap& in) {
    const auto& a = golden.attributes;
    const std::map<std::string, PadMode> modes = {{"constant", PadMode::constant},
                                                  {"reflect", PadMode::reflect},
                                                  {"replicate", PadMode::replicate},
                                                  {"circular", PadMode::circular}};
    std::vector<Padding> padding;
    for (const auto& each : a.at("padding")) padding.push_back({each.at(0), each.at(1)});
    return pad(input_of(in, "x"), padding, {.mode = modes.at(a.at("mode")), .value = a.at("value")});
}

Tensor call_roll(const GoldenCase& golden, const TensorMap& in) {
    return roll(input_of(in, "x"), golden.attributes.at("shifts").get<std::vector<std::int64_t>>(), dims_of(golden));
}

Tensor call_repeat(const GoldenCase& golden, const TensorMap& in) {
    return repeat(input_of(in, "x"), golden.attributes.at("counts").get<std::vector<std::int64_t>>());
}

Tensor call_diagonal(const GoldenCase& golden, const TensorMap& in) {
    const auto& a = golden.attributes;
    return diagonal(input_of(in, "x"), a.at("offset"), a.at("dim0"), a.at("dim1"));
}

Tensor call_stack(const GoldenCase& golden, const TensorMap& in) {
    std::vector<Tensor> parts(golden.attributes.at("parts").get<std::size_t>());
    for (std::size_t i = 0; i < parts.size(); ++i) parts[i] = in.at("part" + std::to_string(i));
    return stack(parts, dim_of(golden));
}

/// An op of one tensor and one whole number.
OpUnderTest numbered(const std::string& name, std::size_t cases, const char* attribute,
                     Tensor (*op)(const Tensor&, std::int64_t), LargeCall large) {
    return custom(
        name, cases,
        [op, attribute](const GoldenCase& golden, const TensorMap& in) {
            return op(input_of(in, "x"), golden.attributes.at(attribute));
        },
        std::move(large), shape_file);
}

/// An op of a tensor, a dimension, an index and a source.
OpUnderTest scattered(const std::string& name, std::size_t cases,
                      Tensor (*op)(const Tensor&, int, const Tensor&, const Tensor&)) {
    return custom(
        name, cases,
        [op](const GoldenCase& golden, const TensorMap& in) {
            return op(input_of(in, "x"), dim_of(golden), index_of(golden, in), input_of(in, "source"));
        },
        {.inputs = {{"x", {512, 300}}, {.name = "index", .shape = {512 * 100}, .below = 300}, {"source", {512, 100}}},
         .attributes = {{"dim", 1}, {"index_shape", {512, 100}}}},
        shape_file);
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
        custom("slice", 10, call_strided_slice,
               of_image({{"dim", 3}, {"begin", 1}, {"end", 28}, {"step", 2}}), shape_file),
        custom(
            "flip", 6,
            [](const GoldenCase& golden, const TensorMap& in) { return flip(input_of(in, "x"), dims_of(golden)); },
            of_image({{"dims", {3}}}), shape_file),
        custom("roll", 6, call_roll, of_image({{"dims", {2, 3}}, {"shifts", {3, -3}}}), shape_file),
        custom(
            "broadcast_to", 7,
            [](const GoldenCase& golden, const TensorMap& in) {
                return broadcast_to(input_of(in, "x"), shape_of(golden, "shape"));
            },
            {.inputs = {{"x", {8, 32, 1, 1}}}, .attributes = {{"shape", {8, 32, 28, 28}}}}, shape_file),
        custom("repeat", 7, call_repeat,
               {.inputs = {{"x", {8, 32, 14, 14}}}, .attributes = {{"counts", {1, 1, 2, 2}}}}, shape_file),
        custom("pad", 24, call_pad,
               of_image({{"padding", {{0, 0}, {0, 0}, {2, 2}, {2, 2}}}, {"mode", "reflect"}, {"value", 0}}),
               shape_file),
        numbered("tril", 5, "diagonal", tril, of_image({{"diagonal", 0}})),
        numbered("triu", 5, "diagonal", triu, of_image({{"diagonal", 1}})),
        custom("diagonal", 6, call_diagonal, of_image({{"offset", 0}, {"dim0", 2}, {"dim1", 3}}), shape_file),
        numbered("diag", 5, "offset", diag, {.inputs = {{"x", {512}}}, .attributes = {{"offset", 0}}}),
        custom("stack", 6, call_stack,
               {.inputs = {{"part0", {8, 32, 784}}, {"part1", {8, 32, 784}}},
                .attributes = {{"dim", 1}, {"parts", 2}}},
               shape_file),
        custom(
            "gather", 6,
            [](const GoldenCase& golden, const TensorMap& in) {
                return gather(input_of(in, "x"), dim_of(golden), index_of(golden, in));
            },
            {.inputs = {{"x", {512, 300}}, {.name = "index", .shape = {512 * 100}, .below = 300}},
             .attributes = {{"dim", 1}, {"index_shape", {512, 100}}}},
            shape_file),
        scattered("scatter_add", 6, scatter_add),
        scattered("scatter", 4, scatter),
        custom(
            "index_select", 6,
            [](const GoldenCase& golden, const TensorMap& in) {
                return index_select(input_of(in, "x"), dim_of(golden), index_of(golden, in));
            },
            {.inputs = {{"x", image}, {.name = "index", .shape = {24}, .below = 32}}, .attributes = {{"dim", 1}}},
            shape_file),
        custom(
            "masked_fill", 5,
            [](const GoldenCase& golden, const TensorMap& in) {
                return masked_fill(input_of(in, "x"), input_of(in, "mask"), golden.attributes.at("value"));
            },
            {.inputs = {{"x", image}, {"mask", {28, 28}, 1, 2}}, .attributes = {{"value", -1}}}, shape_file),
        custom(
            "one_hot", 4,
            [](const GoldenCase& golden, const TensorMap& in) {
                return one_hot(input_of(in, "labels"), golden.attributes.at("classes"));
            },
            {.inputs = {{.name = "labels", .shape = {512}, .below = 1000}}, .attributes = {{"classes", 1000}}},
            shape_file),
        custom(
            "arange", 5,
            [](const GoldenCase& golden, const TensorMap&) {
                const auto& a = golden.attributes;
                return arange(a.at("begin"), a.at("end"), a.at("step"));
            },
            {.inputs = {}, .attributes = {{"begin", 0}, {"end", 100000}, {"step", 1}}}, shape_file),
        custom(
            "linspace", 5,
            [](const GoldenCase& golden, const TensorMap&) {
                const auto& a = golden.attributes;
                return linspace(a.at("begin"), a.at("end"), a.at("count"));
            },
            {.inputs = {}, .attributes = {{"begin", 0}, {"end", 1}, {"count", 100001}}}, shape_file),
        custom(
            "eye", 4,
            [](const GoldenCase& golden, const TensorMap&) {
                return eye(golden.attributes.at("rows"), std::int64_t{golden.attributes.at("columns")});
            },
            {.inputs = {}, .attributes = {{"rows", 300}, {"columns", 300}}}, shape_file),
    };
    return family;
}

}  // namespace radial::test
