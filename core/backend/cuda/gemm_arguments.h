// How a row-major product is handed to cuBLAS, which is column-major. Arithmetic alone: compiles in any build.
#pragma once

#include "radial/core/tensor/tensor.h"
#include "radial/core/util/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

namespace radial::cuda {

/// The column-major product first * second = [rows, columns] that stands for the row-major c = op(a) op(b).
/// cuBLAS reads each operand as its transpose, so c^T = op(b)^T op(a)^T: `first` is b and `second` is a, flags kept.
struct GemmArguments {
    bool transpose_first = false, transpose_second = false;
    int rows = 0, columns = 0, inner = 0;
    int lead_first = 1, lead_second = 1, lead_result = 1;
};

/// "gemm float32[2, 3] = float32[2, 4] float32[3, 4]^T", for messages.
inline std::string describe_product(bool transpose_a, bool transpose_b, const Tensor& a, const Tensor& b,
                                    const Tensor& c) {
    return fmt::format("gemm {} = {}{} {}{}", c.str(), a.str(), transpose_a ? "^T" : "", b.str(),
                       transpose_b ? "^T" : "");
}

/// Throws Error when the tensors are not matrices that go together, or an extent is above the largest int.
inline GemmArguments gemm_arguments(bool transpose_a, bool transpose_b, const Tensor& a, const Tensor& b,
                                    const Tensor& c) {
    const auto what = [&] { return describe_product(transpose_a, transpose_b, a, b, c); };
    RADIAL_CHECK(a.rank() == 2 && b.rank() == 2 && c.rank() == 2, "{}: expected matrices", what());
    const std::int64_t m = c.size(0), n = c.size(1), k = a.size(transpose_a ? 0 : 1);
    RADIAL_CHECK(
        a.size(transpose_a ? 1 : 0) == m && b.size(transpose_b ? 0 : 1) == n && b.size(transpose_b ? 1 : 0) == k,
        "{}: extents do not go together", what());
    constexpr std::int64_t largest = std::numeric_limits<int>::max();
    RADIAL_CHECK(std::max({m, n, k}) <= largest, "{}: expected extents up to {}", what(), largest);
    const auto lead = [](std::int64_t columns) { return static_cast<int>(std::max<std::int64_t>(columns, 1)); };
    return {.transpose_first = transpose_b,
            .transpose_second = transpose_a,
            .rows = static_cast<int>(n),
            .columns = static_cast<int>(m),
            .inner = static_cast<int>(k),
            .lead_first = lead(b.size(1)),
            .lead_second = lead(a.size(1)),
            .lead_result = lead(n)};
}

}  // namespace radial::cuda
