// A check for ops that accept bfloat16: their results must be the rounded results of float32.
#pragma once

#include "../expect.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"
#include "random_inputs.h"

#include <functional>
#include <string>
#include <vector>

namespace radial::test {

/// Runs `f` on `inputs` (first rounded to bfloat16) in bfloat16 and in float32. Returns "" or a description of the
/// problem: the results must be equal after rounding, and the gradients may differ by at most `tolerance`, relative to
/// the largest gradient.
inline std::string bfloat16_problem(const std::function<Tensor(const std::vector<Tensor>&)>& f,
                                    const std::vector<Tensor>& inputs, double tolerance = 0x1p-7) {
    const auto run = [&](DType dtype, std::vector<Tensor>& leaves) {
        for (const Tensor& input : inputs)
            leaves.push_back(input.to(DType::bfloat16).to(dtype).clone().set_requires_grad());
        Tensor y = f(leaves);
        RandomInputs random(3);
        backward(y, random.tensor(y.shape()).to(DType::bfloat16).to(y.layout()).to(dtype));
        return y.detach();
    };
    std::vector<Tensor> leaves, exact_leaves;
    const Tensor y = run(DType::bfloat16, leaves), exact = run(DType::float32, exact_leaves);
    if (y.dtype() != DType::bfloat16) return fmt::format("the result is {}", y.str());
    if (relative_difference(y, exact.to(DType::bfloat16)) != 0)
        return fmt::format("the result is {:.2e} from float32's, rounded",
                           relative_difference(y, exact.to(DType::bfloat16)));
    for (std::size_t i = 0; i < leaves.size(); ++i) {
        const Tensor grad = leaves[i].grad();
        if (grad.dtype() != DType::bfloat16) return fmt::format("gradient {} is {}", i, grad.str());
        const double error = relative_difference(grad, exact_leaves[i].grad());
        if (!(error <= tolerance)) return fmt::format("gradient {} is {:.2e} from float32's", i, error);
    }
    return "";
}

}  // namespace radial::test
