// Steps of SGD and Adam on one parameter, for comparison with the steps that golden/optim.py recorded from PyTorch.
#pragma once

#include "../../catch.h"
#include "../../expect.h"
#include "../../golden/optim.h"

#include "radial/core/optim/adam.h"
#include "radial/core/optim/sgd.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace radial::test {

/// Creates an optimizer for the given parameters.
using Make = std::function<std::unique_ptr<Optimizer>(std::vector<Tensor>)>;

inline Make sgd(const SgdOptions& options) {
    return [options](std::vector<Tensor> p) { return std::make_unique<Sgd>(std::move(p), options); };
}
inline Make adam(const AdamOptions& options) {
    return [options](std::vector<Tensor> p) { return std::make_unique<Adam>(std::move(p), options); };
}

inline const SgdOptions nesterov{.lr = 0.1, .momentum = 0.9, .nesterov = true, .weight_decay = 0.01};
inline const AdamOptions adam_decay{
    .lr = 0.02, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-6, .weight_decay = 0.1, .decoupled = false};

inline Tensor vector_of(const std::vector<double>& values, DType dtype = DType::float64) {
    return Tensor::from(values, {static_cast<std::int64_t>(values.size())}).to(dtype);
}

inline Tensor start(DType dtype = DType::float64) { return vector_of({0.1, -0.2, 0.3, -0.4, 0.5}, dtype); }

/// The gradient that golden/optim.py uses in a step; steps are counted from 1.
inline Tensor gradient_at(int step, DType dtype = DType::float64) {
    std::vector<double> values(5);
    for (int i = 0; i < 5; ++i) values[static_cast<std::size_t>(i)] = ((7 * step + 3 * i) % 11 - 5) / 4.0;
    return vector_of(values, dtype);
}

/// Runs the optimizer's steps `first` to `last` with the gradients of gradient_at().
inline void run(Optimizer& optimizer, const Tensor& parameter, int first, int last) {
    for (int step = first; step <= last; ++step) {
        parameter.set_grad(gradient_at(step, parameter.dtype()));
        optimizer.step();
    }
}

/// Runs an optimizer's steps and compares the parameter with the recorded values after each recorded step.
inline void check_against(const Make& make, const std::vector<golden::Recorded>& recorded, DType dtype,
                          double tolerance) {
    const Tensor parameter = start(dtype);
    const auto optimizer = make({parameter});
    int done = 0;
    for (const golden::Recorded& record : recorded) {
        run(*optimizer, parameter, done + 1, record.step);
        done = record.step;
        CAPTURE(record.step, parameter.str());
        CHECK(relative_difference(parameter, vector_of(record.parameter, dtype)) < tolerance);
    }
}

/// check_against() in float32 and in float64.
inline void check_both(const Make& make, const std::vector<golden::Recorded>& narrow,
                       const std::vector<golden::Recorded>& wide) {
    check_against(make, narrow, DType::float32, 1e-6);
    check_against(make, wide, DType::float64, 1e-14);
}

}  // namespace radial::test
