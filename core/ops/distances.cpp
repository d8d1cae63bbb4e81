// Products and squared distances of all pairs of rows.
#include "radial/core/ops/distances.h"

#include "radial/core/kernels/launch.h"
#include "radial/core/ops/kernels/compare.h"
#include "radial/core/ops/kernels/distances.h"

#include "radial/core/backend/backend.h"
#include "radial/core/tensor/types.h"

#include <algorithm>

namespace radial::ops {

Tensor common_offset(const Tensor& points) {
    constexpr std::int64_t enough = 1024;  // points, evenly spaced among all
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
    constexpr std::int64_t few = std::int64_t{1} << 18;  // products of numbers
    return x.size(0) * w.size(0) * x.size(1) <= few;
}

}  // namespace radial::ops
