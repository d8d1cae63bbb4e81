// Functions for tests on several ranks. All ranks run the same cases in the same order.
#pragma once

#include "../catch.h"
#include "../expect.h"
#include "radial/core/distributed/communicator.h"
#include "radial/core/nn/module.h"

#include <cmath>
#include <vector>

namespace radial::test {

/// The ranks that mpirun started.
Communicator& ranks();

/// This rank's rows of x, divided as the loader divides batches: the numbers of rows of two ranks differ by at most
/// one.
inline Tensor own_rows(const Tensor& x) {
    const std::int64_t rows = x.size(0), rank = ranks().rank(), size = ranks().size();
    return x.rows(rows * rank / size, rows * (rank + 1) / size).clone();
}

/// The norm of the difference of all gradients of two equal modules, relative to the norm of b's gradients. Single
/// tensors are not compared, because the true gradient of some is 0 (such as a bias before a batch norm) and only
/// rounding errors remain.
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
