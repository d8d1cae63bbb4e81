// The ops of reduce.h; every_op.h says how to add one.
#include "op_calls.h"

#include "radial/core/ops.h"

namespace radial::test {
namespace {

const std::string reduce_ops = "reduce_ops.safetensors";

template <Tensor (*op)(const Tensor&, const std::vector<int>&, bool)>
Tensor reduce(const GoldenCase& golden, const TensorMap& in) {
    return op(input_of(in, "x"), golden.attributes.at("dims").get<std::vector<int>>(), golden.flag("keep_dim", false));
}

/// An op along one dimension, the last if the case does not name one.
template <Tensor (*op)(const Tensor&, int)>
Tensor along(const GoldenCase& golden, const TensorMap& in) {
    return op(input_of(in, "x"), golden.attributes.value("dim", -1));
}

}  // namespace

const OpFamily& reduction_ops() {
    static const nlohmann::json channels = {{"dims", {0, 2, 3}}};
    static const OpFamily family = {
        custom("sum", 7, reduce<sum>, of_image(channels)),
        custom("mean", 7, reduce<mean>, of_image(channels)),
        custom(
            "max", 4,
            [](const GoldenCase& golden, const TensorMap& in) {
                return max(input_of(in, "x"), golden.attributes.at("dim"));
            },
            of_image({{"dim", 3}})),
        unary("median", 3, median, {.inputs = {{"x", {2000}}}}, head_ops_file),
        unary("argmax", 3, argmax, {.inputs = {{"x", {512, 1000}}}}),
        custom("label_ranks", 6,
               [](const GoldenCase&, const TensorMap& in) {
                   return label_ranks(input_of(in, "x"), input_of(in, "labels"));
               },
               {.inputs = {{"x", {512, 1000}}, {.name = "labels", .shape = {512}, .below = 1000}}}),
        custom("log_softmax", 4, along<log_softmax>, {.inputs = {{"x", {512, 1000}, -4, 4}}}),
        custom("log_softmax", 6, along<log_softmax>, {.inputs = {{"x", image, -4, 4}}, .attributes = {{"dim", 1}}},
               reduce_ops),
        custom("softmax", 8, along<softmax>, {.inputs = {{"x", {512, 1000}, -4, 4}}}, reduce_ops),
        unary("log_sum_exp", 6, log_sum_exp, {.inputs = {{"x", {512, 1000}, -4, 4}}}, term_ops),
    };
    return family;
}

}  // namespace radial::test
