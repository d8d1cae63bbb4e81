// Creates ranges of numbers and identity matrices.
#include "radial/core/ops/create.h"

#include "radial/core/kernels/launch.h"
#include "radial/core/ops/kernels/create.h"

#include <cmath>

namespace radial {
namespace {

Tensor sequence(double first, double last, double step, std::int64_t count, std::int64_t half, DType dtype,
                Device device) {
    const Tensor y = Tensor::empty({count}, dtype, device);
    dispatch_all(dtype, [&](auto zero) {
        using T = decltype(zero);
        kernels::map(device, count, kernels::Sequence<T>{y.data<T>(), first, last, step, count, half});
    });
    return y;
}

}  // namespace

Tensor arange(double begin, double end, double step, DType dtype, Device device) {
    RADIAL_CHECK(std::isfinite(begin) && std::isfinite(end) && std::isfinite(step) && step != 0,
                 "arange: from {} to {} in steps of {}, expected finite numbers and a step other than 0", begin, end,
                 step);
    const double steps = std::ceil((end - begin) / step);
    RADIAL_CHECK(steps >= 0, "arange: from {} to {} in steps of {}, which lead away from it", begin, end, step);
    RADIAL_CHECK(steps < 0x1p62, "arange: from {} to {} in steps of {}, which are too many", begin, end, step);
    const auto count = static_cast<std::int64_t>(steps);
    return sequence(begin, 0, step, count, count, dtype, device);
}

Tensor linspace(double begin, double end, std::int64_t count, DType dtype, Device device) {
    RADIAL_CHECK(count >= 0, "linspace: {} numbers, expected at least 0", count);
    const double step = count > 1 ? (end - begin) / static_cast<double>(count - 1) : 0;
    return sequence(begin, end, step, count, (count + 1) / 2, dtype, device);
}

Tensor eye(std::int64_t rows, std::int64_t columns, DType dtype, Device device) {
    RADIAL_CHECK(rows >= 0 && columns >= 0, "eye: {} rows and {} columns, expected at least 0", rows, columns);
    const Tensor y = Tensor::empty({rows, columns}, dtype, device);
    dispatch_all(dtype, [&](auto zero) {
        using T = decltype(zero);
        kernels::map2(device, rows, columns, kernels::Identity<T>{y.data<T>(), columns});
    });
    return y;
}

Tensor eye(std::int64_t rows, DType dtype, Device device) { return eye(rows, rows, dtype, device); }

}  // namespace radial
