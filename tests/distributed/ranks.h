// What the tests that run on several ranks share: every rank runs the same cases in the same order.
#pragma once

#include "../catch.h"
#include "../expect.h"
#include "radial/core/distributed.h"
#include "radial/core/module.h"

#include <vector>

namespace radial::test {

/// The ranks that mpirun has started.
Communicator& ranks();

/// This rank's rows of x, of which each rank has as many as the others or one more: cut as the loader cuts batches.
inline Tensor own_rows(const Tensor& x) {
    const std::int64_t rows = x.size(0), rank = ranks().rank(), size = ranks().size();
    return x.rows(rows * rank / size, rows * (rank + 1) / size).clone();
}

/// The largest relative difference between the gradients of two modules of the same make.
inline double gradient_difference(const Module& a, const Module& b) {
    const std::vector<NamedTensor> left = a.named_parameters(), right = b.named_parameters();
    double most = left.size() == right.size() ? 0 : INFINITY;
    for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
        INFO(left[i].name);
        const Tensor one = left[i].tensor.grad(), other = right[i].tensor.grad();
        REQUIRE(one.defined() == other.defined());
        if (one.defined()) most = std::max(most, relative_difference(one, other));
    }
    return most;
}

}  // namespace radial::test
