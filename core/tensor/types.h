// The value types that describe a tensor (shape, element type, layout), and dispatch on the element type.
#pragma once

#include "radial/core/kernels/bfloat16.h"
#include "radial/core/memory/storage.h"
#include "radial/core/util/error.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace radial {

/// Element type of a tensor.
enum class DType : std::uint8_t {
    float32,  ///< float
    float64,  ///< double
    int32,    ///< std::int32_t
    int64,    ///< std::int64_t
    uint8,    ///< std::uint8_t
    bfloat16  ///< radial::bfloat16
};

/// The size of one element in bytes.
std::size_t size_of(DType dtype);
/// The name of an element type: "float32", "int64", ...
std::string_view name_of(DType dtype);
/// Whether the type is float32, float64 or bfloat16.
constexpr bool is_floating(DType dtype) {
    return dtype == DType::float32 || dtype == DType::float64 || dtype == DType::bfloat16;
}

/// Maps a C++ type to its DType. Use dtype_of.
template <class T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
    static constexpr DType value = DType::float32;
};
template <>
struct DTypeOf<double> {
    static constexpr DType value = DType::float64;
};
template <>
struct DTypeOf<std::int32_t> {
    static constexpr DType value = DType::int32;
};
template <>
struct DTypeOf<std::int64_t> {
    static constexpr DType value = DType::int64;
};
template <>
struct DTypeOf<std::uint8_t> {
    static constexpr DType value = DType::uint8;
};
template <>
struct DTypeOf<bfloat16> {
    static constexpr DType value = DType::bfloat16;
};
/// The DType of the C++ type T.
template <class T>
inline constexpr DType dtype_of = DTypeOf<std::remove_cv_t<T>>::value;

/// The order of a tensor's elements in memory. The logical shape is NCHW in both cases.
enum class Layout : std::uint8_t {
    row_major,      ///< the last logical dimension is contiguous; any rank
    channels_last,  ///< rank 4 only: stored as NHWC
};
/// The name of a layout: "row_major" or "channels_last".
std::string_view name_of(Layout layout);

/// The logical extents of a tensor, outermost first: at most `max_rank`, none negative.
class Shape {
public:
    static constexpr int max_rank = 6;  ///< maximum rank

    Shape() = default;
    ///@{
    /// Throws Error for too many or negative extents.
    Shape(std::initializer_list<std::int64_t> extents);
    explicit Shape(std::span<const std::int64_t> extents);
    ///@}

    /// The number of extents.
    int rank() const { return rank_; }
    /// The product of the extents; 1 for rank 0.
    std::int64_t numel() const;
    /// The extent of `dim`; negative numbers count from the back. Throws Error when out of range.
    std::int64_t at(int dim) const;
    ///@{
    /// The extent of `dim`, unchecked.
    std::int64_t operator[](int dim) const { return extents_[static_cast<std::size_t>(dim)]; }
    std::int64_t& operator[](int dim) { return extents_[static_cast<std::size_t>(dim)]; }
    ///@}
    ///@{
    /// The extents as a range.
    const std::int64_t* begin() const { return extents_.data(); }
    const std::int64_t* end() const { return extents_.data() + rank_; }
    ///@}
    /// The row-major strides in elements.
    std::array<std::int64_t, max_rank> strides() const;
    /// Text for messages: "[2, 3, 4]".
    std::string str() const;
    /// Whether rank and extents are equal.
    friend bool operator==(const Shape& a, const Shape& b) {
        return a.rank_ == b.rank_ && std::equal(a.begin(), a.end(), b.begin());
    }

private:
    std::array<std::int64_t, max_rank> extents_{};
    int rank_ = 0;
};

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
