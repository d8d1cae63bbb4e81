// Random images for the tests of networks, and access to a network's parameters by name.
#pragma once

#include "radial/core/nn/module.h"
#include "radial/core/tensor/random.h"

#include <string>

namespace radial::test {

/// Random numbers in [-1, 1], the same in every call.
inline Tensor random_images(const Shape& shape) {
    const Tensor x = Tensor::empty(shape);
    Generator generator(12);
    uniform_(x, -1, 1, generator);
    return x;
}

/// The parameter with this name; undefined if there is none.
inline Tensor parameter(const Layer& net, const std::string& wanted) {
    for (const auto& [name, tensor] : net.named_parameters())
        if (name == wanted) return tensor;
    return {};
}

}  // namespace radial::test
