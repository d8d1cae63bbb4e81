// Tests of the arguments that the CUDA backend passes to cuBLAS and cuDNN. Computing them needs no device.
#include "radial/core/backend/cuda/arguments.h"
#include "../../../expect.h"

#include <array>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

using namespace radial;
using namespace radial::cuda;
using test::error_of;

namespace {

/// A row-major matrix of different small integers.
Tensor matrix(std::int64_t rows, std::int64_t columns, float first) {
    std::vector<float> values(static_cast<std::size_t>(rows * columns));
    std::iota(values.begin(), values.end(), first);
    return Tensor::from(values, {rows, columns});
}

/// Element (i, j) of op(m) as cuBLAS reads it: m is column-major with the given leading dimension.
float column_major(const Tensor& m, bool transpose, std::int64_t lead, std::int64_t i, std::int64_t j) {
    if (transpose) std::swap(i, j);
    return m.values<float>()[static_cast<std::size_t>(i + j * lead)];
}

/// The product that cuBLAS computes for these arguments, according to its documentation.
std::vector<float> column_major_product(const GemmArguments& g, const Tensor& first, const Tensor& second) {
    const std::int64_t lead = g.lead_result;
    std::vector<float> result(static_cast<std::size_t>(lead * g.columns));
    for (std::int64_t i = 0; i < g.rows; ++i) {
        for (std::int64_t j = 0; j < g.columns; ++j) {
            float sum = 0;
            for (std::int64_t l = 0; l < g.inner; ++l) {
                sum += column_major(first, g.transpose_first, g.lead_first, i, l) *
                       column_major(second, g.transpose_second, g.lead_second, l, j);
            }
            result[static_cast<std::size_t>(i + j * lead)] = sum;
        }
    }
    return result;
}

/// Element (i, j) of op(m) as the caller of gemm() means it: m is row-major.
float row_major(const Tensor& m, bool transpose, std::int64_t i, std::int64_t j) {
    if (transpose) std::swap(i, j);
    return m.values<float>()[static_cast<std::size_t>(i * m.size(1) + j)];
}

Tensor activation(const Shape& shape) { return Tensor::empty(shape, DType::float32, {}, Layout::channels_last); }

/// x [2, 6, 9, 8] and 4 filters of 3x2 in two groups.
struct Operands {
    Tensor x = activation({2, 6, 9, 8}), w = activation({4, 3, 3, 2}), y = activation({2, 4, 5, 6});
    ConvGeometry geometry{.stride_h = 2, .pad_h = 1, .dilation_w = 2, .groups = 2};
};

ConvProblem problem_of(const Operands& o, bool tf32 = false) {
    return conv_problem(ConvKind::forward, o.x, o.w, o.y, o.geometry, tf32);
}

}  // namespace

TEST_CASE("a row-major product is the column-major one of its arguments, for every transpose",
          "[host][core][cuda][gemm]") {
    const std::int64_t m = 3, n = 5, k = 2;
    for (const bool transpose_a : {false, true}) {
        for (const bool transpose_b : {false, true}) {
            const Tensor a = transpose_a ? matrix(k, m, 1) : matrix(m, k, 1);
            const Tensor b = transpose_b ? matrix(n, k, -3) : matrix(k, n, -3);
            const Tensor c = Tensor::empty({m, n});
            const std::vector<float> product =
                column_major_product(gemm_arguments(transpose_a, transpose_b, a, b, c), b, a);
            REQUIRE(product.size() == static_cast<std::size_t>(m * n));
            for (std::int64_t i = 0; i < m; ++i) {
                for (std::int64_t j = 0; j < n; ++j) {
                    float expected = 0;
                    for (std::int64_t l = 0; l < k; ++l) {
                        expected += row_major(a, transpose_a, i, l) * row_major(b, transpose_b, l, j);
                    }
                    CHECK(product[static_cast<std::size_t>(i * n + j)] == expected);
                }
            }
        }
    }
}

TEST_CASE("leading dimensions of empty matrices are at least 1", "[host][core][cuda][gemm]") {
    const GemmArguments g =
        gemm_arguments(false, false, Tensor::empty({3, 0}), Tensor::empty({0, 5}), Tensor::empty({3, 5}));
    CHECK(g.inner == 0);
    CHECK(g.lead_second == 1);
    CHECK(g.lead_first == 5);
}

TEST_CASE("matrices that do not go together are an error that names them", "[host][core][cuda][gemm]") {
    const Tensor a = Tensor::empty({3, 2}), b = Tensor::empty({5, 3}), c = Tensor::empty({3, 5});
    CHECK(error_of([&] { gemm_arguments(false, true, a, b, c); }) ==
          "gemm float32[3, 5] = float32[3, 2] float32[5, 3]^T: extents do not go together");
    CHECK(error_of([&] { gemm_arguments(false, false, a, Tensor::empty({2}), c); }) ==
          "gemm float32[3, 5] = float32[3, 2] float32[2]: expected matrices");
}

TEST_CASE("an extent above the largest int is an error", "[host][core][cuda][gemm]") {
    const std::int64_t many = std::int64_t{1} << 31;
    const Tensor a = Tensor::empty({many, 0}), b = Tensor::empty({0, 0});
    CHECK(error_of([&] { gemm_arguments(false, false, a, b, a); }) ==
          "gemm float32[2147483648, 0] = float32[2147483648, 0] float32[0, 0]: expected extents up to 2147483647");
}

TEST_CASE("a channels-last operand has its channels side by side", "[host][core][cuda][conv]") {
    const ConvOperand operand = conv_operand(activation({2, 6, 9, 8}));
    CHECK(operand.extents == std::array<std::int64_t, 4>{2, 6, 9, 8});
    CHECK(operand.strides == std::array<std::int64_t, 4>{432, 1, 48, 6});
    CHECK(operand.alignment == 16);
}

TEST_CASE("a row-major operand has its last dimension contiguous", "[host][core][cuda][conv]") {
    CHECK(conv_operand(Tensor::empty({2, 6, 9, 8})).strides == std::array<std::int64_t, 4>{432, 72, 8, 1});
}

TEST_CASE("a slice's alignment is that of its first element", "[host][core][cuda][conv]") {
    const Tensor x = activation({4, 3, 3, 3});  // 108 bytes per row
    CHECK(conv_operand(x.rows(1, 4)).alignment == 4);
    CHECK(conv_operand(x.rows(2, 4)).alignment == 8);
    alignas(16) const std::array<char, 32> bytes{};
    CHECK(alignment_of(bytes.data() + 2) == 2);
    CHECK(alignment_of(bytes.data() + 16) == 16);
}

TEST_CASE("an output's extent counts the window's places", "[host][core][cuda][conv]") {
    CHECK(conv_extent(9, 3, 2, 1, 1) == 5);
    CHECK(conv_extent(8, 2, 1, 0, 2) == 6);
    CHECK(conv_extent(224, 7, 2, 3, 1) == 112);
    CHECK(conv_extent(5, 5, 1, 0, 1) == 1);
}

TEST_CASE("a problem that differs in anything is another key", "[host][core][cuda][conv]") {
    const Operands operands;
    const ConvProblem problem = problem_of(operands);
    CHECK(problem == problem_of(Operands{}));
    CHECK(ConvProblemHash{}(problem) == ConvProblemHash{}(problem_of(Operands{})));

    std::vector<ConvProblem> others(8, problem);
    others[0].kind = ConvKind::backward_data;
    others[1].x.extents[0] = 3;
    others[2].w.strides[1] = 6;
    others[3].y.dtype = DType::bfloat16;
    others[4].x.alignment = 4;
    others[5].geometry.dilation_h = 2;
    others[6].tf32 = true;
    others[7].device = 1;
    for (const ConvProblem& other : others) {
        CHECK(!(other == problem));
        CHECK(ConvProblemHash{}(other) != ConvProblemHash{}(problem));
    }
}

TEST_CASE("a problem of bfloat16 does not depend on TF32", "[host][core][cuda][conv]") {
    Operands operands;
    CHECK(problem_of(operands, true).tf32);
    for (Tensor* tensor : {&operands.x, &operands.w, &operands.y}) {
        *tensor = Tensor::empty(tensor->shape(), DType::bfloat16, {}, Layout::channels_last);
    }
    CHECK(!problem_of(operands, true).tf32);
}

TEST_CASE("operands that do not go together are an error that names the convolution", "[host][core][cuda][conv]") {
    const std::string tail = ", stride 2x1, padding 1x0, dilation 1x2, groups 2: ";
    Operands operands;
    operands.y = activation({2, 4, 5, 7});
    CHECK(error_of([&] { problem_of(operands); }) ==
          "conv2d forward x float32[2, 6, 9, 8], w float32[4, 3, 3, 2], y float32[2, 4, 5, 7]" + tail +
              "extents do not go together");
    operands = {};
    operands.w = Tensor::empty({4, 3, 3, 2}, DType::float64, {}, Layout::channels_last);
    CHECK(error_of([&] { problem_of(operands); }) ==
          "conv2d forward x float32[2, 6, 9, 8], w float64[4, 3, 3, 2], y float32[2, 4, 5, 6]" + tail +
              "expected operands that are all float32 or all bfloat16");
    operands = {};
    operands.x = Tensor::empty({2, 6});
    CHECK(error_of([&] { problem_of(operands); }) == "convolution on CUDA: operand is float32[2, 6], expected rank 4");
}
