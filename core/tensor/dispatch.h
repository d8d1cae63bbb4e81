// Selects code for a run-time element type.
#pragma once

#include "radial/core/tensor/types.h"
#include "radial/core/util/error.h"

#include <type_traits>
#include <utility>

namespace radial {

/// Calls f(T{}) with T = float or double. Throws Error naming `what` for any other type.
template <class F>
decltype(auto) dispatch_floating(DType dtype, std::string_view what, F&& f) {
    RADIAL_CHECK(dtype == DType::float32 || dtype == DType::float64, "{}: dtype is {}, expected float32 or float64",
                 what, name_of(dtype));
    return dtype == DType::float32 ? std::forward<F>(f)(float{}) : std::forward<F>(f)(double{});
}

/// Calls f(T{}) with T = float, double or bfloat16, the types of activations. Throws Error naming `what` for any other
/// type.
template <class F>
decltype(auto) dispatch_activation(DType dtype, std::string_view what, F&& f) {
    if (dtype == DType::bfloat16) return std::forward<F>(f)(bfloat16{});
    return dispatch_floating(dtype, what, std::forward<F>(f));
}

/// Calls f(T{}) with T = the C++ type of `dtype`.
template <class F>
decltype(auto) dispatch_all(DType dtype, F&& f) {
    switch (dtype) {
        case DType::float32:
            return std::forward<F>(f)(float{});
        case DType::float64:
            return std::forward<F>(f)(double{});
        case DType::int32:
            return std::forward<F>(f)(std::int32_t{});
        case DType::int64:
            return std::forward<F>(f)(std::int64_t{});
        case DType::bfloat16:
            return std::forward<F>(f)(bfloat16{});
        case DType::uint8:
            break;
    }
    return std::forward<F>(f)(std::uint8_t{});
}

}  // namespace radial
