// Names, sizes and checks of the value types that describe a tensor.
#include "radial/core/tensor/types.h"

#include "radial/core/util/error.h"

#include <fmt/ranges.h>

namespace radial {

std::size_t size_of(DType dtype) {
    switch (dtype) {
        case DType::float64:
        case DType::int64:
            return 8;
        case DType::float32:
        case DType::int32:
            return 4;
        case DType::bfloat16:
            return 2;
        case DType::uint8:
            return 1;
    }
    throw Error("size_of: unknown dtype");
}

std::string_view name_of(DType dtype) {
    switch (dtype) {
        case DType::float32:
            return "float32";
        case DType::float64:
            return "float64";
        case DType::int32:
            return "int32";
        case DType::int64:
            return "int64";
        case DType::uint8:
            return "uint8";
        case DType::bfloat16:
            return "bfloat16";
    }
    return "unknown";
}

std::string_view name_of(Layout layout) { return layout == Layout::row_major ? "row_major" : "channels_last"; }

Shape::Shape(std::initializer_list<std::int64_t> extents) : Shape(std::span(extents.begin(), extents.size())) {}

Shape::Shape(std::span<const std::int64_t> extents) {
    RADIAL_CHECK(extents.size() <= max_rank, "shape: {} dimensions, at most {} are supported", extents.size(),
                 static_cast<int>(max_rank));
    for (const std::int64_t extent : extents) {
        RADIAL_CHECK(extent >= 0, "shape: extent {} of dimension {} is negative", extent, rank_);
        extents_[static_cast<std::size_t>(rank_++)] = extent;
    }
}

std::int64_t Shape::numel() const {
    std::int64_t count = 1;
    for (const std::int64_t extent : *this) count *= extent;
    return count;
}

std::int64_t Shape::at(int dim) const {
    const int index = dim < 0 ? dim + rank_ : dim;
    RADIAL_CHECK(index >= 0 && index < rank_, "shape: dimension {} of {}, which has {}", dim, str(), rank_);
    return (*this)[index];
}

std::array<std::int64_t, Shape::max_rank> Shape::strides() const {
    std::array<std::int64_t, max_rank> result{};
    std::int64_t stride = 1;
    for (int dim = rank_ - 1; dim >= 0; --dim) {
        result[static_cast<std::size_t>(dim)] = stride;
        stride *= (*this)[dim];
    }
    return result;
}

std::string Shape::str() const { return fmt::format("[{}]", fmt::join(begin(), end(), ", ")); }

}  // namespace radial
