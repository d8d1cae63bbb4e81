// Reference matrix product: the sums of its definition, in double.
#include "radial/core/backend/reference/reference_backend.h"
#include "radial/core/kernels/launch.h"
#include "radial/core/kernels/values.h"
#include "radial/core/tensor/types.h"

#include <vector>

namespace radial {
namespace {

/// Elements of op(matrix) by row and column.
template <class T>
struct Operand {
    const T* elements;
    std::int64_t rows, columns, row_stride, column_stride;
    Operand(const Tensor& matrix, bool transpose)
        : elements(matrix.data<const T>()),
          rows(matrix.size(transpose ? 1 : 0)),
          columns(matrix.size(transpose ? 0 : 1)),
          row_stride(transpose ? 1 : matrix.size(1)),
          column_stride(transpose ? matrix.size(1) : 1) {}
    RADIAL_HD double operator()(std::int64_t row, std::int64_t column) const {
        return static_cast<double>(elements[row * row_stride + column * column_stride]);
    }
};

/// alpha op(a) op(b) + beta c, an element at a time.
template <class T, class R>
struct Product {
    Operand<T> a, b;
    double alpha, beta;
    R* result;

    RADIAL_HD void operator()(std::int64_t m, std::int64_t n) const {
        double sum = 0;
        for (std::int64_t k = 0; k < a.columns; ++k) sum += a(m, k) * b(k, n);
        store(m, n, sum);
    }
    RADIAL_HD void store(std::int64_t m, std::int64_t n, double sum) const {
        R* const at = result + m * b.columns + n;
        // beta 0 must not read the old elements, which may be anything.
        const double old = beta == 0 ? 0.0 : beta * static_cast<double>(*at);
        *at = static_cast<R>(alpha * sum + old);
    }
};

/// The same on the CPU, a row at a time: b is then read in the order in which it lies.
template <class T, class R>
void multiply_on_host(const Product<T, R>& p) {
#pragma omp parallel for schedule(static)
    for (std::int64_t m = 0; m < p.a.rows; ++m) {
        std::vector<double> sums(static_cast<std::size_t>(p.b.columns), 0.0);
        for (std::int64_t k = 0; k < p.a.columns; ++k) {
            for (std::int64_t n = 0; n < p.b.columns; ++n) sums[static_cast<std::size_t>(n)] += p.a(m, k) * p.b(k, n);
        }
        for (std::int64_t n = 0; n < p.b.columns; ++n) p.store(m, n, sums[static_cast<std::size_t>(n)]);
    }
}

}  // namespace

std::string ReferenceBackend::describe() const { return "CPU: reference loops"; }

Backend& reference_backend() {
    static ReferenceBackend backend;
    return backend;
}

void ReferenceBackend::gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b,
                            double beta, const Tensor& c) {
    dispatch_activation(a.dtype(), "reference gemm", [&](auto zero) {
        using T = decltype(zero);
        dispatch_activation(c.dtype(), "reference gemm", [&](auto result_zero) {
            using R = decltype(result_zero);
            const Product<T, R> product{Operand<T>(a, transpose_a), Operand<T>(b, transpose_b), alpha, beta,
                                        c.data<R>()};
            if (c.device().kind == Device::Kind::cpu) return multiply_on_host(product);
            kernels::map2(c.device(), product.a.rows, product.b.columns, product);
        });
    });
}

}  // namespace radial
