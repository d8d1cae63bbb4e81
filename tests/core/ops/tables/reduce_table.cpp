// The ops of reduce.h, softmax.h, scan.h and sort.h; every_op.h says how to add one.
#include "op_calls.h"

#include "radial/core/ops.h"

#include <limits>

namespace radial::test {
namespace {

const std::string reduce_ops = "reduce_ops.safetensors";

template <Tensor (*op)(const Tensor&, const std::vector<int>&, bool)>
Tensor reduce(const GoldenCase& golden, const TensorMap& in) {
    return op(input_of(in, "x"), golden.attributes.at("dims").get<std::vector<int>>(), golden.flag("keep_dim", false));
}

std::vector<int> dims_of(const GoldenCase& golden) { return golden.attributes.at("dims").get<std::vector<int>>(); }

template <Tensor (*op)(const Tensor&, const std::vector<int>&, int, bool)>
Tensor moment(const GoldenCase& golden, const TensorMap& in) {
    return op(input_of(in, "x"), dims_of(golden), golden.attributes.at("correction"), golden.flag("keep_dim", false));
}

template <Tensor (*op)(const Tensor&, int, bool)>
Tensor place(const GoldenCase& golden, const TensorMap& in) {
    return op(input_of(in, "x"), golden.attributes.at("dim"), golden.flag("keep_dim", false));
}

Tensor norm_of(const GoldenCase& golden, const TensorMap& in) {
    const double p = golden.attributes.at("p");  // 0 represents infinity
    return norm(input_of(in, "x"), p == 0 ? std::numeric_limits<double>::infinity() : p, dims_of(golden),
                golden.flag("keep_dim", false));
}

OpUnderTest smooth_without_ties(OpUnderTest op) {
    op.smooth = [](const GoldenCase& golden) { return !golden.flag("ties", false); };
    return op;
}

/// The two tensors of a result as "y" and "indices".
TensorMap both(const Sorted& sorted) { return {{"y", sorted.values}, {"indices", sorted.indices}}; }

TensorMap sort_of(const GoldenCase& golden, TensorMap& in) {
    return both(sort(input_of(in, "x"), golden.attributes.at("dim"), golden.flag("descending", false)));
}
Tensor argsort_of(const GoldenCase& golden, const TensorMap& in) {
    return argsort(input_of(in, "x"), golden.attributes.at("dim"), golden.flag("descending", false));
}
TensorMap topk_of(const GoldenCase& golden, TensorMap& in) {
    return both(
        topk(input_of(in, "x"), golden.attributes.at("k"), golden.attributes.at("dim"), golden.flag("largest", true)));
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
        custom("log_sum_exp", 5, reduce<log_sum_exp>, of_image(channels, -4, 4), reduce_ops),
        custom("min", 4, along<min>, of_image({{"dim", 3}}), reduce_ops),
        smooth_without_ties(custom("amax", 7, reduce<amax>, of_image(channels), reduce_ops)),
        smooth_without_ties(custom("amin", 7, reduce<amin>, of_image(channels), reduce_ops)),
        custom("prod", 7, reduce<prod>, of_image({{"dims", {3}}}, 0.5, 1.5), reduce_ops),
        custom("var", 6, moment<var>, of_image({{"dims", {0, 2, 3}}, {"correction", 1}}), reduce_ops),
        custom("std", 6, moment<radial::std>, of_image({{"dims", {0, 2, 3}}, {"correction", 1}}), reduce_ops),
        custom("norm", 15, norm_of, of_image({{"dims", {0, 2, 3}}, {"p", 2}}), reduce_ops),
        custom("all", 4, reduce<all>, of_image(channels), reduce_ops),
        custom("any", 4, reduce<any>, of_image(channels), reduce_ops),
        custom("count_nonzero", 4, reduce<count_nonzero>, of_image(channels), reduce_ops),
        custom("argmax", 5, place<argmax>, of_image({{"dim", 1}}), reduce_ops),
        custom("argmin", 5, place<argmin>, of_image({{"dim", 1}}), reduce_ops),
        custom("cumsum", 5, along<cumsum>, {.inputs = {{"x", {512, 1000}}}}, reduce_ops),
        custom("cumprod", 7, along<cumprod>, {.inputs = {{"x", {512, 1000}, 0.9, 1.1}}}, reduce_ops),
        smooth_without_ties(custom("cummax", 6, along<cummax>, {.inputs = {{"x", {512, 1000}}}}, reduce_ops)),
        {reduce_ops, "sort", 6, sort_of, {.inputs = {{"x", {512, 1000}}}, .attributes = {{"dim", 1}}}},
        custom("argsort", 2, argsort_of, {.inputs = {{"x", {512, 1000}}}, .attributes = {{"dim", 1}}}, reduce_ops),
        {reduce_ops, "topk", 6, topk_of, {.inputs = {{"x", {64, 50000}}}, .attributes = {{"dim", 1}, {"k", 5}}}},
    };
    return family;
}

}  // namespace radial::test
