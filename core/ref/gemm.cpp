// Reference matrix product: the sums of its definition, in double, a row of the result at a time.
#include "radial/core/dispatch.h"
#include "radial/core/ref/reference_backend.h"

#include <vector>

namespace radial {
namespace {

/// Elements of op(matrix) by row and column.
template <class T>
struct Operand {
    const T* elements;
    std::int64_t rows, columns, row_stride, column_stride;
    Operand(const Tensor& matrix, bool transpose)
        : elements(matrix.data<T>()),
          rows(matrix.size(transpose ? 1 : 0)),
          columns(matrix.size(transpose ? 0 : 1)),
          row_stride(transpose ? 1 : matrix.size(1)),
          column_stride(transpose ? matrix.size(1) : 1) {}
    double operator()(std::int64_t row, std::int64_t column) const {
        return elements[row * row_stride + column * column_stride];
    }
};

template <class T>
void product(const Operand<T>& a, const Operand<T>& b, double alpha, double beta, T* result) {
#pragma omp parallel for schedule(static)
    for (std::int64_t m = 0; m < a.rows; ++m) {
        std::vector<double> sums(static_cast<std::size_t>(b.columns), 0.0);
        for (std::int64_t k = 0; k < a.columns; ++k) {
            for (std::int64_t n = 0; n < b.columns; ++n) sums[static_cast<std::size_t>(n)] += a(m, k) * b(k, n);
        }
        T* const row = result + m * b.columns;
        for (std::int64_t n = 0; n < b.columns; ++n) {
            // beta 0 must not read the old elements, which may be anything.
            const double old = beta == 0 ? 0.0 : beta * row[n];
            row[n] = static_cast<T>(alpha * sums[static_cast<std::size_t>(n)] + old);
        }
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
    dispatch_floating(c.dtype(), "reference gemm", [&]<class T>(T) {
        product<T>(Operand<T>(a, transpose_a), Operand<T>(b, transpose_b), alpha, beta, c.data<T>());
    });
}

}  // namespace radial
