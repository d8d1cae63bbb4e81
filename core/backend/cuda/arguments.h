// Arguments for cuBLAS and cuDNN: those of a matrix product, and the description of a convolution, which is the key of
// its plan. Plain arithmetic that compiles in any build.
#pragma once

#include "radial/core/backend/backend.h"
#include "radial/core/tensor/tensor.h"
#include "radial/core/util/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace radial::cuda {

/// The column-major product first * second = [rows, columns] that computes the row-major c = op(a) op(b). cuBLAS reads
/// each operand as its transpose, so c^T = op(b)^T op(a)^T: `first` is b and `second` is a, with their flags unchanged.
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

/// Returns the arguments of a product. Throws Error when the tensors are not matrices with matching extents, or an
/// extent is above the largest int.
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

enum class ConvKind : std::uint8_t { forward, backward_data, backward_weights };

/// The memory layout of one tensor of a convolution. Dimensions are in logical order (NCHW, or KCRS for weights).
struct ConvOperand {
    std::array<std::int64_t, 4> extents{};
    std::array<std::int64_t, 4> strides{};  ///< in elements
    DType dtype = DType::float32;
    std::int64_t alignment = 0;  ///< of the first element, in bytes: a power of 2, at most 16
    friend bool operator==(const ConvOperand&, const ConvOperand&) = default;
};

/// A convolution without its data. Equal problems use the same plan.
struct ConvProblem {
    ConvKind kind = ConvKind::forward;
    ConvOperand x, w, y;  ///< a gradient is described in place of the tensor that it belongs to
    ConvGeometry geometry;
    bool tf32 = false;
    int device = 0;  ///< index of the CUDA device
    friend bool operator==(const ConvProblem&, const ConvProblem&) = default;
};

/// The alignment of `address` in bytes, limited to 16, the most that the vendor's kernels need.
inline std::int64_t alignment_of(const void* address) {
    const auto bits = reinterpret_cast<std::uintptr_t>(address);
    std::int64_t alignment = 16;
    while (bits % static_cast<std::uintptr_t>(alignment) != 0) alignment /= 2;
    return alignment;
}

/// Describes a dense rank-4 tensor with this shape and layout.
inline ConvOperand conv_operand(const Shape& s, DType dtype, Layout layout, std::int64_t alignment = 16) {
    ConvOperand operand{.extents = {s[0], s[1], s[2], s[3]},
                        .strides = {s[1] * s[2] * s[3], s[2] * s[3], s[3], 1},
                        .dtype = dtype,
                        .alignment = alignment};
    if (layout == Layout::channels_last) operand.strides = {s[1] * s[2] * s[3], 1, s[3] * s[1], s[1]};
    return operand;
}

/// Describes `tensor`. Throws Error unless it has rank 4.
inline ConvOperand conv_operand(const Tensor& tensor) {
    RADIAL_CHECK(tensor.rank() == 4, "convolution on CUDA: operand is {}, expected rank 4", tensor.str());
    return conv_operand(tensor.shape(), tensor.dtype(), tensor.layout(), alignment_of(tensor.raw()));
}

/// The number of positions of a window of size `window` in `extent` elements.
inline std::int64_t conv_extent(std::int64_t extent, std::int64_t window, std::int64_t stride, std::int64_t padding,
                                std::int64_t dilation) {
    return (extent + 2 * padding - dilation * (window - 1) - 1) / stride + 1;
}

inline std::string_view name_of(ConvKind kind) {
    switch (kind) {
        case ConvKind::forward:
            return "forward";
        case ConvKind::backward_data:
            return "backward (data)";
        case ConvKind::backward_weights:
            return "backward (weights)";
    }
    return "unknown";
}

/// "conv2d forward x float32[8, 3, 32, 32], w float32[16, 3, 3, 3], y float32[8, 16, 32, 32], stride 1x1, ...".
inline std::string describe(const ConvProblem& p) {
    const auto text = [](const ConvOperand& o) {
        return fmt::format("{}{}", name_of(o.dtype), Shape(o.extents).str());
    };
    const ConvGeometry& g = p.geometry;
    return fmt::format("conv2d {} x {}, w {}, y {}, stride {}x{}, padding {}x{}, dilation {}x{}, groups {}{}",
                       name_of(p.kind), text(p.x), text(p.w), text(p.y), g.stride_h, g.stride_w, g.pad_h, g.pad_w,
                       g.dilation_h, g.dilation_w, g.groups, p.tf32 ? ", TF32" : "");
}

/// Throws Error when extents or types do not match, because cuDNN would then read beyond an operand.
inline void check(const ConvProblem& p) {
    const ConvGeometry& g = p.geometry;
    const auto &x = p.x.extents, &w = p.w.extents, &y = p.y.extents;
    RADIAL_CHECK(g.groups > 0 && w[0] % g.groups == 0 && x[1] == w[1] * g.groups && y[0] == x[0] && y[1] == w[0] &&
                     y[2] == conv_extent(x[2], w[2], g.stride_h, g.pad_h, g.dilation_h) &&
                     y[3] == conv_extent(x[3], w[3], g.stride_w, g.pad_w, g.dilation_w),
                 "{}: extents do not go together", describe(p));
    const DType dtype = p.x.dtype;
    RADIAL_CHECK((dtype == DType::float32 || dtype == DType::bfloat16) && p.w.dtype == dtype && p.y.dtype == dtype,
                 "{}: expected operands that are all float32 or all bfloat16", describe(p));
}

/// Returns the problem of convolving x with w into y, where gradients take the place of the tensors that they belong
/// to. `tf32` has an effect only for float32. Throws Error when the tensors do not match.
inline ConvProblem conv_problem(ConvKind kind, const Tensor& x, const Tensor& w, const Tensor& y,
                                const ConvGeometry& geometry, bool tf32) {
    const ConvProblem problem{.kind = kind,
                              .x = conv_operand(x),
                              .w = conv_operand(w),
                              .y = conv_operand(y),
                              .geometry = geometry,
                              .tf32 = tf32 && x.dtype() == DType::float32,
                              .device = x.device().index};
    check(problem);
    return problem;
}

struct ConvProblemHash {
    std::size_t operator()(const ConvProblem& p) const {
        std::uint64_t hash = 0xCBF29CE484222325;  // FNV-1a over 64-bit words
        const auto add = [&hash](std::int64_t value) {
            hash = (hash ^ static_cast<std::uint64_t>(value)) * 0x100000001B3;
        };
        const ConvGeometry& g = p.geometry;
        for (const std::int64_t value :
             {g.stride_h, g.stride_w, g.pad_h, g.pad_w, g.dilation_h, g.dilation_w, g.groups}) {
            add(value);
        }
        for (const ConvOperand* operand : {&p.x, &p.w, &p.y}) {
            for (const std::int64_t extent : operand->extents) add(extent);
            for (const std::int64_t stride : operand->strides) add(stride);
            add(static_cast<std::int64_t>(operand->dtype));
            add(operand->alignment);
        }
        add(static_cast<std::int64_t>(p.kind));
        add(p.tf32 ? 1 : 0);
        add(p.device);
        return static_cast<std::size_t>(hash ^ (hash >> 32));
    }
};

}  // namespace radial::cuda
