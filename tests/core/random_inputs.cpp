// Random inputs for tests.
#include "random_inputs.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace radial::test {

double RandomInputs::uniform(double low, double high) {
    return low + (high - low) * (static_cast<double>(engine_() >> 11) * 0x1p-53);
}

std::int64_t RandomInputs::integer(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(high - low + 1));
}

Tensor RandomInputs::tensor(const Shape& shape, double low, double high, DType dtype) {
    return filled(shape, dtype, [&] { return uniform(low, high); });
}

Tensor RandomInputs::away_from_zero(const Shape& shape) {
    return filled(shape, DType::float64, [&] {
        const double value = uniform(-1, 1);
        return value + std::copysign(0.1, value);
    });
}

Tensor RandomInputs::distinct(const Shape& shape, DType dtype) {
    std::vector<double> values(static_cast<std::size_t>(shape.numel()));
    const double middle = 0.5 * static_cast<double>(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.05 * (static_cast<double>(i) - middle);
    std::shuffle(values.begin(), values.end(), engine_);
    return Tensor::from(values, shape).to(dtype);
}

Tensor RandomInputs::labels(std::int64_t count, std::int64_t bound) {
    std::vector<std::int64_t> values(static_cast<std::size_t>(count));
    for (auto& value : values) value = integer(0, bound - 1);
    return Tensor::from(values, {count});
}

Tensor RandomInputs::filled(const Shape& shape, DType dtype, const std::function<double()>& next) {
    std::vector<double> values(static_cast<std::size_t>(shape.numel()));
    for (double& value : values) value = next();
    return Tensor::from(values, shape).to(dtype);
}

}  // namespace radial::test
