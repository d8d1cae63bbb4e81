// The matrix products of a densely connected layer's bottleneck. They run on one thread over a tile of rows (pixels) at
// a time, with our own kernels, which also prefetch the rows of the next tile, or with oneDNN for shapes that these
// kernels do not support.
#pragma once

#include "radial/core/backend/cpu/onednn_backend.h"
#include "radial/core/backend/cpu/small_products.h"
#include "radial/core/kernels/bfloat16.h"
#include "radial/core/tensor/tensor.h"
#include "radial/layers/dense/kernels.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <dnnl.hpp>
#include <span>
#include <type_traits>
#include <vector>

namespace radial::dense_kernels {

/// Rows in memory: the address of the first and, in bytes, the distance between adjacent rows and the length of each.
struct Lines {
    const std::byte* data;
    std::int64_t stride, length;

    template <class T>
    Lines(const Columns<T>& from)  // NOLINT(*-explicit-*): the same rows without their type
        : data(reinterpret_cast<const std::byte*>(from.data)),
          stride(from.stride * static_cast<std::int64_t>(sizeof(T))),
          length(from.columns * static_cast<std::int64_t>(sizeof(T))) {}
};

/// Prefetches rows of matrices, a few cache lines per call: a processor ignores further prefetches while as many are
/// pending as it supports.
class Prefetch {
public:
    /// All `rows` rows of each matrix have been prefetched after `calls` calls.
    Prefetch(std::span<const Lines> from, std::int64_t rows, std::int64_t calls) : from_(from), rows_(rows) {
        std::int64_t lines = 0;
        for (const Lines& matrix : from) lines += (matrix.length + line - 1) / line * rows;
        each_ = (lines + calls - 1) / calls;
    }
    void operator()() {
        for (std::int64_t i = 0; i < each_ && matrix_ < from_.size(); ++i) {
            const Lines& from = from_[matrix_];
            __builtin_prefetch(from.data + row_ * from.stride + offset_);
            offset_ += line;
            if (offset_ < from.length) continue;
            offset_ = 0;
            if (++row_ < rows_) continue;
            row_ = 0;
            ++matrix_;
        }
    }

private:
    static constexpr std::int64_t line = 64;
    std::span<const Lines> from_;
    std::size_t matrix_ = 0;
    std::int64_t rows_, each_ = 0, row_ = 0, offset_ = 0;
};

using small_products::Pair;

/// out[r / 2, c] = the pair of m[r, c] and m[r + 1, c], rounded to bfloat16, for even r, with 0 after the last row.
inline void join_rows(const Columns<const float>& m, std::int64_t rows, const Columns<Pair>& out) {
    const auto bits = [&](std::int64_t r) { return &out.row(r / 2)->bits; };
    std::int64_t r = 0;
    for (; r + 2 <= rows; r += 2) rounding::round_pairs(m.row(r), m.row(r + 1), m.columns, bits(r));
    if (r == rows) return;
    const std::vector<float> zeros(static_cast<std::size_t>(m.columns));
    rounding::round_pairs(m.row(r), zeros.data(), m.columns, bits(r));
}

/// Like join_rows(), for the rows of relu(affine(in)).
template <class T>
void normalise_pairs(const Columns<const T>& in, const Affine& affine, std::int64_t rows, const Columns<Pair>& out) {
    constexpr std::int64_t most = 512;
    float two[2 * most];
    for (std::int64_t r = 0; r < rows; r += 2) {
        const std::int64_t count = std::min<std::int64_t>(2, rows - r);
        for (std::int64_t c = 0; c < in.columns; c += most) {
            const std::int64_t columns = std::min(most, in.columns - c);
            if (count == 1) std::fill_n(two + most, columns, 0.0F);
            normalise(Columns<const T>{in.row(r) + c, in.stride, columns},
                      {affine.mean + c, affine.factor + c, affine.shift + c}, count,
                      Columns<float>{two, most, columns});
            rounding::round_pairs(two, two + most, columns, &out.row(r / 2)[c].bits);
        }
    }
}

/// A weight [width, channels, 1, 1], stored in the form that the forward or the backward pass needs. T is the type of
/// the image. Where the processor multiplies bfloat16, the operands of products for an image in bfloat16 are rounded to
/// bfloat16, as those of any convolution of such an image are, and joined to pairs along the inner dimension of the
/// product.
template <class T>
class Bottleneck {
public:
    using Rows = std::span<const Lines>;
    enum class Way : std::uint8_t { forward, backward };

    Bottleneck(const Tensor& weight, Way way)
        : way_(way),
          width_(weight.size(0)),
          channels_(weight.size(1)),
          own_(width_ % small_products::lanes == 0 && channels_ % 4 == 0),
          in_pairs_(small_products::multiplies_pairs && std::is_same_v<T, bfloat16> && own_ && has_bf16()),
          matrix_(way == Way::forward ? transposed(weight) : padded(weight)) {
        if (in_pairs_) join_matrix();
    }

    std::int64_t width() const { return width_; }
    /// The distance between rows of a tile's channels, a multiple of the vector length.
    std::int64_t stride() const { return small_products::whole_vectors(channels_); }
    /// The number of rows of a tile: for oneDNN as many as fit into a core's cache; for our kernels fewer, because the
    /// cache also holds the prefetched rows.
    std::int64_t tile_rows() const {
        constexpr std::int64_t cache = 1 << 16, least = 64;  // in floats; in rows
        return own_ ? 96 : std::max(least, cache / channels_);
    }
    /// The number of floats in memory that a tile needs for its rows of channels (wide) and for its rows of `width`
    /// values (narrow).
    std::int64_t wide_numbers() const { return tile_rows() * stride(); }
    std::int64_t narrow_numbers() const { return tile_rows() * width_ * (in_pairs_ ? 2 : 1); }

    // All matrices are row-major: x and dx are [rows, channels] with stride() between rows; y and dy [rows, width] and
    // sum are dense. Each product also prefetches `rows` rows of each matrix of `next`, and returns oneDNN's status. If
    // `in_pairs_` is set, the products read x and dy as pairs: read() writes those of x, and round() appends those of
    // dy to its floats.

    /// x = relu(affine(in)).
    void read(const Columns<const T>& in, const Affine& affine, std::int64_t rows, float* x) const {
        if (!in_pairs_) return normalise(in, affine, rows, Columns<float>{x, stride(), channels_});
        if (way_ == Way::forward)
            return normalise(in, affine, rows, Columns<bfloat16>{as<bfloat16>(x), stride(), channels_});
        normalise_pairs(in, affine, rows, Columns<Pair>{as<Pair>(x), stride(), channels_});
    }
    /// Prepares dy for products: appends its pairs if `in_pairs_` is set.
    void round(std::int64_t rows, float* dy) const {
        if (!in_pairs_) return;
        join_rows({dy, width_, width_}, rows, {row_pairs(dy), width_, width_});
        rounding::round_row(dy, rows * width_, as<bfloat16>(column_pairs(dy)));
    }
    /// y [rows, width] = x W'.
    dnnl::status forward(std::int64_t rows, const float* x, float* y, Rows next) const {
        const float* const w = matrix_.data<float>();
        if (!own_) return dnnl::sgemm('N', 'N', rows, width_, channels_, 1, x, stride(), w, width_, 0, y, width_);
        Prefetch ask(next, rows, small_products::tiles(rows, width_));
        const auto between = [&] { ask(); };
        if (!in_pairs_)
            small_products::multiply(rows, width_, channels_, {x, stride()}, {w, width_}, {y, width_}, between);
        else
            multiply_pairs(rows, width_, channels_ / 2, as<Pair>(x), stride() / 2, y, between);
        return dnnl::status::success;
    }
    /// sum [channels, width] += x' dy: the weight's gradient, transposed.
    dnnl::status add_gradient(std::int64_t rows, const float* x, const float* dy, float* sum, Rows next) const {
        if (!own_) return dnnl::sgemm('T', 'N', channels_, width_, rows, 1, x, stride(), dy, width_, 1, sum, width_);
        Prefetch ask(next, rows, small_products::tiles(channels_, width_));
        const auto between = [&] { ask(); };
        if constexpr (small_products::multiplies_pairs) {
            if (in_pairs_) {
                small_products::add_transposed<Pair>(channels_, width_, (rows + 1) / 2, {as<Pair>(x), stride()},
                                                     {row_pairs(dy), width_}, {sum, width_}, between);
                return dnnl::status::success;
            }
        }
        small_products::add_transposed(channels_, width_, rows, {x, stride()}, {dy, width_}, {sum, width_}, between);
        return dnnl::status::success;
    }
    /// dx [rows, channels] = dy W.
    dnnl::status backward(std::int64_t rows, const float* dy, float* dx, Rows next) const {
        const float* const w = matrix_.data<float>();
        if (!own_) return dnnl::sgemm('N', 'N', rows, channels_, width_, 1, dy, width_, w, stride(), 0, dx, stride());
        Prefetch ask(next, rows, small_products::tiles(rows, stride()));
        const auto between = [&] { ask(); };
        if (!in_pairs_)
            small_products::multiply(rows, stride(), width_, {dy, width_}, {w, stride()}, {dx, stride()}, between);
        else
            multiply_pairs(rows, stride(), width_ / 2, column_pairs(dy), width_ / 2, dx, between);
        return dnnl::status::success;
    }
    /// dweight [width, channels] += the sum of the parts' sums [parts, channels * width].
    void write_gradient(const Tensor& sums, const Tensor& dweight) const {
        const float* const from = sums.data<float>();
        float* const to = dweight.data<float>();
        const std::int64_t parts = sums.size(0), count = sums.size(1);
#pragma omp parallel for schedule(static)
        for (std::int64_t k = 0; k < width_; ++k)
            for (std::int64_t c = 0; c < channels_; ++c)
                for (std::int64_t p = 0; p < parts; ++p) to[k * channels_ + c] += from[p * count + c * width_ + k];
    }

private:
    /// The same memory as a pointer to elements of type N.
    template <class N, class From>
    static auto* as(From* memory) {
        return reinterpret_cast<std::conditional_t<std::is_const_v<From>, const N, N>*>(memory);
    }
    /// The pairs that follow the floats of dy: first those of adjacent rows, then those of adjacent columns.
    auto* row_pairs(auto* dy) const { return as<Pair>(dy + tile_rows() * width_); }
    auto* column_pairs(auto* dy) const { return row_pairs(dy) + tile_rows() / 2 * width_; }

    /// out [rows, columns] = a times the joined matrix, whose rows have as many pairs as `out` has columns.
    template <class Between>
    void multiply_pairs(std::int64_t rows, std::int64_t columns, std::int64_t depth, const Pair* a, std::int64_t a_step,
                        float* out, const Between& between) const {
        if constexpr (small_products::multiplies_pairs)
            small_products::multiply<Pair>(rows, columns, depth, {a, a_step}, {joined_.data(), columns}, {out, columns},
                                           between);
    }

    Tensor transposed(const Tensor& weight) const {
        const Tensor made = Tensor::empty(Shape{channels_, width_}, DType::float32, Device{});
        copy(weight, made, 1, width_);
        return made;
    }
    Tensor padded(const Tensor& weight) const {
        if (stride() == channels_) return weight;
        const Tensor made = Tensor::zeros(Shape{width_, stride()}, DType::float32, Device{});
        copy(weight, made, stride(), 1);
        return made;
    }
    void copy(const Tensor& weight, const Tensor& made, std::int64_t row_step, std::int64_t column_step) const {
        const float* const from = weight.data<float>();
        float* const to = made.data<float>();
        for (std::int64_t k = 0; k < width_; ++k)
            for (std::int64_t c = 0; c < channels_; ++c) to[k * row_step + c * column_step] = from[k * channels_ + c];
    }
    void join_matrix() {
        const std::int64_t rows = way_ == Way::forward ? channels_ : width_;
        const std::int64_t columns = way_ == Way::forward ? width_ : stride();
        joined_.resize(static_cast<std::size_t>(rows / 2 * columns));
        join_rows({matrix_.data<float>(), columns, columns}, rows, {joined_.data(), columns, columns});
    }

    Way way_;
    std::int64_t width_, channels_;
    bool own_, in_pairs_;
    Tensor matrix_;
    std::vector<Pair> joined_;  ///< the matrix in pairs of adjacent rows, if `in_pairs_` is set
};

}  // namespace radial::dense_kernels
