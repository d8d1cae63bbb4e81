// Loops over the first columns (channels) of a wider matrix of pixels. T is the type in which pixels are stored: float
// or bfloat16. Numbers are converted to float when they are read, and rounded when they are written.
#pragma once

#include "radial/core/backend/cpu/norm_kernels.h"
#include "radial/core/backend/cpu/onednn_backend.h"
#include "radial/core/kernels/bfloat16.h"
#include "radial/core/tensor/tensor.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>
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

inline bool worth_threads(std::int64_t rows, std::int64_t columns) { return rows * columns >= 16384; }

/// out = relu(affine(in)) for rows [0, rows), on the calling thread.
template <class T, class Out>
void normalise(const Columns<const T>& in, const Affine& affine, std::int64_t rows, const Columns<Out>& out) {
    for (std::int64_t r = 0; r < rows; ++r) {
        const T* const v = in.row(r);
        norm_kernels::write_row(out.row(r), in.columns, [=](std::int64_t c) {
            const float normal = (static_cast<float>(v[c]) - affine.mean[c]) * affine.factor[c] + affine.shift[c];
            return normal < 0 ? 0.0F : normal;  // NaN stays NaN
        });
    }
}

/// out[:, first .. first + from.columns) = from.
template <class T>
void copy(const Columns<const T>& from, std::int64_t rows, const Columns<T>& out, std::int64_t first) {
#pragma omp parallel for schedule(static) if (worth_threads(rows, from.columns))
    for (std::int64_t r = 0; r < rows; ++r) {
        std::memcpy(out.row(r) + first, from.row(r), static_cast<std::size_t>(from.columns) * sizeof(T));
    }
}

/// Returns x converted to T, with the same layout.
template <class T>
Tensor rounded(const Tensor& x) {
    if constexpr (std::is_same_v<T, float>) {
        return x;
    } else {
        constexpr std::int64_t length = 4096;
        const Tensor result = Tensor::empty(x.shape(), dtype_of<T>, {}, x.layout());
        const float* const from = x.data<float>();
        T* const to = result.data<T>();
        const std::int64_t count = x.numel();
#pragma omp parallel for schedule(static) if (worth_threads(count, 1))
        for (std::int64_t i = 0; i < count; i += length)
            rounding::round_row(from + i, std::min(length, count - i), to + i);
        return result;
    }
}

/// Divides the rows of a matrix into parts, each of which is processed by one thread. Their bounds depend only on the
/// sizes, so sums that are computed per part do not depend on the number of threads.
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

/// The sums from which statistics are computed: those of x - origin and of its square over all rows.
class Moments {
public:
    explicit Moments(std::vector<float> origin)
        : origin_(std::move(origin)), sums_(static_cast<std::int64_t>(origin_.size())) {}
    /// Adds `rows` dense rows of x to the sums of the part. Runs on the calling thread.
    template <class T>
    void add(std::int64_t part, const T* x, std::int64_t rows) {
        using norm_kernels::rows_in_float;
        const auto columns = static_cast<std::int64_t>(origin_.size());
        const norm_kernels::Distance<T> value{x, origin_.data()};
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
    template <class T>
    void absorb(std::int64_t part, const Columns<const T>& in, const Affine& affine,
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

    template <int count, class T>
    void absorb_rows(const Columns<const T>& in, const Affine& affine, const Columns<const float>& upstream,
                     std::int64_t row, const Columns<float>& into, double* total) const {
        const T* const v = in.row(row);
        const float *const g = upstream.row(row), *const means = affine.mean, *const factors = affine.factor,
                           *const shifts = affine.shift;
        float* const to = into.row(row);
        const std::int64_t columns = columns_, stride = in.stride, up_stride = upstream.stride, to_stride = into.stride;
#pragma omp simd simdlen(16)
        for (std::int64_t c = 0; c < columns; ++c) {
            const float mean = means[c], factor = factors[c], shift = shifts[c];
            float sum = 0, product = 0;
            for (int k = 0; k < count; ++k) {
                const float grad_above = g[k * up_stride + c];
                const float distance = static_cast<float>(v[k * stride + c]) - mean;
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

/// out [rows, columns] = the gradient of a batch norm's input x, where `upstream` is the gradient of the result of the
/// ReLU after the norm. All matrices are dense. Runs on the calling thread.
template <class T>
void behind_relu_norm(const ReluNormGradient& norm, const T* x, const T* upstream, std::int64_t rows,
                      std::int64_t columns, float* out) {
    const float *const mean = norm.mean.data(), *const factor = norm.factor.data(), *const shift = norm.shift.data(),
                       *const a = norm.a.data(), *const b = norm.b.data(), *const c = norm.c.data();
    for (std::int64_t r = 0; r < rows; ++r) {
        const T *const v = x + r * columns, *const g = upstream + r * columns;
        float* const to = out + r * columns;
#pragma omp simd
        for (std::int64_t i = 0; i < columns; ++i) {
            const float grad_above = static_cast<float>(g[i]), distance = static_cast<float>(v[i]) - mean[i];
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
template <class T>
void settle(const Columns<const float>& gradient, const Columns<const T>& x, const Owed& owed, std::int64_t rows,
            std::int64_t first, std::int64_t columns, float* out) {
    constexpr std::int64_t ahead = 16;
    const float *const constant = owed.constant + first, *const slope = owed.slope + first,
                       *const mean = owed.mean + first;
#pragma omp parallel for schedule(static) if (worth_threads(rows, columns))
    for (std::int64_t r = 0; r < rows; ++r) {
        const float* const g = gradient.row(r) + first;
        const T* const v = x.row(r) + first;
        float* const to = out + r * columns;
        // The prefetcher of the processor does not predict reads of a few columns of rows that are far apart.
        const std::int64_t later = std::min(r + ahead, rows - 1) - r;
        __builtin_prefetch(g + later * gradient.stride);
        __builtin_prefetch(g + later * gradient.stride + columns - 1);
        __builtin_prefetch(v + later * x.stride);
        __builtin_prefetch(v + later * x.stride + columns - 1);
        rounding::each_column(columns, [=](std::int64_t c) {
            to[c] = g[c] + (constant[c] + slope[c] * (static_cast<float>(v[c]) - mean[c]));
        });
    }
}

}  // namespace radial::dense_kernels
