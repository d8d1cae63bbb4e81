// What the ops share.
#include "radial/core/ops/common.h"

namespace radial::ops {

void check_floating(std::string_view op, std::string_view what, const Tensor& x) {
    RADIAL_CHECK(x.defined(), "{}: {} is undefined", op, what);
    RADIAL_CHECK(is_floating(x.dtype()), "{}: {} is {}, expected float32 or float64", op, what, x.str());
}

void check_alike(std::string_view op, const Tensor& a, std::string_view what, const Tensor& b) {
    RADIAL_CHECK(b.defined(), "{}: {} is undefined", op, what);
    RADIAL_CHECK(a.dtype() == b.dtype(), "{}: {} is {}, expected {}", op, what, b.str(), name_of(a.dtype()));
    RADIAL_CHECK(a.device() == b.device(), "{}: {} is on {}, expected {}", op, what, b.device().str(),
                 a.device().str());
}

void check_rank(std::string_view op, std::string_view what, const Tensor& x, int rank, std::string_view expected) {
    RADIAL_CHECK(x.defined(), "{}: {} is undefined", op, what);
    RADIAL_CHECK(x.rank() == rank, "{}: {} is {}, expected {}", op, what, x.shape().str(), expected);
}

void check_labels(std::string_view op, const Tensor& labels, std::int64_t batch, std::int64_t classes) {
    RADIAL_CHECK(labels.defined(), "{}: labels are undefined", op);
    RADIAL_CHECK(labels.dtype() == DType::int64 && labels.shape() == Shape{batch},
                 "{}: labels are {}, expected int64[{}]", op, labels.str(), batch);
    const auto values = labels.values<std::int64_t>();
    for (std::size_t i = 0; i < values.size(); ++i) {
        RADIAL_CHECK(values[i] >= 0 && values[i] < classes, "{}: label {} of sample {} is outside [0, {})", op,
                     values[i], i, classes);
    }
}

int checked_dim(std::string_view op, const Tensor& x, int dim) {
    const int index = dim < 0 ? dim + x.rank() : dim;
    RADIAL_CHECK(index >= 0 && index < x.rank(), "{}: dimension {} of {}, which has {}", op, dim, x.shape().str(),
                 x.rank());
    return index;
}

Blocks blocks_around(const Tensor& x, int dim) {
    const Shape& s = x.shape();
    const Shape stored = x.layout() == Layout::channels_last ? Shape{s[0], s[2], s[3], s[1]} : s;
    int position = dim;
    if (x.layout() == Layout::channels_last && dim > 0) position = dim == 1 ? 3 : dim - 1;
    Blocks blocks{1, stored[position], 1};
    for (int d = 0; d < position; ++d) blocks.outer *= stored[d];
    for (int d = position + 1; d < stored.rank(); ++d) blocks.inner *= stored[d];
    return blocks;
}

Shape broadcast_shape(std::string_view op, const Shape& a, const Shape& b) {
    const int rank = std::max(a.rank(), b.rank());
    std::vector<std::int64_t> extents(static_cast<std::size_t>(rank));
    for (int d = 1; d <= rank; ++d) {
        const std::int64_t x = d <= a.rank() ? a[a.rank() - d] : 1, y = d <= b.rank() ? b[b.rank() - d] : 1;
        RADIAL_CHECK(x == y || x == 1 || y == 1, "{}: shapes {} and {} do not broadcast", op, a.str(), b.str());
        extents[static_cast<std::size_t>(rank - d)] = x == 1 ? y : x;
    }
    return Shape(extents);
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
    const Tensor source = x.to(Layout::row_major);
    const Tensor result = Tensor::empty(shape, x.dtype(), x.device());
    const int rank = shape.rank(), missing = rank - source.rank();
    const auto strides = source.shape().strides();
    std::array<std::int64_t, Shape::max_rank> step{};  // 0 along stretched dimensions
    for (int d = missing; d < rank; ++d) {
        if (source.shape()[d - missing] != 1)
            step[static_cast<std::size_t>(d)] = strides[static_cast<std::size_t>(d - missing)];
    }
    const std::int64_t inner = rank == 0 ? 1 : shape[rank - 1];
    const std::int64_t inner_step = rank == 0 ? 0 : step[static_cast<std::size_t>(rank - 1)];
    dispatch_floating(x.dtype(), "broadcast", [&](auto zero) {
        using T = decltype(zero);
        const T* const from = source.data<T>();
        T* const to = result.data<T>();
        kernels::rows(inner == 0 ? 0 : shape.numel() / inner, inner, [=](std::int64_t row) {
            std::int64_t offset = 0, rest = row;
            for (int d = rank - 2; d >= 0; --d) {
                offset += rest % shape[d] * step[static_cast<std::size_t>(d)];
                rest /= shape[d];
            }
            for (std::int64_t i = 0; i < inner; ++i) to[row * inner + i] = from[offset + i * inner_step];
        });
    });
    return result;
}

Tensor sum_to(const Tensor& grad, const Shape& shape) {
    if (grad.shape() == shape) return grad;
    const int missing = grad.rank() - shape.rank();
    std::vector<int> dims;
    for (int d = 0; d < grad.rank(); ++d) {
        if (d < missing || (shape[d - missing] == 1 && grad.shape()[d] != 1)) dims.push_back(d);
    }
    const Tensor total = dims.empty() ? grad.to(Layout::row_major) : sum(grad, dims, true);
    return total.view(shape);
}

Tensor channel_sums(const Tensor& x) {
    const auto [outer, channels, inner] = blocks_around(x, 1);
    const Tensor result = Tensor::empty({channels}, x.dtype(), x.device());
    dispatch_floating(x.dtype(), "sum", [&, o = outer, c = channels, n = inner](auto zero) {
        using T = decltype(zero);
        const T* const v = x.data<T>();
        if (n == 1) {
            kernels::reduce_columns(o, c, result.data<T>(),
                                    [=](std::int64_t r, std::int64_t k) { return v[r * c + k]; });
        } else {
            kernels::reduce_columns(o, c, result.data<T>(), [=](std::int64_t r, std::int64_t k) {
                const T* const plane = v + (r * c + k) * n;
                T total{0};
                for (std::int64_t i = 0; i < n; ++i) total += plane[i];
                return total;
            });
        }
    });
    return result;
}

}  // namespace radial::ops
