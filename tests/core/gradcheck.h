// The gradient check for all ops: compares backward() with finite differences in float64.
#pragma once

#include "../expect.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"
#include "random_inputs.h"

#include <functional>
#include <string>
#include <vector>

namespace radial::test {

/// A function from float64 tensors to a float64 tensor; it must return the same result whenever it gets the same
/// values.
using TensorFunction = std::function<Tensor(const std::vector<Tensor>&)>;

struct GradcheckOptions {
    double tolerance = 1e-6;    ///< limit of max |analytic - numeric| / max |numeric|, for each input
    double step = 1e-3;         ///< inputs must be more than two steps away from any kink
    std::size_t elements = 48;  ///< number checked one by one in each input; others only along a random direction
    std::uint64_t seed = 1;
};

namespace gradcheck {

using Values = std::vector<double>;

inline Tensor leaf(const Tensor& input, Layout layout, bool requires_grad) {
    const Layout own = input.rank() == 4 ? layout : Layout::row_major;
    return input.to(own).clone().set_requires_grad(requires_grad);
}

/// The sum of the products of f(inputs) and the cotangent: the scalar that is differentiated.
inline double contracted(const TensorFunction& f, const std::vector<Tensor>& inputs, const Values& cotangent) {
    const NoGrad guard;
    const Values y = f(inputs).to_vector<double>();
    double total = 0;
    for (std::size_t i = 0; i < y.size(); ++i) total += y[i] * cotangent[i];
    return total;
}

/// The derivative at 0 of t -> scalar(inputs, with input `which` moved by t * direction). Its error is of the order of
/// step^4.
inline double numeric_derivative(const TensorFunction& f, std::vector<Tensor> inputs, const Values& cotangent,
                                 std::size_t which, const Values& direction, double step) {
    const Values centre = inputs[which].to_vector<double>();
    const Shape shape = inputs[which].shape();
    const auto at = [&](double t) {
        Values moved = centre;
        for (std::size_t i = 0; i < moved.size(); ++i) moved[i] += t * direction[i];
        inputs[which] = Tensor::from(moved, shape);
        return contracted(f, inputs, cotangent);
    };
    return (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
}

/// One pass of backward(). The gradient must be the same for all variants.
struct Pass {
    Layout layout = Layout::row_major;       ///< layout of rank-4 inputs
    Layout seed_layout = Layout::row_major;  ///< layout of the incoming gradient if it has rank 4
    bool twice = false;                      ///< differentiates f(inputs) + f(inputs); the gradient is doubled
    int only = -1;                           ///< index of the only input that requires a gradient; negative: all do
    std::string str() const {
        return fmt::format("{} inputs, {} gradient{}{}", name_of(layout), name_of(seed_layout),
                           twice ? ", used twice" : "", only < 0 ? "" : fmt::format(", input {} alone", only));
    }
};

/// The gradients of the contracted scalar that backward() computes, with an empty vector for each input that requires
/// no gradient. Sets `problem` if an input was changed, or if a gradient is missing or should not exist.
inline std::vector<Values> analytic(const TensorFunction& f, const std::vector<Tensor>& inputs, const Values& cotangent,
                                    const Pass& pass, std::string& problem) {
    std::vector<Tensor> leaves;
    for (std::size_t i = 0; i < inputs.size(); ++i)
        leaves.push_back(leaf(inputs[i], pass.layout, pass.only < 0 || pass.only == static_cast<int>(i)));
    const std::uint64_t fresh = Tensor::zeros({1}).version();
    Tensor y = f(leaves);
    if (pass.twice) y = add(y, f(leaves));
    Tensor seed = Tensor::from(cotangent, y.shape());
    if (y.rank() == 4) seed = seed.to(pass.seed_layout);
    backward(y, seed);

    std::vector<Values> grads;
    for (std::size_t i = 0; i < leaves.size(); ++i) {
        if (leaves[i].to_vector<double>() != inputs[i].to_vector<double>() || leaves[i].version() != fresh)
            problem = fmt::format("input {} was changed ({})", i, pass.str());
        if (leaves[i].grad().defined() != leaves[i].requires_grad())
            problem =
                fmt::format("input {} {} a gradient ({})", i, leaves[i].requires_grad() ? "lacks" : "got", pass.str());
        grads.push_back(leaves[i].grad().defined() ? leaves[i].grad().to_vector<double>() : Values{});
    }
    return grads;
}

/// Compares one input's gradient with finite differences: some elements one by one, then all along a random direction.
inline std::string compare_with_differences(const TensorFunction& f, const std::vector<Tensor>& inputs,
                                            const Values& cotangent, std::size_t which, const Values& grad,
                                            const GradcheckOptions& options) {
    RandomInputs random(options.seed + 17 * which);
    const std::size_t count = grad.size();
    const auto derivative = [&](const Values& direction) {
        return numeric_derivative(f, inputs, cotangent, which, direction, options.step);
    };
    double worst = 0, scale = 1e-3;
    for (std::size_t k = 0; k < std::min(count, options.elements); ++k) {
        const bool every = count <= options.elements;
        const auto i = every ? k : static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(count) - 1));
        Values direction(count, 0.0);
        direction[i] = 1;
        const double numeric = derivative(direction);
        worst = std::max(worst, std::abs(grad[i] - numeric));
        if (std::isnan(grad[i])) worst = INFINITY;
        scale = std::max(scale, std::abs(numeric));
    }
    if (!(worst / scale < options.tolerance))
        return fmt::format("input {} {}: relative error {:.2e}", which, inputs[which].str(), worst / scale);

    Values direction = random.tensor({static_cast<std::int64_t>(count)}).to_vector<double>();
    double expected = 0, total = 1e-3;
    for (std::size_t i = 0; i < count; ++i) {
        // The length of the direction is at most 1, so that no element moves further than in the check of a single
        // element.
        direction[i] /= std::sqrt(static_cast<double>(count));
        expected += grad[i] * direction[i];
        total += std::abs(grad[i] * direction[i]);
    }
    const double error = std::abs(derivative(direction) - expected) / total;
    if (error < options.tolerance) return "";
    return fmt::format("input {} {}: relative error {:.2e} along a direction", which, inputs[which].str(), error);
}

/// Checks that the gradients of another pass are `factor` times the expected ones. Returns "" or a description of the
/// problem.
inline std::string compare_passes(const std::vector<Values>& grads, const std::vector<Values>& expected, double factor,
                                  const Pass& pass) {
    for (std::size_t i = 0; i < grads.size(); ++i) {
        double worst = 0, scale = 1e-3;
        for (std::size_t k = 0; k < grads[i].size(); ++k) {
            worst = std::max(worst, std::abs(grads[i][k] - factor * expected[i][k]));
            scale = std::max(scale, std::abs(factor * expected[i][k]));
        }
        if (!(worst / scale < 1e-9))
            return fmt::format("input {}: {:.2e} from the row_major gradient ({})", i, worst / scale, pass.str());
    }
    return "";
}

}  // namespace gradcheck

/// Checks the gradients of `f` at `inputs` (float64) with respect to all inputs: compares them with finite differences,
/// and checks that they are the same in both layouts of rank-4 inputs and of the incoming gradient, with f used twice,
/// and with only one input that requires a gradient. Also checks that no input is changed. Returns "" or a description
/// of the problem.
inline std::string gradient_problem(const TensorFunction& f, const std::vector<Tensor>& inputs,
                                    const GradcheckOptions& options = {}) {
    using namespace gradcheck;
    RandomInputs random(options.seed);
    Shape output;
    {
        const NoGrad guard;
        output = f(inputs).shape();
    }
    const Values cotangent = random.tensor(output).to_vector<double>();
    std::string problem;
    const std::vector<Values> grads = analytic(f, inputs, cotangent, {}, problem);
    for (std::size_t i = 0; i < inputs.size() && problem.empty(); ++i)
        problem = compare_with_differences(f, inputs, cotangent, i, grads[i], options);

    std::vector<Pass> passes{{.layout = Layout::channels_last},
                             {.seed_layout = Layout::channels_last},
                             {.layout = Layout::channels_last, .seed_layout = Layout::channels_last},
                             {.twice = true}};
    for (std::size_t i = 0; i < inputs.size() && inputs.size() > 1; ++i)
        passes.push_back({.only = static_cast<int>(i)});
    for (const Pass& pass : passes) {
        if (!problem.empty()) return problem;
        const auto other = analytic(f, inputs, cotangent, pass, problem);
        if (problem.empty()) problem = compare_passes(other, grads, pass.twice ? 2 : 1, pass);
    }
    return problem;
}

}  // namespace radial::test
