// The ops of norm.h; every_op.h says how to add one.
#include "op_calls.h"

#include "radial/core/ops.h"

namespace radial::test {
namespace {

Tensor call_batch_norm(const GoldenCase& golden, const TensorMap& in) {
    return batch_norm(input_of(in, "x"), input_of(in, "scale"), input_of(in, "shift"), input_of(in, "running_mean"),
                      input_of(in, "running_variance"),
                      {.momentum = golden.number("momentum", 0.1),
                       .epsilon = golden.number("epsilon", 1e-5),
                       .training = golden.flag("training", true),
                       .activation = golden.flag("relu", false) ? Activation::relu : Activation::none},
                      input_of(in, "residual"));
}

Shape normalised(const GoldenCase& golden) {
    return Shape(std::span<const std::int64_t>(golden.attributes.at("normalised").get<std::vector<std::int64_t>>()));
}

const std::string file = "norm_ops.safetensors";
const LargeCall large_image{.inputs = {{"x", {8, 32, 28, 28}, -1, 3}, {"weight", {32}, 0.5, 1.5}, {"bias", {32}}},
                            .attributes = {{"groups", 8}}};
const LargeCall large_rows{.inputs = {{"x", {8, 49, 384}, -1, 3}, {"weight", {384}, 0.5, 1.5}, {"bias", {384}}},
                           .attributes = {{"normalised", {384}}}};

}  // namespace

const OpFamily& norm_ops() {
    static const OpFamily family = {
        custom("batch_norm", 32, call_batch_norm,
               {.inputs = {{"x", image},
                           {"scale", {32}, 0.5, 1.5},
                           {"shift", {32}},
                           {"residual", image},
                           {"running_mean", {32}},
                           {"running_variance", {32}, 0.5, 2}},
                .attributes = {{"relu", true}}}),
        custom(
            "layer_norm", 9,
            [](const GoldenCase& golden, const TensorMap& in) {
                return layer_norm(input_of(in, "x"), normalised(golden), input_of(in, "weight"), input_of(in, "bias"),
                                  golden.number("epsilon", 1e-5));
            },
            large_rows, file),
        custom(
            "rms_norm", 7,
            [](const GoldenCase& golden, const TensorMap& in) {
                return rms_norm(input_of(in, "x"), normalised(golden), input_of(in, "weight"),
                                golden.number("epsilon", 1e-6));
            },
            {.inputs = {large_rows.inputs[0], large_rows.inputs[1]}, .attributes = large_rows.attributes}, file),
        custom(
            "layer_norm2d", 3,
            [](const GoldenCase& golden, const TensorMap& in) {
                return layer_norm2d(input_of(in, "x"), input_of(in, "weight"), input_of(in, "bias"),
                                    golden.number("epsilon", 1e-6));
            },
            large_image, file),
        custom(
            "group_norm", 8,
            [](const GoldenCase& golden, const TensorMap& in) {
                return group_norm(input_of(in, "x"), golden.attributes.at("groups"), input_of(in, "weight"),
                                  input_of(in, "bias"), golden.number("epsilon", 1e-5));
            },
            large_image, file),
        custom(
            "instance_norm", 3,
            [](const GoldenCase& golden, const TensorMap& in) {
                return instance_norm(input_of(in, "x"), input_of(in, "weight"), input_of(in, "bias"),
                                     golden.number("epsilon", 1e-5));
            },
            large_image, file),
    };
    return family;
}

}  // namespace radial::test
