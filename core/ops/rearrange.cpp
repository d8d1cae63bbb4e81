// Ops that read boxes, diagonals and triangles, and ops that join and divide tensors.
#include "radial/core/ops/common.h"
#include "radial/core/ops/kernels/shape.h"
#include "radial/core/ops/strided.h"

#include <utility>

namespace radial {
namespace {

// Elements begin[d] + i[d] * step[d] of each dimension d, for i within `shape`.
struct Box {
    Shape shape;
    std::vector<std::int64_t> begin, step;

    // The offset of the first element of the box in a tensor with these strides.
    std::int64_t offset(const std::vector<std::int64_t>& strides) const {
        std::int64_t sum = 0;
        for (std::size_t d = 0; d < begin.size(); ++d) sum += begin[d] * strides[d];
        return sum;
    }
    // The distances between adjacent elements of the box in such a tensor, along each dimension.
    std::vector<std::int64_t> steps(const std::vector<std::int64_t>& strides) const {
        std::vector<std::int64_t> result;
        for (std::size_t d = 0; d < step.size(); ++d) result.push_back(step[d] * strides[d]);
        return result;
    }
};

Box whole(const Tensor& x) {
    const auto rank = static_cast<std::size_t>(x.rank());
    return {x.shape(), std::vector<std::int64_t>(rank, 0), std::vector<std::int64_t>(rank, 1)};
}

Tensor read(const Tensor& x, const Box& box) {
    const auto strides = ops::memory_strides(x.shape(), x.layout());
    return ops::strided(x, box.offset(strides), box.shape, box.steps(strides), x.layout());
}

// Writes the elements of `source` to `target`, beginning at offset `to` and `steps` apart along each dimension.
void write(const Tensor& source, const Tensor& target, std::int64_t to, const std::vector<std::int64_t>& steps) {
    const auto from = ops::memory_strides(source.shape(), source.layout());
    std::vector<ops::Stride> dims;
    for (std::size_t d = 0; d < steps.size(); ++d)
        dims.push_back({source.shape()[static_cast<int>(d)], from[d], steps[d]});
    ops::copy_strided(source, 0, target, to, std::move(dims));
}

// The elements of the box. The adjoint writes them into a tensor of zeros.
Tensor sliced(const Tensor& x, const Box& box) {
    const BackwardFn backward = [box, from = x.shape()](const Tensor& dy, Needs) -> Grads {
        const Tensor dx = Tensor::empty(from, dy.dtype(), dy.device(), dy.layout());
        dx.fill_(0);
        const auto strides = ops::memory_strides(from, dx.layout());
        write(dy, dx, box.offset(strides), box.steps(strides));
        return {dx};
    };
    return record("strided_slice", read(x, box), {x}, backward);
}

std::int64_t steps_within(std::int64_t begin, std::int64_t end, std::int64_t step) {
    return begin >= end ? 0 : (end - begin - 1) / step + 1;
}

// The elements on the diagonal `diagonal` and those below it, or above it if `lower` is not set, and 0 elsewhere.
Tensor triangle(std::string_view op, const Tensor& x, std::int64_t diagonal, bool lower) {
    RADIAL_CHECK(x.defined(), "{}: the input is undefined", op);
    RADIAL_CHECK(x.rank() >= 2, "{}: input is {}, expected [..., M, N]", op, x.shape().str());
    const auto compute = [diagonal, lower](const Tensor& given) {
        const Tensor from = given.to(Layout::row_major);
        const Tensor y = Tensor::empty(from.shape(), from.dtype(), from.device());
        const std::int64_t rows = from.size(-2), columns = from.size(-1);
        if (from.numel() == 0) return y;
        dispatch_all(from.dtype(), [&](auto zero) {
            using T = decltype(zero);
            kernels::rows(from.device(), from.numel() / columns, columns,
                          kernels::Triangle<T>{from.data<T>(), y.data<T>(), rows, columns, diagonal, lower});
        });
        return y;
    };
    return record(op, compute(x), {x}, [compute](const Tensor& dy, Needs) -> Grads { return {compute(dy)}; },
                  {{"diagonal", diagonal}});
}

}  // namespace

Tensor slice(const Tensor& x, int dim, std::int64_t begin, std::int64_t end, std::int64_t step) {
    RADIAL_CHECK(step >= 1, "slice: step {}, expected at least 1", step);
    if (step == 1) return slice(x, dim, begin, end);
    RADIAL_CHECK(x.defined(), "slice: the input is undefined");
    const int axis = ops::checked_dim("slice", x, dim);
    RADIAL_CHECK(begin >= 0 && begin <= end && end <= x.shape()[axis],
                 "slice: [{}, {}) of dimension {} of {}, expected within [0, {})", begin, end, dim, x.shape().str(),
                 x.shape()[axis]);
    Box box = whole(x);
    box.begin[static_cast<std::size_t>(axis)] = begin;
    box.step[static_cast<std::size_t>(axis)] = step;
    box.shape[axis] = steps_within(begin, end, step);
    return sliced(x, box);
}

Tensor slice(const Tensor& x, const std::vector<Slice>& slices) {
    RADIAL_CHECK(x.defined(), "slice: the input is undefined");
    RADIAL_CHECK(slices.size() <= static_cast<std::size_t>(x.rank()), "slice: {} slices of {}, which has {} dimensions",
                 slices.size(), x.shape().str(), x.rank());
    Box box = whole(x);
    for (std::size_t d = 0; d < slices.size(); ++d) {
        const Slice& wanted = slices[d];
        RADIAL_CHECK(wanted.step >= 1, "slice: step {} of dimension {}, expected at least 1", wanted.step, d);
        const std::int64_t extent = x.shape()[static_cast<int>(d)];
        const auto bound = [extent](std::int64_t at) {
            return std::clamp<std::int64_t>(at < 0 ? at + extent : at, 0, extent);
        };
        box.begin[d] = bound(wanted.begin);
        box.step[d] = wanted.step;
        box.shape[static_cast<int>(d)] = steps_within(box.begin[d], bound(wanted.end), wanted.step);
    }
    return sliced(x, box);
}

Tensor flip(const Tensor& x, const std::vector<int>& dims) {
    RADIAL_CHECK(x.defined(), "flip: the input is undefined");
    Box box = whole(x);
    std::array<int, Shape::max_rank> flipped{};
    for (const int dim : dims) {
        const int axis = ops::checked_dim("flip", x, dim);
        const auto d = static_cast<std::size_t>(axis);
        RADIAL_CHECK(flipped[d] == 0, "flip: dimension {} is named twice", dim);
        flipped[d] = 1;
        box.begin[d] = x.shape()[axis] - 1;
        box.step[d] = -1;
    }
    return record("flip", read(x, box), {x}, [box](const Tensor& dy, Needs) -> Grads { return {read(dy, box)}; },
                  {{"dim0", flipped[0]},
                   {"dim1", flipped[1]},
                   {"dim2", flipped[2]},
                   {"dim3", flipped[3]},
                   {"dim4", flipped[4]},
                   {"dim5", flipped[5]}});
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
    RADIAL_CHECK(x.defined(), "broadcast_to: the input is undefined");
    bool fits = x.rank() <= shape.rank();
    const int missing = shape.rank() - x.rank();
    for (int d = 0; fits && d < x.rank(); ++d) fits = x.shape()[d] == 1 || x.shape()[d] == shape[d + missing];
    RADIAL_CHECK(fits, "broadcast_to: {} does not broadcast to {}", x.shape().str(), shape.str());
    const auto strides = ops::memory_strides(x.shape(), x.layout());
    std::vector<std::int64_t> steps(static_cast<std::size_t>(shape.rank()), 0);
    for (int d = 0; d < x.rank(); ++d) {
        const int to = d + missing;
        if (x.shape()[d] != 1) steps[static_cast<std::size_t>(to)] = strides[static_cast<std::size_t>(d)];
    }
    const Layout layout = shape.rank() == 4 ? x.layout() : Layout::row_major;
    return record("broadcast_to", ops::strided(x, 0, shape, steps, layout), {x},
                  [from = x.shape()](const Tensor& dy, Needs) -> Grads {
                      const NoGrad guard;
                      return {ops::sum_to(dy, from)};
                  });
}

Tensor tril(const Tensor& x, std::int64_t diagonal) { return triangle("tril", x, diagonal, true); }

Tensor triu(const Tensor& x, std::int64_t diagonal) { return triangle("triu", x, diagonal, false); }

Tensor diagonal(const Tensor& x, std::int64_t offset, int dim0, int dim1) {
    RADIAL_CHECK(x.defined(), "diagonal: the input is undefined");
    const int row = ops::checked_dim("diagonal", x, dim0), column = ops::checked_dim("diagonal", x, dim1);
    RADIAL_CHECK(row != column, "diagonal: dimensions {} and {} of {} are the same", dim0, dim1, x.shape().str());
    // Returns the offset of the first element on the diagonal, and the distances between adjacent elements of the
    // result, in a tensor of the input's shape with these strides.
    const auto place = [offset, row, column, rank = x.rank()](const std::vector<std::int64_t>& strides) {
        const std::int64_t down = strides[static_cast<std::size_t>(row)],
                           right = strides[static_cast<std::size_t>(column)];
        std::vector<std::int64_t> steps;
        for (int d = 0; d < rank; ++d)
            if (d != row && d != column) steps.push_back(strides[static_cast<std::size_t>(d)]);
        steps.push_back(down + right);
        return std::pair(offset >= 0 ? offset * right : -offset * down, steps);
    };
    std::vector<std::int64_t> extents;
    for (int d = 0; d < x.rank(); ++d)
        if (d != row && d != column) extents.push_back(x.shape()[d]);
    const std::int64_t rows = x.shape()[row] + std::min<std::int64_t>(offset, 0),
                       columns = x.shape()[column] - std::max<std::int64_t>(offset, 0);
    extents.push_back(std::max<std::int64_t>(0, std::min(rows, columns)));
    const auto [from, steps] = place(ops::memory_strides(x.shape(), x.layout()));
    const BackwardFn backward = [place, shape = x.shape()](const Tensor& dy, Needs) -> Grads {
        const Tensor dx = Tensor::zeros(shape, dy.dtype(), dy.device());
        const auto [to, distances] = place(ops::memory_strides(shape, Layout::row_major));
        write(dy, dx, to, distances);
        return {dx};
    };
    const Shape shape{std::span<const std::int64_t>(extents)};
    return record("diagonal", ops::strided(x, from, shape, steps), {x}, backward,
                  {{"offset", offset}, {"dim0", row}, {"dim1", column}});
}

Tensor diag(const Tensor& x, std::int64_t offset) {
    RADIAL_CHECK(x.defined() && (x.rank() == 1 || x.rank() == 2), "diag: input is {}, expected [N] or [M, N]",
                 x.defined() ? x.shape().str() : "undefined");
    if (x.rank() == 2) return diagonal(x, offset);
    const std::int64_t side = x.numel() + std::abs(offset);
    const Tensor y = Tensor::zeros({side, side}, x.dtype(), x.device());
    write(x, y, offset >= 0 ? offset : -offset * side, {side + 1});
    return record("diag", y, {x},
                  [offset](const Tensor& dy, Needs) -> Grads {
                      const NoGrad guard;
                      return {diagonal(dy, offset)};
                  },
                  {{"offset", offset}});
}

Tensor stack(const std::vector<Tensor>& parts, int dim) {
    RADIAL_CHECK(!parts.empty() && parts.front().defined(), "stack: nothing to join");
    const Tensor& first = parts.front();
    RADIAL_CHECK(dim >= -first.rank() - 1 && dim <= first.rank(),
                 "stack: dimension {} for parts {}, expected within "
                 "[{}, {}]",
                 dim, first.shape().str(), -first.rank() - 1, first.rank());
    std::vector<Tensor> expanded;
    for (const Tensor& part : parts) {
        ops::check_alike("stack", first, "a part", part);
        RADIAL_CHECK(part.shape() == first.shape(), "stack: a part is {}, the first {}", part.shape().str(),
                     first.shape().str());
        expanded.push_back(unsqueeze(part, dim));
    }
    return concat(expanded, dim);
}

std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& sizes, int dim) {
    RADIAL_CHECK(x.defined(), "split: the input is undefined");
    const int axis = ops::checked_dim("split", x, dim);
    std::int64_t total = 0;
    for (const std::int64_t size : sizes) {
        RADIAL_CHECK(size >= 0, "split: size {}, expected at least 0", size);
        total += size;
    }
    RADIAL_CHECK(total == x.shape()[axis], "split: sizes add up to {}, expected {}, the extent of dimension {} of {}",
                 total, x.shape()[axis], dim, x.shape().str());
    std::vector<Tensor> parts;
    std::int64_t begin = 0;
    for (const std::int64_t size : sizes) {
        parts.push_back(slice(x, axis, begin, begin + size));
        begin += size;
    }
    return parts;
}

std::vector<Tensor> chunk(const Tensor& x, std::int64_t count, int dim) {
    RADIAL_CHECK(x.defined(), "chunk: the input is undefined");
    RADIAL_CHECK(count >= 1, "chunk: {} parts, expected at least 1", count);
    const std::int64_t extent = x.shape()[ops::checked_dim("chunk", x, dim)];
    const std::int64_t size = std::max<std::int64_t>(1, (extent + count - 1) / count);
    std::vector<std::int64_t> sizes;
    for (std::int64_t begin = 0; begin < extent; begin += size) sizes.push_back(std::min(size, extent - begin));
    if (sizes.empty()) sizes.push_back(0);
    return split(x, sizes, dim);
}

std::vector<Tensor> meshgrid(const std::vector<Tensor>& vectors) {
    std::vector<std::int64_t> extents;
    for (const Tensor& vector : vectors) {
        RADIAL_CHECK(vector.defined() && vector.rank() == 1, "meshgrid: a vector is {}, expected [N]",
                     vector.defined() ? vector.shape().str() : "undefined");
        extents.push_back(vector.numel());
    }
    const Shape grid{std::span<const std::int64_t>(extents)};
    std::vector<Tensor> coordinates;
    for (int d = 0; d < grid.rank(); ++d) {
        std::vector<std::int64_t> column(extents.size(), 1);
        column[static_cast<std::size_t>(d)] = grid[d];
        const Tensor& vector = vectors[static_cast<std::size_t>(d)];
        coordinates.push_back(broadcast_to(reshape(vector, Shape(std::span<const std::int64_t>(column))), grid));
    }
    return coordinates;
}

}  // namespace radial
