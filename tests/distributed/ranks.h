// What the tests that run on several ranks share: every rank runs the same cases in the same order.
#pragma once

#include "../catch.h"
#include "../expect.h"
#include "radial/core/distributed/communicator.h"
#include "radial/core/nn/module.h"

#include <cmath>
#include <vector>

namespace radial::test {

/// The ranks that mpirun has started.
Communicator& ranks();

/// This rank's rows of x, of which each rank has as many as the others or one more: cut as the loader cuts batches.
inline Tensor own_rows(const Tensor& x) {
    const std::int64_t rows = x.size(0), rank = ranks().rank(), size = ranks().size();
    return x.rows(rows * rank / size, rows * (rank + 1) / size).clone();
}

/// The gradients of two modules of the same make, as vectors: the length of their difference over that of the second.
/// A tensor by itself may have a gradient of 0, as a bias in front of a batch norm, whose rounding is no error.
inline double gradient_difference(const Module& a, const Module& b) {
    const std::vector<NamedTensor> left = a.named_parameters(), right = b.named_parameters();
    REQUIRE(left.size() == right.size());
    double difference = 0, whole = 0;
    for (std::size_t i = 0; i < left.size(); ++i) {
        INFO(left[i].name);
        const Tensor one = left[i].tensor.grad(), other = right[i].tensor.grad();
        REQUIRE(one.defined() == other.defined());
        if (!one.defined()) continue;
        const std::vector<double> found = one.to(DType::float64).to_vector<double>();
        const std::vector<double> expected = other.to(DType::float64).to_vector<double>();
        REQUIRE(found.size() == expected.size());
        for (std::size_t k = 0; k < found.size(); ++k) {
            difference += (found[k] - expected[k]) * (found[k] - expected[k]);
            whole += expected[k] * expected[k];
        }
    }
    REQUIRE(whole > 0);
    return std::sqrt(difference / whole);
}

}  // namespace radial::test
