// Matrix products, and distances, cosines and lengths of rows, computed by a matrix product or pair by pair.
#include "radial/core/ops/kernels/linear_algebra.h"
#include "radial/core/backend/backend.h"
#include "radial/core/kernels/launch.h"
#include "radial/core/ops/common.h"
#include "radial/core/ops/distances.h"
#include "radial/core/ops/kernels/reduce.h"
#include "radial/core/tensor/types.h"

#include <algorithm>
#include <span>
#include <vector>

namespace radial::ops {

Tensor common_offset(const Tensor& points) {
    constexpr std::int64_t enough = 1024;  // at least this many points are used, evenly spaced, if there are more
    const std::int64_t step = std::max<std::int64_t>(1, points.size(0) / enough);
    const std::int64_t count = (points.size(0) + step - 1) / step, dim = points.size(1);
    const Tensor offset = Tensor::empty({dim}, points.dtype(), points.device());
    dispatch_floating(points.dtype(), "common_offset", [&](auto zero) {
        using T = decltype(zero);
        kernels::reduce_columns(points.device(), count, dim,
                                kernels::CoordinateMoments<T>{points.data<const T>(), dim, step},
                                kernels::StoreOffset<T>{offset.data<T>(), 1.0 / static_cast<double>(count)});
    });
    return offset;
}

void centre_rows(const Tensor& x, const Tensor& offset, const Tensor& out, const Tensor& squares) {
    dispatch_floating(x.dtype(), "centre_rows", [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(x.device(), x.size(0), x.size(1),
                      kernels::CentreRows<T>{x.data<const T>(), offset.data<const T>(), out.data<T>(),
                                             squares.data<T>(), x.size(1)});
    });
}

CentredRows centred(const Tensor& x, const Tensor& w) {
    const Tensor offset = common_offset(w);
    CentredRows rows{Tensor::empty_like(x), Tensor::empty_like(w), Tensor::empty({x.size(0)}, x.dtype(), x.device()),
                     Tensor::empty({w.size(0)}, x.dtype(), x.device())};
    centre_rows(x, offset, rows.x, rows.x_squares);
    centre_rows(w, offset, rows.w, rows.w_squares);
    return rows;
}

void distances_by_product(const Tensor& x, const Tensor& w, const CentredRows& centred, const Tensor& out) {
    backend_for(x.device(), x.dtype()).gemm(false, true, 1.0, centred.x, centred.w, 0.0, out);
    dispatch_floating(x.dtype(), "squared_distances", [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(x.device(), out.size(0), out.size(1),
                      kernels::DistancesFromProducts<T>{out.data<T>(), x.data<const T>(), w.data<const T>(),
                                                        centred.x_squares.data<const T>(),
                                                        centred.w_squares.data<const T>(), out.size(1), x.size(1)});
    });
}

void distances_by_differences(const Tensor& x, const Tensor& w, const Tensor& out) {
    dispatch_floating(x.dtype(), "squared_distances", [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(
            x.device(), x.size(0), w.size(0),
            kernels::Distances<T, true>{x.data<const T>(), w.data<const T>(), out.data<T>(), w.size(0), x.size(1)},
            x.size(1));
    });
}

void products_by_pairs(const Tensor& x, const Tensor& w, const Tensor& out) {
    dispatch_floating(x.dtype(), "products_by_pairs", [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(
            x.device(), x.size(0), w.size(0) * x.size(1),
            kernels::InnerProducts<T>{x.data<const T>(), w.data<const T>(), out.data<T>(), w.size(0), x.size(1)});
    });
}

bool few_pairs(const Tensor& x, const Tensor& w) {
    constexpr std::int64_t few = std::int64_t{1} << 18;  // limit for the number of multiplications
    return x.size(0) * w.size(0) * x.size(1) <= few;
}

}  // namespace radial::ops

namespace radial {
namespace {

Backend& backend_of(const Tensor& x) { return backend_for(x.device(), x.dtype()); }

// op(a) op(b) as `dtype`, not recorded on the tape.
Tensor product(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, DType dtype) {
    const Tensor c = Tensor::empty({a.size(transpose_a ? 1 : 0), b.size(transpose_b ? 0 : 1)}, dtype, a.device());
    backend_of(a).gemm(transpose_a, transpose_b, 1.0, a, b, 0.0, c);
    return c;
}
Tensor product(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b) {
    return product(a, transpose_a, b, transpose_b, a.dtype());
}

// The extents before the last two.
Shape leading(const Tensor& x) { return Shape(std::span(x.shape().begin(), x.shape().end() - 2)); }

// The product of all extents but the last.
std::int64_t leading_count(const Tensor& x) {
    std::int64_t count = 1;
    for (int d = 0; d + 1 < x.rank(); ++d) count *= x.size(d);
    return count;
}

Shape with_matrix(const Shape& lead, std::int64_t rows, std::int64_t columns) {
    std::vector<std::int64_t> extents(lead.begin(), lead.end());
    extents.insert(extents.end(), {rows, columns});
    return Shape(extents);
}

// x [..., R, C] broadcast to the leading extents `lead`, as [B, R, C].
Tensor batch_of(const Tensor& x, const Shape& lead) {
    const Shape full = with_matrix(lead, x.size(-2), x.size(-1));
    const Tensor all = x.shape() == full ? x.detach().to(Layout::row_major) : ops::broadcast_to(x.detach(), full);
    return all.view({lead.numel(), x.size(-2), x.size(-1)});
}

// The adjoint of batch_of().
Tensor sum_of_batch(const Tensor& batch, const Shape& lead, const Shape& shape) {
    return ops::sum_to(batch.view(with_matrix(lead, batch.size(1), batch.size(2))), shape);
}

// op(a) op(b) of two batches [B, ., .], not recorded on the tape.
Tensor batched_product(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b) {
    const Tensor c =
        Tensor::empty({a.size(0), a.size(transpose_a ? 2 : 1), b.size(transpose_b ? 1 : 2)}, a.dtype(), a.device());
    backend_of(a).batched_gemm(transpose_a, transpose_b, 1.0, a, b, 0.0, c);
    return c;
}

// Copies `bias` to every row of y [N, K].
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

// The column sums of dy [N, K] as `dtype`.
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

void check_matrix(std::string_view op, std::string_view what, const Tensor& x) {
    ops::check_floating(op, what, x);
    ops::check_rank(op, what, x, 2, "[N, D]");
    RADIAL_CHECK(x.dtype() != DType::bfloat16, "{}: {} is {}, expected float32 or float64", op, what, x.str());
}

void check_pair(std::string_view op, const Tensor& x, const Tensor& w) {
    check_matrix(op, "the first matrix", x);
    ops::check_alike(op, x, "the second matrix", w);
    check_matrix(op, "the second matrix", w);
    RADIAL_CHECK(x.size(1) == w.size(1), "{}: rows of {} and {} differ in length", op, x.shape().str(),
                 w.shape().str());
}

template <kernels::LengthForm form>
Tensor lengths(const Tensor& x) {
    const Tensor result = Tensor::empty({x.size(0)}, x.dtype(), x.device());
    dispatch_floating(x.dtype(), "lengths", [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(x.device(), x.size(0), x.size(1),
                      kernels::RowLengths<T, form>{x.data<const T>(), result.data<T>(), x.size(1)});
    });
    return result;
}

Tensor product(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b, double factor) {
    const Tensor c = Tensor::empty({a.size(transpose_a ? 1 : 0), b.size(transpose_b ? 0 : 1)}, a.dtype(), a.device());
    backend_for(a.device(), a.dtype()).gemm(transpose_a, transpose_b, factor, a, b, 0.0, c);
    return c;
}

// If there are few pairs, they are computed one by one, so that equal rows get exactly equal cosines; a matrix product
// may round them differently.
Tensor cosines_of(const Tensor& x, const Tensor& w, const Tensor& x_inverse, const Tensor& w_inverse) {
    const Tensor y = Tensor::empty({x.size(0), w.size(0)}, x.dtype(), x.device());
    if (ops::few_pairs(x, w))
        ops::products_by_pairs(x, w, y);
    else
        backend_for(x.device(), x.dtype()).gemm(false, true, 1.0, x, w, 0.0, y);
    dispatch_floating(x.dtype(), "cosines", [&](auto zero) {
        using T = decltype(zero);
        kernels::map2(x.device(), y.size(0), y.size(1),
                      kernels::CosinesFromProducts<T>{y.data<T>(), x_inverse.data<const T>(), w_inverse.data<const T>(),
                                                      y.size(1)});
    });
    return y;
}

// The gradient of `point` from dy = dL/ddistance [points, others] or its transpose: 2 sum_j dy_ij (point_i - other_j),
// computed from the differences.
Tensor gradient_by_differences(const Tensor& point, const Tensor& other, const Tensor& dy, bool transposed) {
    const Tensor grad = Tensor::empty_like(point);
    const std::int64_t columns = dy.size(1), dim = point.size(1);
    dispatch_floating(point.dtype(), "squared_distances", [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(point.device(), point.size(0), dim,
                      kernels::SquaredDistancesGradient<T>{point.data<const T>(), other.data<const T>(),
                                                           dy.data<const T>(), grad.data<T>(), other.size(0), dim,
                                                           transposed ? 1 : columns, transposed ? columns : 1},
                      other.size(0));
    });
    return grad;
}

// gradient_by_differences() by a matrix product, for rows that lie around the origin.
Tensor distance_gradient(const Tensor& point, const Tensor& other, const Tensor& dy, bool transposed) {
    const Device device = point.device();
    const Tensor grad = product(dy, transposed, other, false, -2.0);
    const Tensor sums = Tensor::empty({point.size(0)}, point.dtype(), device);
    const std::int64_t rows = dy.size(0), columns = dy.size(1), dim = point.size(1);
    dispatch_floating(point.dtype(), "squared_distances", [&](auto zero) {
        using T = decltype(zero);
        if (transposed) {
            kernels::reduce_columns(device, rows, columns, kernels::ReadMatrix<T>{dy.data<const T>(), columns},
                                    kernels::StoreSum<T>{sums.data<T>()});
        } else {
            kernels::rows(device, rows, columns, kernels::RowSums<T>{dy.data<const T>(), sums.data<T>(), columns});
        }
        kernels::map2(
            device, point.size(0), dim,
            kernels::SubtractScaledRows<T>{grad.data<T>(), sums.data<const T>(), point.data<const T>(), T{-2}, dim});
    });
    return grad;
}

// Removes from each row of grad its component along the row of x. In place.
void project_out(const Tensor& grad, const Tensor& x, const Tensor& inverse) {
    dispatch_floating(x.dtype(), "cosines", [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(x.device(), x.size(0), x.size(1),
                      kernels::ProjectOut<T>{grad.data<T>(), x.data<const T>(), inverse.data<const T>(), x.size(1)});
    });
}

// factors_i * x_i.
Tensor scaled_rows(const Tensor& x, const Tensor& factors) {
    const Tensor y = Tensor::empty_like(x);
    dispatch_floating(x.dtype(), "unit_rows", [&](auto zero) {
        using T = decltype(zero);
        kernels::map2(x.device(), x.size(0), x.size(1),
                      kernels::ScaleRows<T>{x.data<const T>(), factors.data<const T>(), y.data<T>(), x.size(1)});
    });
    return y;
}

// The gradient of `point` for distances(). `transposed` means that the points are the columns of dy, not the rows.
template <class T>
Tensor distances_gradient(const Tensor& point, const Tensor& other, const Tensor& distance, const Tensor& dy,
                          bool transposed) {
    const Tensor grad = Tensor::empty_like(point);
    const std::int64_t columns = distance.size(1), dim = point.size(1), others = other.size(0);
    kernels::rows(point.device(), point.size(0), dim,
                  kernels::DistancesGradient<T>{point.data<const T>(), other.data<const T>(), distance.data<const T>(),
                                                dy.data<const T>(), grad.data<T>(), others, dim,
                                                transposed ? 1 : columns, transposed ? columns : 1},
                  others);
    return grad;
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
                  },
                  {{"transpose_a", transpose_a}, {"transpose_b", transpose_b}});
}

Tensor bmm(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b) {
    ops::check_floating("bmm", "the first batch", a);
    ops::check_alike("bmm", a, "the second batch", b);
    RADIAL_CHECK(a.rank() >= 2 && b.rank() >= 2, "bmm: batches are {} and {}, expected [..., M, K] and [..., K, N]",
                 a.shape().str(), b.shape().str());
    RADIAL_CHECK(a.size(transpose_a ? -2 : -1) == b.size(transpose_b ? -1 : -2),
                 "bmm: inner extents of {}{} and {}{} differ", a.shape().str(), transpose_a ? " (transposed)" : "",
                 b.shape().str(), transpose_b ? " (transposed)" : "");
    const Shape lead = ops::broadcast_shape("bmm", leading(a), leading(b));
    const std::int64_t rows = a.size(transpose_a ? -1 : -2), columns = b.size(transpose_b ? -2 : -1);
    const Shape shape = with_matrix(lead, rows, columns);
    if (b.rank() == 2 && !transpose_a) {  // one product of all rows
        const Tensor all = reshape(a, {lead.numel() * rows, a.size(-1)});
        return reshape(matmul(all, b, false, transpose_b), shape);
    }
    const Tensor y = batched_product(batch_of(a, lead), transpose_a, batch_of(b, lead), transpose_b);
    return record("bmm", y.view(shape), {a, b},
                  [x = Saved(a, "bmm", "first batch"), other = Saved(b, "bmm", "second batch"), lead, transpose_a,
                   transpose_b](const Tensor& dy, Needs needs) -> Grads {
                      const NoGrad guard;
                      const Tensor left = batch_of(x.get(), lead), right = batch_of(other.get(), lead);
                      const Tensor dc = batch_of(dy, lead);
                      Grads grads(2);
                      if (needs[0]) {
                          const Tensor full = transpose_a ? batched_product(right, transpose_b, dc, true)
                                                          : batched_product(dc, false, right, !transpose_b);
                          grads[0] = sum_of_batch(full, lead, x.get().shape());
                      }
                      if (needs[1]) {
                          const Tensor full = transpose_b ? batched_product(dc, true, left, transpose_a)
                                                          : batched_product(left, !transpose_a, dc, false);
                          grads[1] = sum_of_batch(full, lead, other.get().shape());
                      }
                      return grads;
                  },
                  {{"transpose_a", transpose_a}, {"transpose_b", transpose_b}});
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
    ops::check_floating("linear", "the input", x);
    ops::check_weight("linear", x, "weight", weight);
    ops::check_rank("linear", "weight", weight, 2, "[K, D]");
    RADIAL_CHECK(x.rank() >= 1, "linear: input is {}, expected [..., D]", x.shape().str());
    if (x.rank() != 2) {
        Shape shape = x.shape();
        shape[x.rank() - 1] = weight.size(0);
        const std::int64_t features = x.size(-1);
        const Tensor rows = reshape(x, {features == 0 ? leading_count(x) : x.numel() / features, features});
        return reshape(linear(rows, weight, bias), shape);
    }
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

Tensor squared_distances(const Tensor& x, const Tensor& w) {
    check_pair("squared_distances", x, w);
    // Small problems are computed from differences, which is more accurate.
    constexpr std::int64_t little = std::int64_t{1} << 24;
    const Tensor y = Tensor::empty({x.size(0), w.size(0)}, x.dtype(), x.device());
    if (x.size(0) * w.size(0) * x.size(1) <= little) {
        ops::distances_by_differences(x, w, y);
    } else {
        ops::distances_by_product(x, w, ops::centred(x, w), y);
    }
    return record("squared_distances", y, {x, w},
                  [a = Saved(x, "squared_distances", "first matrix"),
                   b = Saved(w, "squared_distances", "second matrix")](const Tensor& dy, Needs needs) -> Grads {
                      const Tensor first = a.get(), second = b.get();
                      if (ops::few_pairs(first, second)) {
                          return {needs[0] ? gradient_by_differences(first, second, dy, false) : Tensor(),
                                  needs[1] ? gradient_by_differences(second, first, dy, true) : Tensor()};
                      }
                      const ops::CentredRows rows = ops::centred(first, second);
                      return {needs[0] ? distance_gradient(rows.x, rows.w, dy, false) : Tensor(),
                              needs[1] ? distance_gradient(rows.w, rows.x, dy, true) : Tensor()};
                  });
}

Tensor cosines(const Tensor& x, const Tensor& w) {
    check_pair("cosines", x, w);
    const Tensor x_inverse = lengths<kernels::LengthForm::inverse>(x),
                 w_inverse = lengths<kernels::LengthForm::inverse>(w);
    return record("cosines", cosines_of(x, w, x_inverse, w_inverse), {x, w},
                  [a = Saved(x, "cosines", "first matrix"), b = Saved(w, "cosines", "second matrix"), x_inverse,
                   w_inverse](const Tensor& dy, Needs needs) -> Grads {
                      const Tensor pulls = Tensor::empty_like(dy), rows = a.get(), others = b.get();
                      dispatch_floating(dy.dtype(), "cosines", [&](auto zero) {
                          using T = decltype(zero);
                          kernels::map2(
                              dy.device(), dy.size(0), dy.size(1),
                              kernels::CosinePulls<T>{dy.data<const T>(), x_inverse.data<const T>(),
                                                      w_inverse.data<const T>(), pulls.data<T>(), dy.size(1)});
                      });
                      Grads grads(2);
                      if (needs[0]) project_out(grads[0] = product(pulls, false, others, false, 1.0), rows, x_inverse);
                      if (needs[1]) project_out(grads[1] = product(pulls, true, rows, false, 1.0), others, w_inverse);
                      return grads;
                  });
}

Tensor row_norms(const Tensor& x) {
    check_matrix("row_norms", "the input", x);
    return record("row_norms", lengths<kernels::LengthForm::plain>(x), {x},
                  [a = Saved(x, "row_norms", "input")](const Tensor& dy, Needs) -> Grads {
                      const NoGrad guard;
                      const Tensor rows = a.get();
                      return {scaled_rows(rows, dy * lengths<kernels::LengthForm::inverse>(rows))};
                  });
}

Tensor unit_rows(const Tensor& x) {
    check_matrix("unit_rows", "the input", x);
    const Tensor inverse = lengths<kernels::LengthForm::inverse>(x);
    return record("unit_rows", scaled_rows(x, inverse), {x},
                  [a = Saved(x, "unit_rows", "input"), inverse](const Tensor& dy, Needs) -> Grads {
                      const Tensor grad = scaled_rows(dy, inverse);
                      project_out(grad, a.get(), inverse);
                      return {grad};
                  });
}

Tensor distances(const Tensor& x, const Tensor& w) {
    ops::check_floating("distances", "x", x);
    ops::check_alike("distances", x, "w", w);
    ops::check_rank("distances", "x", x, 2, "[N, D]");
    ops::check_rank("distances", "w", w, 2, "[M, D]");
    RADIAL_CHECK(x.size(1) == w.size(1), "distances: x has dimension {}, w has {}", x.size(1), w.size(1));
    const Tensor y = Tensor::empty({x.size(0), w.size(0)}, x.dtype(), x.device());
    dispatch_floating(x.dtype(), "distances", [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(
            x.device(), x.size(0), w.size(0),
            kernels::Distances<T, false>{x.data<const T>(), w.data<const T>(), y.data<T>(), w.size(0), x.size(1)},
            x.size(1));
    });
    return record("distances", y, {x, w},
                  [from = Saved(x, "distances", "x"), to = Saved(w, "distances", "w"),
                   kept = Saved(y, "distances", "result")](const Tensor& dy, Needs needs) -> Grads {
                      const Tensor a = from.get(), b = to.get(), d = kept.get();
                      Grads grads(2);
                      dispatch_floating(d.dtype(), "distances", [&](auto zero) {
                          using T = decltype(zero);
                          if (needs[0]) grads[0] = distances_gradient<T>(a, b, d, dy, false);
                          if (needs[1]) grads[1] = distances_gradient<T>(b, a, d, dy, true);
                      });
                      return grads;
                  });
}

}  // namespace radial
