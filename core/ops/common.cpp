// Helpers shared by the ops.
#include "radial/core/ops/common.h"
#include "radial/core/ops/broadcast.h"

#include "radial/core/ops/kernels/reduce.h"
#include "radial/core/ops/kernels/shape.h"

namespace radial::ops {

void check_floating(std::string_view op, std::string_view what, const Tensor& x) {
    RADIAL_CHECK(x.defined(), "{}: {} is undefined", op, what);
    RADIAL_CHECK(is_floating(x.dtype()), "{}: {} is {}, expected float32 or float64", op, what, x.str());
}

void check_alike(std::string_view op, const Tensor& a, std::string_view what, const Tensor& b) {
    RADIAL_CHECK(b.defined(), "{}: {} is undefined", op, what);
    RADIAL_CHECK(a.dtype() == b.dtype(), "{}: {} is {}, expected {}", op, what, b.str(), name_of(a.dtype()));
    check_device(op, a, what, b);
}

void check_device(std::string_view op, const Tensor& a, std::string_view what, const Tensor& b) {
    RADIAL_CHECK(a.device() == b.device(), "{}: {} is on {}, expected {}", op, what, b.device().str(),
                 a.device().str());
}

void check_rank(std::string_view op, std::string_view what, const Tensor& x, int rank, std::string_view expected) {
    RADIAL_CHECK(x.defined(), "{}: {} is undefined", op, what);
    RADIAL_CHECK(x.rank() == rank, "{}: {} is {}, expected {}", op, what, x.shape().str(), expected);
}

void check_given(std::string_view op, std::string_view name, const Tensor& x) {
    check_floating(op, name, x);
    check_rank(op, name, x, 2, "[N, C]");
    RADIAL_CHECK(x.size(0) > 0 && x.size(1) > 0, "{}: {} are {}, expected at least one sample and class", op, name,
                 x.shape().str());
}

void check_labels(std::string_view op, const Tensor& labels, std::int64_t batch, std::int64_t classes) {
    RADIAL_CHECK(labels.defined(), "{}: labels are undefined", op);
    RADIAL_CHECK(labels.dtype() == DType::int64 && labels.shape() == Shape{batch},
                 "{}: labels are {}, expected int64[{}]", op, labels.str(), batch);
    const Device device = labels.device();
    if (device.kind == Device::Kind::cuda) {
        kernels::rows(device, 1, batch,
                      kernels::CheckRange{labels.data<std::int64_t>(), batch, classes, device::fault(device.index)});
        return;
    }
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

kernels::Stretch stretch(const Shape& from, const Shape& shape, Layout layout) {
    const int rank = shape.rank(), missing = rank - from.rank();
    const auto strides = from.strides();
    const std::array<int, 4> channels_last = {0, 2, 3, 1};
    std::array<std::int64_t, Shape::max_rank> extents{}, steps{};
    std::size_t count = 0;
    for (int position = 0; position < rank; ++position) {
        const int d = layout == Layout::channels_last ? channels_last[static_cast<std::size_t>(position)] : position;
        if (shape[d] == 1) continue;
        const bool stretched = d < missing || from[d - missing] == 1;
        const std::int64_t step = stretched ? 0 : strides[static_cast<std::size_t>(d - missing)];
        if (count > 0 && steps[count - 1] == step * shape[d]) {  // contiguous, so both can be merged into one dimension
            extents[count - 1] *= shape[d];
            steps[count - 1] = step;
        } else {
            extents[count] = shape[d];
            steps[count++] = step;
        }
    }
    kernels::Stretch result{};
    result.inner = count == 0 ? 1 : extents[count - 1];
    result.inner_step = count == 0 ? 0 : steps[count - 1];
    result.rank = count == 0 ? 0 : static_cast<std::int64_t>(count) - 1;
    for (std::size_t d = 0; d + 1 < count; ++d) {
        result.extent[d] = extents[d];
        result.step[d] = steps[d];
    }
    return result;
}

kernels::Stretch3 stretch(const Tensor& a, const Tensor& b, const Tensor& c, const Shape& shape, Layout layout) {
    const std::array<const Tensor*, 3> tensors = {&a, &b, &c};
    const int rank = shape.rank();
    const std::array<int, 4> channels_last = {0, 2, 3, 1};
    std::array<std::int64_t, 3> next = {1, 1, 1};  // next stride in the tensors that have the shape
    std::array<std::array<std::int64_t, 3>, Shape::max_rank> steps{};
    std::array<std::int64_t, Shape::max_rank> extents{};
    std::size_t count = 0;  // dimensions so far, innermost first
    for (int position = rank - 1; position >= 0; --position) {
        const int d = layout == Layout::channels_last ? channels_last[static_cast<std::size_t>(position)] : position;
        if (shape[d] == 1) continue;
        std::array<std::int64_t, 3> step{};
        bool merges = count > 0;
        for (std::size_t t = 0; t < 3; ++t) {
            const Shape& from = tensors[t]->shape();
            const int own = d - (rank - from.rank());
            if (from == shape) {
                step[t] = next[t];
                next[t] *= shape[d];
            } else if (own >= 0 && from[own] != 1) {
                step[t] = from.strides()[static_cast<std::size_t>(own)];
            }
            merges = merges && step[t] == steps[count - 1][t] * extents[count - 1];
        }
        if (merges) {
            extents[count - 1] *= shape[d];
        } else {
            extents[count] = shape[d];
            steps[count++] = step;
        }
    }
    kernels::Stretch3 result{};
    result.inner = count == 0 ? 1 : extents[0];
    result.rank = count == 0 ? 0 : static_cast<std::int64_t>(count) - 1;
    for (std::size_t t = 0; t < 3; ++t) result.inner_step[t] = steps[0][t];
    for (std::size_t d = 1; d < count; ++d) {
        const std::size_t outer = count - 1 - d;  // outermost first
        result.extent[outer] = extents[d];
        for (std::size_t t = 0; t < 3; ++t) result.step[t][outer] = steps[d][t];
    }
    return result;
}

Tensor broadcast_to(const Tensor& x, const Shape& shape, Layout layout) {
    const Tensor source = x.to(Layout::row_major);
    const Tensor result = Tensor::empty(shape, x.dtype(), x.device(), layout);
    if (shape.numel() == 0) return result;
    const kernels::Stretch at = stretch(source.shape(), shape, layout);
    dispatch_activation(x.dtype(), "broadcast", [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(x.device(), shape.numel() / at.inner, at.inner,
                      kernels::CopyStretched<T>{source.data<T>(), result.data<T>(), at});
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

Tensor channel_sums(const Tensor& x, DType dtype) {
    const auto [outer, channels, inner] = blocks_around(x, 1);
    const Tensor result = Tensor::empty({channels}, dtype, x.device());
    dispatch_activation(dtype, "sum", [&, o = outer, c = channels, n = inner](auto to_zero) {
        const kernels::StoreScaledSum<decltype(to_zero)> store{result.data<decltype(to_zero)>(), 1.0};
        dispatch_activation(x.dtype(), "sum", [&](auto zero) {
            using T = decltype(zero);
            if (n == 1) {
                kernels::reduce_columns(x.device(), o, c, kernels::ChannelElement<T>{x.data<T>(), c}, store);
            } else {
                kernels::reduce_columns(x.device(), o, c, kernels::PlaneSum<T>{x.data<T>(), c, n}, store);
            }
        });
    });
    return result;
}

}  // namespace radial::ops
