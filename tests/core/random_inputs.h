// Random inputs for tests: seeded, and kept away from the kinks of piecewise functions where asked.
#pragma once

#include "radial/core/tensor.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <vector>

namespace radial::test {

class RandomInputs {
public:
    explicit RandomInputs(std::uint64_t seed) : engine_(seed) {}

    double uniform(double low, double high) {
        return low + (high - low) * (static_cast<double>(engine_() >> 11) * 0x1p-53);
    }
    /// An integer in [low, high].
    std::int64_t integer(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(high - low + 1));
    }
    Tensor tensor(const Shape& shape, double low = -1, double high = 1, DType dtype = DType::float64) {
        return filled(shape, dtype, [&] { return uniform(low, high); });
    }
    /// Elements with 0.1 <= |x| <= 1.1.
    Tensor away_from_zero(const Shape& shape) {
        return filled(shape, DType::float64, [&] {
            const double value = uniform(-1, 1);
            return value + std::copysign(0.1, value);
        });
    }
    /// Elements that differ by at least 0.05 from each other, so that a small step changes no maximum.
    Tensor distinct(const Shape& shape, DType dtype = DType::float64) {
        std::vector<double> values(static_cast<std::size_t>(shape.numel()));
        const double middle = 0.5 * static_cast<double>(values.size());
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.05 * (static_cast<double>(i) - middle);
        std::shuffle(values.begin(), values.end(), engine_);
        return Tensor::from(values, shape).to(dtype);
    }
    /// int64 [count] in [0, bound).
    Tensor labels(std::int64_t count, std::int64_t bound) {
        std::vector<std::int64_t> values(static_cast<std::size_t>(count));
        for (auto& value : values) value = integer(0, bound - 1);
        return Tensor::from(values, {count});
    }

private:
    static Tensor filled(const Shape& shape, DType dtype, const std::function<double()>& next) {
        std::vector<double> values(static_cast<std::size_t>(shape.numel()));
        for (double& value : values) value = next();
        return Tensor::from(values, shape).to(dtype);
    }

    std::mt19937_64 engine_;
};

}  // namespace radial::test
