// Seeded random inputs for tests. Some functions keep the inputs away from the kinks of piecewise functions.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <functional>
#include <random>

namespace radial::test {

// Not inline, because nvcc and g++ would compile the lambdas of inline functions to closures with the same name but
// different layouts.
class RandomInputs {
public:
    explicit RandomInputs(std::uint64_t seed) : engine_(seed) {}

    double uniform(double low, double high);
    /// An integer in [low, high].
    std::int64_t integer(std::int64_t low, std::int64_t high);
    Tensor tensor(const Shape& shape, double low = -1, double high = 1, DType dtype = DType::float64);
    /// Elements with 0.1 <= |x| <= 1.1.
    Tensor away_from_zero(const Shape& shape);
    /// Elements that differ from each other by at least 0.05, so that a small step does not change which element is the
    /// largest.
    Tensor distinct(const Shape& shape, DType dtype = DType::float64);
    /// Labels: an int64 tensor [count] of integers in [0, bound).
    Tensor labels(std::int64_t count, std::int64_t bound);

private:
    static Tensor filled(const Shape& shape, DType dtype, const std::function<double()>& next);

    std::mt19937_64 engine_;
};

}  // namespace radial::test
