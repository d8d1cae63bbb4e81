// Matrix products.
#include "radial/core/ops/kernels/matrix.h"
#include "radial/core/ops/mixed.h"

namespace radial {
namespace {

Backend& backend_of(const Tensor& x) { return backend_for(x.device(), x.dtype()); }

// op(a) op(b) as `dtype`, unrecorded.
Tensor product(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, DType dtype) {
    const Tensor c = Tensor::empty({a.size(transpose_a ? 1 : 0), b.size(transpose_b ? 0 : 1)}, dtype, a.device());
    backend_of(a).gemm(transpose_a, transpose_b, 1.0, a, b, 0.0, c);
    return c;
}
Tensor product(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b) {
    return product(a, transpose_a, b, transpose_b, a.dtype());
}

// y [N, K] with `bias` in every row.
void fill_rows(const Tensor& y, const Tensor& bias) {
    dispatch_activation(y.dtype(), "linear", [&](auto zero) {
        using T = decltype(zero);
        dispatch_activation(bias.dtype(), "linear", [&](auto bias_zero) {
            using B = decltype(bias_zero);
            kernels::map2(y.device(), y.size(0), y.size(1),
                          kernels::FillRows<T, B>{bias.data<const B>(), y.data<T>(), y.size(1)});
        });
    });
}

// Sums of the columns of dy [N, K] as `dtype`.
Tensor column_sums(const Tensor& dy, DType dtype) {
    const std::int64_t columns = dy.size(1);
    const Tensor sums = Tensor::empty({columns}, dtype, dy.device());
    dispatch_activation(dy.dtype(), "linear", [&](auto zero) {
        using T = decltype(zero);
        dispatch_activation(dtype, "linear", [&](auto sum_zero) {
            using S = decltype(sum_zero);
            kernels::reduce_columns(dy.device(), dy.size(0), columns,
                                    kernels::MatrixElement<T>{dy.data<const T>(), columns},
                                    kernels::StoreSum<S>{sums.data<S>()});
        });
    });
    return sums;
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b) {
    ops::check_floating("matmul", "the first matrix", a);
    ops::check_alike("matmul", a, "the second matrix", b);
    ops::check_rank("matmul", "first matrix", a, 2, "[M, K]");
    ops::check_rank("matmul", "second matrix", b, 2, "[K, N]");
    RADIAL_CHECK(a.size(transpose_a ? 0 : 1) == b.size(transpose_b ? 1 : 0),
                 "matmul: inner extents of {}{} and {}{} differ", a.shape().str(), transpose_a ? " (transposed)" : "",
                 b.shape().str(), transpose_b ? " (transposed)" : "");
    return record("matmul", product(a, transpose_a, b, transpose_b), {a, b},
                  [x = Saved(a, "matmul", "first matrix"), y = Saved(b, "matmul", "second matrix"), transpose_a,
                   transpose_b](const Tensor& dc, Needs needs) -> Grads {
                      Grads grads(2);
                      if (needs[0]) {
                          grads[0] = transpose_a ? product(y.get(), transpose_b, dc, true)
                                                 : product(dc, false, y.get(), !transpose_b);
                      }
                      if (needs[1]) {
                          grads[1] = transpose_b ? product(dc, true, x.get(), transpose_a)
                                                 : product(x.get(), !transpose_a, dc, false);
                      }
                      return grads;
                  });
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
    ops::check_floating("linear", "the input", x);
    ops::check_weight("linear", x, "weight", weight);
    ops::check_rank("linear", "input", x, 2, "[N, D]");
    ops::check_rank("linear", "weight", weight, 2, "[K, D]");
    RADIAL_CHECK(x.size(1) == weight.size(1), "linear: input has {} features, weight expects {}", x.size(1),
                 weight.size(1));
    const std::int64_t outputs = weight.size(0);
    const Tensor y = Tensor::empty({x.size(0), outputs}, x.dtype(), x.device());
    if (bias.defined()) {
        ops::check_weight("linear", x, "bias", bias);
        RADIAL_CHECK(bias.shape() == Shape{outputs}, "linear: bias is {}, expected [{}]", bias.shape().str(), outputs);
        fill_rows(y, bias);
    }
    const Tensor w = weight.to(x.dtype());
    backend_of(x).gemm(false, true, 1.0, x, w, bias.defined() ? 1.0 : 0.0, y);
    return record(
        "linear", y, {x, weight, bias},
        [input = Saved(x, "linear", "input"), kept = Saved(w, "linear", "weight"), weight_dtype = weight.dtype(),
         bias_dtype = bias.defined() ? bias.dtype() : x.dtype()](const Tensor& dy, Needs needs) -> Grads {
            return {needs[0] ? product(dy, false, kept.get(), false) : Tensor(),
                    needs[1] ? product(dy, true, input.get(), false, weight_dtype) : Tensor(),
                    needs[2] ? column_sums(dy, bias_dtype) : Tensor()};
        });
}

}  // namespace radial
