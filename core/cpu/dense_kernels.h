// Loops over the first columns (channels) of a wider matrix of pixels, float32.
#pragma once

#include "radial/core/tensor.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace radial::dense_kernels {

/// The first `columns` of a matrix [rows, stride].
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

inline bool worth_threads(std::int64_t rows, std::int64_t columns) { return rows * columns >= 16384; }

/// out = relu(affine(in)), `out` dense, for rows [0, rows), on the calling thread.
inline void normalise(const Columns<const float>& in, const Affine& affine, std::int64_t rows, float* out) {
    const std::int64_t columns = in.columns;
    for (std::int64_t r = 0; r < rows; ++r) {
        const float* const v = in.row(r);
        float* const to = out + r * columns;
#pragma omp simd
        for (std::int64_t c = 0; c < columns; ++c) {
            const float normal = (v[c] - affine.mean[c]) * affine.factor[c] + affine.shift[c];
            to[c] = normal < 0 ? 0.0F : normal;  // a NaN stays one
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

/// Parts of the rows of a matrix, which threads take in turn: their bounds depend on the sizes alone, and so do sums
/// that each part forms by itself.
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

/// Sums over rows of the gradient behind a ReLU and of its product with x - mean, one of each a column, for each part.
class GradientSums {
public:
    explicit GradientSums(std::int64_t columns)
        : columns_(columns),
          held_(Tensor::zeros({Parts::most, 2 * columns}, DType::float64, Device{})),
          totals_(held_.data<double>()) {}

    /// `upstream` [rows, columns], dense, is the gradient of relu(affine(in)): adds its sums to the part's, and factor
    /// * (the gradient behind the ReLU) to `into`. On the calling thread.
    void absorb(std::int64_t part, const Columns<const float>& in, const Affine& affine, const float* upstream,
                std::int64_t rows, const Columns<float>& into) {
        double* const total = totals_ + part * 2 * columns_;
        std::int64_t r = 0;
        for (; r + rows_in_float <= rows; r += rows_in_float)
            absorb_rows<rows_in_float>(in, affine, upstream, r, into, total);
        for (; r < rows; ++r) absorb_rows<1>(in, affine, upstream, r, into, total);
    }
    std::vector<double> sums() const { return gathered(0); }
    std::vector<double> products() const { return gathered(columns_); }

private:
    /// Rows that are added up in float, in registers, before double takes over.
    static constexpr int rows_in_float = 8;

    template <int count>
    void absorb_rows(const Columns<const float>& in, const Affine& affine, const float* upstream, std::int64_t row,
                     const Columns<float>& into, double* total) const {
        const float *const v = in.row(row), *const g = upstream + row * columns_, *const means = affine.mean,
                           *const factors = affine.factor, *const shifts = affine.shift;
        float* const to = into.row(row);
        const std::int64_t columns = columns_, stride = in.stride, to_stride = into.stride;
#pragma omp simd
        for (std::int64_t c = 0; c < columns; ++c) {
            const float mean = means[c], factor = factors[c], shift = shifts[c];
            float sum = 0, product = 0;
            for (int k = 0; k < count; ++k) {
                const float grad_above = g[k * columns + c], distance = v[k * stride + c] - mean;
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
    std::vector<double> gathered(std::int64_t first) const {
        std::vector<double> all(static_cast<std::size_t>(columns_));
        for (std::int64_t part = 0; part < Parts::most; ++part)
            for (std::int64_t c = 0; c < columns_; ++c)
                all[static_cast<std::size_t>(c)] += totals_[part * 2 * columns_ + first + c];
        return all;
    }

    std::int64_t columns_;
    Tensor held_;  ///< from the allocator's cache
    double* totals_;
};

/// What batch norms still owe the gradient of their input: constant + slope * (x - mean), one of each a column.
struct Owed {
    const float *constant, *slope, *mean;
};

/// out[r, c] = gradient[r, first + c] + what is owed there, for `columns` columns; `out` dense.
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

}  // namespace radial::dense_kernels
