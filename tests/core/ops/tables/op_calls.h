// Calls that the tables of the ops share.
#pragma once

#include "../every_op.h"

#include <utility>

namespace radial::test {

// Files of recorded cases.
inline const std::string ops = "ops.safetensors", head_ops_file = "head_ops.safetensors",
                         term_ops = "term_ops.safetensors", elementwise_file = "elementwise_ops.safetensors";

inline const Shape image{8, 32, 28, 28};

/// A call on one large image.
inline LargeCall of_image(nlohmann::json attributes = nlohmann::json::object(), double low = -1, double high = 1) {
    return {.inputs = {{"x", image, low, high}}, .attributes = std::move(attributes)};
}

/// An op that returns one tensor.
inline OpUnderTest custom(const std::string& name, std::size_t cases,
                          const std::function<Tensor(const GoldenCase&, const TensorMap&)>& call, LargeCall large,
                          const std::string& fixture = ops) {
    return {fixture, name, cases, giving(call), std::move(large)};
}

/// An op of one tensor.
inline OpUnderTest unary(const std::string& name, std::size_t cases, Tensor (*op)(const Tensor&),
                         LargeCall large = of_image(), const std::string& fixture = ops) {
    return custom(
        name, cases, [op](const GoldenCase&, const TensorMap& in) { return op(input_of(in, "x")); }, std::move(large),
        fixture);
}

}  // namespace radial::test
