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
    };
    return family;
}

}  // namespace radial::test
