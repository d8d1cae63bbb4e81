// Loops over the first columns (channels) of a wider matrix of pixels in float32, and the matrix products of a densely
// connected layer's bottleneck. The products run on one thread over a tile of rows (pixels) at a time, with our own
// kernels, which also prefetch the rows of the next tile, or with oneDNN for shapes that these kernels do not support.
#pragma once

#include "radial/core/backend/cpu/norm_kernels.h"
#include "radial/core/backend/cpu/onednn_backend.h"
#include "radial/core/backend/cpu/small_products.h"
#include "radial/core/tensor/tensor.h"

#include <algorithm>
#include <cstdint>
#include <dnnl.hpp>
#include <span>
#include <vector>

namespace radial::dense_kernels {

/// The first `columns` columns of a matrix [rows, stride].
template <class T>
struct Columns {
    T* data;
    std::int64_t stride, columns;
    T* row(std::int64_t r) const { return data + r * stride; }
};

/// (v - mean) * factor + shift for each column.
struct Affine {
    const float *mean, *factor, *shift;
};

/// Prefetches rows of matrices, a few cache lines per call: a processor ignores further prefetches while it waits for
/// as many as it supports.
class Prefetch {
public:
    /// All `rows` rows of each matrix have been prefetched after `calls` calls.
    Prefetch(std::span<const Columns<const float>> from, std::int64_t rows, std::int64_t calls)
        : from_(from), rows_(rows) {
        std::int64_t lines = 0;
        for (const auto& matrix : from) lines += (matrix.columns + line - 1) / line * rows;
        each_ = (lines + calls - 1) / calls;
    }
    void operator()() {
        for (std::int64_t i = 0; i < each_ && matrix_ < from_.size(); ++i) {
            const Columns<const float>& from = from_[matrix_];
            __builtin_prefetch(from.row(row_) + column_);
            column_ += line;
            if (column_ < from.columns) continue;
            column_ = 0;
            if (++row_ < rows_) continue;
            row_ = 0;
            ++matrix_;
        }
    }

private:
    static constexpr std::int64_t line = 64 / sizeof(float);
    std::span<const Columns<const float>> from_;
    std::size_t matrix_ = 0;
    std::int64_t rows_, each_ = 0, row_ = 0, column_ = 0;
};

inline bool worth_threads(std::int64_t rows, std::int64_t columns) { return rows * columns >= 16384; }

/// out = relu(affine(in)) for rows [0, rows), on the calling thread.
inline void normalise(const Columns<const float>& in, const Affine& affine, std::int64_t rows,
                      const Columns<float>& out) {
    const std::int64_t columns = in.columns;
    for (std::int64_t r = 0; r < rows; ++r) {
        const float* const v = in.row(r);
        float* const to = out.row(r);
#pragma omp simd
        for (std::int64_t c = 0; c < columns; ++c) {
            const float normal = (v[c] - affine.mean[c]) * affine.factor[c] + affine.shift[c];
            to[c] = normal < 0 ? 0.0F : normal;  // NaN stays NaN
        }
    }
}

/// out[:, first .. first + from.columns) = from.
inline void copy(const Columns<const float>& from, std::int64_t rows, const Columns<float>& out, std::int64_t first) {
#pragma omp parallel for schedule(static) if (worth_threads(rows, from.columns))
    for (std::int64_t r = 0; r < rows; ++r) {
        const float* const v = from.row(r);
        float* const to = out.row(r) + first;
#pragma omp simd
        for (std::int64_t c = 0; c < from.columns; ++c) to[c] = v[c];
    }
}

/// Parts of the rows of a matrix, which threads process in turn. Their bounds depend only on the sizes, so sums that
/// are formed per part do not depend on the number of threads.
struct Parts {
    static constexpr std::int64_t most = 16, least_rows = 64;
    std::int64_t rows, count, length;
    explicit Parts(std::int64_t rows_in)
        : rows(rows_in),
          count(std::clamp<std::int64_t>(rows / least_rows, 1, most)),
          length((rows + count - 1) / count) {}
    std::int64_t begin(std::int64_t part) const { return std::min(rows, part * length); }
    std::int64_t end(std::int64_t part) const { return std::min(rows, (part + 1) * length); }
};

/// Two sums per column, kept separately for each part.
class PartSums {
public:
    explicit PartSums(std::int64_t columns)
        : columns_(columns), held_(Tensor::zeros({Parts::most, 2 * columns}, DType::float64, Device{})) {}
    double* of(std::int64_t part) const { return held_.data<double>() + part * 2 * columns_; }
    std::vector<double> first() const { return gathered(0); }
    std::vector<double> second() const { return gathered(columns_); }

private:
    std::vector<double> gathered(std::int64_t from) const {
        std::vector<double> all(static_cast<std::size_t>(columns_));
        for (std::int64_t part = 0; part < Parts::most; ++part)
            for (std::int64_t c = 0; c < columns_; ++c) all[static_cast<std::size_t>(c)] += of(part)[from + c];
        return all;
    }

    std::int64_t columns_;
    Tensor held_;  ///< allocated from the allocator's cache
};

/// The sums from which statistics are computed: over rows, of x - origin and of its square.
class Moments {
public:
    explicit Moments(std::vector<float> origin)
        : origin_(std::move(origin)), sums_(static_cast<std::int64_t>(origin_.size())) {}
    /// Adds dense rows to the sums of the part. Runs on the calling thread.
    void add(std::int64_t part, const float* x, std::int64_t rows) {
        using norm_kernels::rows_in_float;
        const auto columns = static_cast<std::int64_t>(origin_.size());
        const norm_kernels::Distance value{x, origin_.data()};
        std::int64_t r = 0;
        for (; r + rows_in_float <= rows; r += rows_in_float)
            norm_kernels::add_rows<rows_in_float>(r * columns, columns, value, sums_.of(part));
        for (; r < rows; ++r) norm_kernels::add_rows<1>(r * columns, columns, value, sums_.of(part));
    }
    void write(std::int64_t rows, const Tensor& mean, const Tensor& variance) const {
        norm_kernels::write_statistics(origin_.data(), rows, sums_.first(), sums_.second(), mean.data<float>(),
                                       variance.data<float>());
    }

private:
    std::vector<float> origin_;
    PartSums sums_;
};

/// For each part and column, the sums over rows of the gradient of a ReLU's input and of that gradient times x - mean.
class GradientSums {
public:
    explicit GradientSums(std::int64_t columns) : columns_(columns), sums_(columns) {}

    /// `upstream` is the gradient of relu(affine(in)). Adds the part's sums, and adds factor * (the gradient of the
    /// ReLU's input) to `into`. Runs on the calling thread.
    void absorb(std::int64_t part, const Columns<const float>& in, const Affine& affine,
                const Columns<const float>& upstream, std::int64_t rows, const Columns<float>& into) {
        double* const total = sums_.of(part);
        std::int64_t r = 0;
        for (; r + rows_in_float <= rows; r += rows_in_float)
            absorb_rows<rows_in_float>(in, affine, upstream, r, into, total);
        for (; r < rows; ++r) absorb_rows<1>(in, affine, upstream, r, into, total);
    }
    std::vector<double> sums() const { return sums_.first(); }
    std::vector<double> products() const { return sums_.second(); }

private:
    /// Number of rows that are summed in float, in registers, before the sum is added to a double.
    static constexpr int rows_in_float = 8;

    template <int count>
    void absorb_rows(const Columns<const float>& in, const Affine& affine, const Columns<const float>& upstream,
                     std::int64_t row, const Columns<float>& into, double* total) const {
        const float *const v = in.row(row), *const g = upstream.row(row), *const means = affine.mean,
                           *const factors = affine.factor, *const shifts = affine.shift;
        float* const to = into.row(row);
        const std::int64_t columns = columns_, stride = in.stride, up_stride = upstream.stride, to_stride = into.stride;
#pragma omp simd
        for (std::int64_t c = 0; c < columns; ++c) {
            const float mean = means[c], factor = factors[c], shift = shifts[c];
            float sum = 0, product = 0;
            for (int k = 0; k < count; ++k) {
                const float grad_above = g[k * up_stride + c], distance = v[k * stride + c] - mean;
                const float before = to[k * to_stride + c];
                const float grad = distance * factor + shift > 0 ? grad_above : 0.0F;
                sum += grad;
                product += grad * distance;
                to[k * to_stride + c] = before + factor * grad;
            }
            total[c] += static_cast<double>(sum);
            total[columns + c] += static_cast<double>(product);
        }
    }

    std::int64_t columns_;
    PartSums sums_;
};

/// out [rows, columns] = the gradient of a batch norm's input x, where `upstream` is the gradient of the ReLU after the
/// norm. All matrices are dense. Runs on the calling thread.
inline void behind_relu_norm(const ReluNormGradient& norm, const float* x, const float* upstream, std::int64_t rows,
                             std::int64_t columns, float* out) {
    const float *const mean = norm.mean.data(), *const factor = norm.factor.data(), *const shift = norm.shift.data(),
                       *const a = norm.a.data(), *const b = norm.b.data(), *const c = norm.c.data();
    for (std::int64_t r = 0; r < rows; ++r) {
        const float *const v = x + r * columns, *const g = upstream + r * columns;
        float* const to = out + r * columns;
#pragma omp simd
        for (std::int64_t i = 0; i < columns; ++i) {
            const float grad_above = g[i], distance = v[i] - mean[i];
            const float grad = norm_kernels::behind<Activation::relu>(grad_above, distance * factor[i] + shift[i]);
            to[i] = a[i] * grad + (b[i] * distance + c[i]);
        }
    }
}

/// The terms that batch norms have yet to add to the gradient of their input: constant + slope * (x - mean), with one
/// value of each per column.
struct Owed {
    const float *constant, *slope, *mean;
};

/// out[r, c] = gradient[r, first + c] + the deferred terms of that element, for `columns` columns; `out` is dense.
inline void settle(const Columns<const float>& gradient, const Columns<const float>& x, const Owed& owed,
                   std::int64_t rows, std::int64_t first, std::int64_t columns, float* out) {
#pragma omp parallel for schedule(static) if (worth_threads(rows, columns))
    for (std::int64_t r = 0; r < rows; ++r) {
        const float *const g = gradient.row(r) + first, *const v = x.row(r) + first;
        float* const to = out + r * columns;
#pragma omp simd
        for (std::int64_t c = 0; c < columns; ++c)
            to[c] = g[c] + (owed.constant[first + c] + owed.slope[first + c] * (v[c] - owed.mean[first + c]));
    }
}

/// A weight [width, channels, 1, 1], stored in the form that the forward or the backward pass needs.
class Bottleneck {
public:
    using Rows = std::span<const Columns<const float>>;
    enum class Way : std::uint8_t { forward, backward };

    Bottleneck(const Tensor& weight, Way way)
        : width_(weight.size(0)),
          channels_(weight.size(1)),
          own_(width_ % small_products::lanes == 0 && channels_ % 4 == 0),
          matrix_(way == Way::forward ? transposed(weight) : padded(weight)) {}

    std::int64_t width() const { return width_; }
    /// The distance between rows of a tile's channels, a multiple of the vector length.
    std::int64_t stride() const { return small_products::whole_vectors(channels_); }
    /// Rows of a tile: for oneDNN as many as fit a core's cache; for our kernels fewer, because the cache also holds
    /// the prefetched rows.
    std::int64_t tile_rows() const {
        constexpr std::int64_t cache = 1 << 16, least = 64;  // numbers; rows
        return own_ ? 96 : std::max(least, cache / channels_);
    }

    // All matrices are row-major: x and dx are [rows, channels] with stride() between rows, y, dy [rows, width] and sum
    // are dense. Each product also prefetches as many rows of `next`, and returns oneDNN's status.

    /// y [rows, width] = x W'.
    dnnl::status forward(std::int64_t rows, const float* x, float* y, Rows next) const {
        const float* const w = matrix_.data<float>();
        if (!own_) return dnnl::sgemm('N', 'N', rows, width_, channels_, 1, x, stride(), w, width_, 0, y, width_);
        Prefetch ask(next, rows, small_products::tiles(rows, width_));
        small_products::multiply(rows, width_, channels_, {x, stride()}, {w, width_}, {y, width_}, [&] { ask(); });
        return dnnl::status::success;
    }
    /// sum [channels, width] += x' dy: the weight's gradient, transposed.
    dnnl::status add_gradient(std::int64_t rows, const float* x, const float* dy, float* sum, Rows next) const {
        if (!own_) return dnnl::sgemm('T', 'N', channels_, width_, rows, 1, x, stride(), dy, width_, 1, sum, width_);
        Prefetch ask(next, rows, small_products::tiles(channels_, width_));
        small_products::add_transposed(channels_, width_, rows, {x, stride()}, {dy, width_}, {sum, width_},
                                       [&] { ask(); });
        return dnnl::status::success;
    }
    /// dx [rows, channels] = dy W.
    dnnl::status backward(std::int64_t rows, const float* dy, float* dx, Rows next) const {
        const float* const w = matrix_.data<float>();
        if (!own_) return dnnl::sgemm('N', 'N', rows, channels_, width_, 1, dy, width_, w, stride(), 0, dx, stride());
        Prefetch ask(next, rows, small_products::tiles(rows, stride()));
        small_products::multiply(rows, stride(), width_, {dy, width_}, {w, stride()}, {dx, stride()}, [&] { ask(); });
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

    std::int64_t width_, channels_;
    bool own_;
    Tensor matrix_;
};

}  // namespace radial::dense_kernels
