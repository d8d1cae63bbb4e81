// Single-threaded matrix products of row-major float32 matrices that fit into the cache of a core. They avoid the
// packed copies of the operands that a library makes, which only pay off for larger matrices. Where the processor
// multiplies bfloat16, the operands may also be matrices of pairs of bfloat16 numbers; sums are float32.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <type_traits>

#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

// Vectors of floats, a language extension of GCC and Clang. On a processor without vectors of the given length, the
// compiler uses several shorter ones.
namespace radial::vectors {

template <int lanes>
struct Types {
    using Vector __attribute__((vector_size(lanes * sizeof(float)))) = float;
    using InMemory __attribute__((vector_size(lanes * sizeof(float)), aligned(sizeof(float)), may_alias)) = float;
};

/// A vector of `lanes` floats. `lanes` is a power of two.
template <int lanes>
using Vector = typename Types<lanes>::Vector;

// These return references, because the ABI for returning vectors depends on the target processor.

/// The vector that begins at p, which need not be aligned.
template <int lanes>
const typename Types<lanes>::InMemory& load(const float* p) {
    return *reinterpret_cast<const typename Types<lanes>::InMemory*>(p);
}
template <int lanes>
typename Types<lanes>::InMemory& at(float* p) {
    return *reinterpret_cast<typename Types<lanes>::InMemory*>(p);
}
template <int lanes>
void add(float* p, const Vector<lanes>& more) {
    at<lanes>(p) += more;
}

}  // namespace radial::vectors

namespace radial::small_products {

#ifdef __AVX512F__
inline constexpr std::int64_t lanes = 16;
#else
inline constexpr std::int64_t lanes = 8;
#endif
/// `numbers` rounded up to a multiple of `lanes`.
inline constexpr std::int64_t whole_vectors(std::int64_t numbers) { return (numbers + lanes - 1) / lanes * lanes; }

/// Two bfloat16 numbers that are adjacent along the inner dimension of a product, the first in the lower half. A matrix
/// of pairs has half the depth of one of numbers. Memory that was written as numbers may be read as pairs.
struct __attribute__((may_alias)) Pair {
    std::uint32_t bits;
};

/// Whether the code was compiled for a processor that multiplies pairs.
#ifdef __AVX512BF16__
inline constexpr bool multiplies_pairs = true;
#else
inline constexpr bool multiplies_pairs = false;
#endif

/// The vector of floats, or of the bits of pairs, that begins at p.
inline const vectors::Types<lanes>::InMemory& load(const float* p) { return vectors::load<lanes>(p); }
inline const vectors::Types<lanes>::InMemory& load(const Pair* p) {
    return vectors::load<lanes>(reinterpret_cast<const float*>(p));
}

/// sum += number * row.
inline void add_product(vectors::Vector<lanes>& sum, float number, const vectors::Vector<lanes>& row) {
    sum += number * row;
}
#ifdef __AVX512BF16__
/// Adds both products of each pair of `row` and `pair`.
inline void add_product(vectors::Vector<lanes>& sum, Pair pair, const vectors::Vector<lanes>& row) {
    const __m512i both = _mm512_set1_epi32(static_cast<int>(pair.bits));
    sum = _mm512_dpbf16_ps(sum, std::bit_cast<__m512bh>(both), std::bit_cast<__m512bh>(row));
}
#endif

/// A matrix in memory. Rows are `row_step` elements apart. Within a row, vectors of `lanes` elements are `vector_step`
/// apart.
template <class T>
struct Matrix {
    T* data;
    std::int64_t row_step, vector_step = lanes;
    T* at(std::int64_t row, std::int64_t column) const {
        return data + row * row_step + column / lanes * vector_step + column % lanes;
    }
    Matrix from(std::int64_t row, std::int64_t column) const { return {at(row, column), row_step, vector_step}; }
    operator Matrix<const T>() const { return {data, row_step, vector_step}; }  // NOLINT(*-explicit-*): like pointers
};

/// Computes `rows` x `width` vectors of c = a b. `depth` is the number of columns of a and of rows of b.
template <int rows, int width, class T>
void product_tile(std::int64_t depth, const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<float>& c) {
    vectors::Vector<lanes> sums[rows][width] = {};
    const T *left = a.data, *right = b.data;
    for (std::int64_t done = 0; done < depth; done += lanes, left += a.vector_step) {
        const std::int64_t count = std::min(lanes, depth - done);
        for (std::int64_t k = 0; k < count; ++k, right += b.row_step) {
            vectors::Vector<lanes> row[width];
#pragma GCC unroll 8
            for (int v = 0; v < width; ++v) row[v] = load(right + v * b.vector_step);
#pragma GCC unroll 12
            for (int r = 0; r < rows; ++r) {
                const T number = left[r * a.row_step + k];
#pragma GCC unroll 8
                for (int v = 0; v < width; ++v) add_product(sums[r][v], number, row[v]);
            }
        }
    }
    for (int r = 0; r < rows; ++r)
        for (int v = 0; v < width; ++v) vectors::at<lanes>(c.data + r * c.row_step + v * c.vector_step) = sums[r][v];
}

/// Computes `rows` x `width` vectors of c += a^T b. `depth` is the number of rows of a and b. The rows of a are
/// contiguous.
template <int rows, int width, class T>
void transposed_tile(std::int64_t depth, const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<float>& c) {
    vectors::Vector<lanes> sums[rows][width] = {};
    const T *left = a.data, *right = b.data;
    for (std::int64_t k = 0; k < depth; ++k, left += a.row_step, right += b.row_step) {
        vectors::Vector<lanes> row[width];
#pragma GCC unroll 8
        for (int v = 0; v < width; ++v) row[v] = load(right + v * b.vector_step);
#pragma GCC unroll 8
        for (int r = 0; r < rows; ++r)
#pragma GCC unroll 8
            for (int v = 0; v < width; ++v) add_product(sums[r][v], left[r], row[v]);
    }
    for (int r = 0; r < rows; ++r)
        for (int v = 0; v < width; ++v) vectors::add<lanes>(c.data + r * c.row_step + v * c.vector_step, sums[r][v]);
}

// Twelve sums and their operands fit into the sixteen vector registers of a processor with AVX2.

/// The default for the callback between two tiles of a product: does nothing.
struct Nothing {
    void operator()() const {}
};

/// An operand of a product. T (float or Pair) is not deduced, so the caller must name it if it is Pair.
template <class T>
using Operand = std::type_identity_t<Matrix<const T>>;

/// An upper bound on the number of calls of between() in a product with this number of rows and columns.
inline std::int64_t tiles(std::int64_t rows, std::int64_t columns) { return (rows + 5) / 6 * ((columns + 15) / 16); }

/// c [rows, columns] = a [rows, depth] b [depth, columns]. `columns` must be a multiple of `lanes`. Calls between()
/// before each tile of several rows.
template <class T = float, class Between = Nothing>
void multiply(std::int64_t rows, std::int64_t columns, std::int64_t depth, const Operand<T>& a, const Operand<T>& b,
              const Matrix<float>& c, const Between& between = {}) {
    std::int64_t column = 0;
    for (; column + 2 * lanes <= columns; column += 2 * lanes) {
        std::int64_t row = 0;
        for (; row + 6 <= rows; row += 6) {
            between();
            product_tile<6, 2>(depth, a.from(row, 0), b.from(0, column), c.from(row, column));
        }
        for (; row < rows; ++row) product_tile<1, 2>(depth, a.from(row, 0), b.from(0, column), c.from(row, column));
    }
    for (; column < columns; column += lanes) {
        std::int64_t row = 0;
        for (; row + 12 <= rows; row += 12) {
            between();
            product_tile<12, 1>(depth, a.from(row, 0), b.from(0, column), c.from(row, column));
        }
        for (; row < rows; ++row) product_tile<1, 1>(depth, a.from(row, 0), b.from(0, column), c.from(row, column));
    }
}

/// c [rows, columns] += a^T b for a [depth, rows], whose rows are contiguous, and b [depth, columns]. `rows` must be a
/// multiple of 4, `columns` a multiple of `lanes`. Calls between() before each tile.
template <class T = float, class Between = Nothing>
void add_transposed(std::int64_t rows, std::int64_t columns, std::int64_t depth, const Operand<T>& a,
                    const Operand<T>& b, const Matrix<float>& c, const Between& between = {}) {
    const auto strip = [&]<int width>(std::int64_t column, std::integral_constant<int, width>) {
        for (std::int64_t row = 0; row < rows;) {
            between();
            const std::int64_t left = rows - row;
            if (left >= 6 && left != 8) {
                transposed_tile<6, width>(depth, a.from(0, row), b.from(0, column), c.from(row, column));
                row += 6;
            } else {
                transposed_tile<4, width>(depth, a.from(0, row), b.from(0, column), c.from(row, column));
                row += 4;
            }
        }
    };
    std::int64_t column = 0;
    for (; column + 2 * lanes <= columns; column += 2 * lanes) strip(column, std::integral_constant<int, 2>{});
    for (; column < columns; column += lanes) strip(column, std::integral_constant<int, 1>{});
}

}  // namespace radial::small_products
