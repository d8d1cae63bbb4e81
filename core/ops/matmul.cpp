// Matrix products.
#include "radial/core/ops/common.h"

namespace radial {
namespace {

Backend& backend_of(const Tensor& x) { return backend_for(x.device(), x.dtype()); }

// op(a) op(b), unrecorded.
Tensor product(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b) {
    const Tensor c = Tensor::empty({a.size(transpose_a ? 1 : 0), b.size(transpose_b ? 0 : 1)}, a.dtype(), a.device());
    backend_of(a).gemm(transpose_a, transpose_b, 1.0, a, b, 0.0, c);
    return c;
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
    ops::check_alike("linear", x, "weight", weight);
    ops::check_rank("linear", "input", x, 2, "[N, D]");
    ops::check_rank("linear", "weight", weight, 2, "[K, D]");
    RADIAL_CHECK(x.size(1) == weight.size(1), "linear: input has {} features, weight expects {}", x.size(1),
                 weight.size(1));
    const std::int64_t outputs = weight.size(0);
    const Tensor y = Tensor::empty({x.size(0), outputs}, x.dtype(), x.device());
    if (bias.defined()) {
        ops::check_alike("linear", x, "bias", bias);
        RADIAL_CHECK(bias.shape() == Shape{outputs}, "linear: bias is {}, expected [{}]", bias.shape().str(), outputs);
        y.copy_(ops::broadcast_to(bias.detach(), y.shape()));
    }
    backend_of(x).gemm(false, true, 1.0, x, weight, bias.defined() ? 1.0 : 0.0, y);
    return record("linear", y, {x, weight, bias},
                  [input = Saved(x, "linear", "input"), w = Saved(weight, "linear", "weight")](const Tensor& dy,
                                                                                               Needs needs) -> Grads {
                      return {needs[0] ? product(dy, false, w.get(), false) : Tensor(),
                              needs[1] ? product(dy, true, input.get(), false) : Tensor(),
                              needs[2] ? ops::channel_sums(dy) : Tensor()};
                  });
}

}  // namespace radial
