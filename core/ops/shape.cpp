// Ops that rearrange elements: reshape, slice, transpose, concat, gather.
#include "radial/core/ops/common.h"

#include <cstring>

namespace radial {
namespace {

using ops::Blocks;

// Copies `length` rows of every block: from row `source_row` of `source` to row `target_row` of `target`.
void copy_blocks(const Tensor& source, const Blocks& from, std::int64_t source_row, const Tensor& target,
                 const Blocks& to, std::int64_t target_row, std::int64_t length) {
    const std::size_t width = size_of(source.dtype()) * static_cast<std::size_t>(from.inner);
    const auto* const in = static_cast<const std::byte*>(source.raw());
    auto* const out = static_cast<std::byte*>(target.raw());
    const auto bytes = static_cast<std::size_t>(length) * width;
    kernels::rows(from.outer, length * from.inner, [=](std::int64_t o) {
        const auto a = static_cast<std::size_t>(o * from.extent + source_row) * width;
        const auto b = static_cast<std::size_t>(o * to.extent + target_row) * width;
        std::memcpy(out + b, in + a, bytes);
    });
}

// Adds row i of `dy` [M, ...] to row index[i] of `dx` [N, ...]. One thread a column range, so repeats are safe.
template <class T>
void scatter_add(const Tensor& dy, const Tensor& index, const Tensor& dx, std::int64_t width) {
    const T* const g = dy.data<T>();
    T* const out = dx.data<T>();
    const auto positions = index.values<std::int64_t>();
    const auto count = static_cast<std::int64_t>(positions.size());
    const std::int64_t* const at = positions.data();
    constexpr std::int64_t columns = 64;
    kernels::rows((width + columns - 1) / columns, count * columns, [=](std::int64_t task) {
        const std::int64_t first = task * columns, last = std::min(width, first + columns);
        for (std::int64_t i = 0; i < count; ++i) {
            for (std::int64_t c = first; c < last; ++c) out[at[i] * width + c] += g[i * width + c];
        }
    });
}

}  // namespace

Tensor reshape(const Tensor& x, const Shape& shape) {
    RADIAL_CHECK(x.defined(), "reshape: the input is undefined");
    RADIAL_CHECK(shape.numel() == x.numel(), "reshape: {} has {} elements, shape {} holds {}", x.shape().str(),
                 x.numel(), shape.str(), shape.numel());
    const Tensor y = x.to(Layout::row_major).view(shape);
    return record("reshape", y, {x}, [from = x.shape()](const Tensor& dy, Needs) -> Grads {
        return {dy.to(Layout::row_major).view(from)};
    });
}

Tensor flatten(const Tensor& x) {
    RADIAL_CHECK(x.defined() && x.rank() >= 1, "flatten: input is {}, expected [N, ...]", x.str());
    const std::int64_t batch = x.size(0);
    std::int64_t rest = 1;
    for (int d = 1; d < x.rank(); ++d) rest *= x.shape()[d];
    return reshape(x, {batch, rest});
}

Tensor slice(const Tensor& x, int dim, std::int64_t begin, std::int64_t end) {
    RADIAL_CHECK(x.defined(), "slice: the input is undefined");
    const int axis = ops::checked_dim("slice", x, dim);
    RADIAL_CHECK(begin >= 0 && begin <= end && end <= x.shape()[axis],
                 "slice: [{}, {}) of dimension {} of {}, expected within [0, {})", begin, end, dim, x.shape().str(),
                 x.shape()[axis]);
    Shape shape = x.shape();
    shape[axis] = end - begin;
    Tensor y;
    if (axis == 0) {
        y = x.rows(begin, end);
    } else {
        y = Tensor::empty(shape, x.dtype(), x.device(), x.layout());
        copy_blocks(x, ops::blocks_around(x, axis), begin, y, ops::blocks_around(y, axis), 0, end - begin);
    }
    return record("slice", y, {x},
                  [from = x.shape(), axis, begin, length = end - begin](const Tensor& dy, Needs) -> Grads {
                      const Tensor dx = Tensor::empty(from, dy.dtype(), dy.device(), dy.layout());
                      dx.fill_(0);
                      copy_blocks(dy, ops::blocks_around(dy, axis), 0, dx, ops::blocks_around(dx, axis), begin, length);
                      return {dx};
                  });
}

Tensor transpose(const Tensor& x) {
    ops::check_floating("transpose", "the input", x);
    ops::check_rank("transpose", "input", x, 2, "[M, N]");
    const std::int64_t rows = x.size(0), columns = x.size(1);
    const Tensor y = Tensor::empty({columns, rows}, x.dtype(), x.device());
    dispatch_floating(x.dtype(), "transpose", [&](auto zero) {
        using T = decltype(zero);
        const T* const in = x.data<T>();
        T* const out = y.data<T>();
        kernels::rows(columns, rows, [=](std::int64_t c) {
            for (std::int64_t r = 0; r < rows; ++r) out[c * rows + r] = in[r * columns + c];
        });
    });
    return record("transpose", y, {x}, [](const Tensor& dy, Needs) -> Grads { return {transpose(dy)}; });
}

Tensor concat(const std::vector<Tensor>& parts, int dim) {
    RADIAL_CHECK(!parts.empty() && parts.front().defined(), "concat: nothing to join");
    const Tensor& first = parts.front();
    const int axis = ops::checked_dim("concat", first, dim);
    Shape shape = first.shape();
    std::vector<std::int64_t> lengths;
    shape[axis] = 0;
    for (const Tensor& part : parts) {
        ops::check_alike("concat", first, "a part", part);
        Shape expected = first.shape();
        if (part.rank() == first.rank()) expected[axis] = part.shape()[axis];
        RADIAL_CHECK(part.shape() == expected,
                     "concat: a part is {}, the first {}; they may differ in dimension {} only", part.shape().str(),
                     first.shape().str(), axis);
        lengths.push_back(part.shape()[axis]);
        shape[axis] += lengths.back();
    }
    const Tensor y = Tensor::empty(shape, first.dtype(), first.device(), first.layout());
    std::int64_t row = 0;
    for (const Tensor& part : parts) {
        const Tensor source = part.to(y.layout());
        copy_blocks(source, ops::blocks_around(source, axis), 0, y, ops::blocks_around(y, axis), row,
                    part.shape()[axis]);
        row += part.shape()[axis];
    }
    return record("concat", y, parts, [axis, lengths](const Tensor& dy, Needs needs) -> Grads {
        const NoGrad guard;
        Grads grads(lengths.size());
        std::int64_t begin = 0;
        for (std::size_t i = 0; i < lengths.size(); ++i) {
            if (needs[i]) grads[i] = slice(dy, axis, begin, begin + lengths[i]);
            begin += lengths[i];
        }
        return grads;
    });
}

Tensor gather_rows(const Tensor& x, const Tensor& index) {
    ops::check_floating("gather_rows", "the input", x);
    RADIAL_CHECK(x.rank() >= 1, "gather_rows: input is {}, expected [N, ...]", x.shape().str());
    RADIAL_CHECK(index.defined() && index.dtype() == DType::int64 && index.rank() == 1,
                 "gather_rows: index is {}, expected int64[M]", index.str());
    const Tensor source = x.to(Layout::row_major);
    Shape shape = x.shape();
    shape[0] = index.numel();
    const std::int64_t count = x.size(0), width = count == 0 ? 0 : x.numel() / count;
    for (const std::int64_t i : index.values<std::int64_t>()) {
        RADIAL_CHECK(i >= 0 && i < count, "gather_rows: index {} is outside [0, {})", i, count);
    }
    const Tensor y = Tensor::empty(shape, x.dtype(), x.device());
    const auto* const at = index.data<std::int64_t>();
    dispatch_floating(x.dtype(), "gather_rows", [&](auto zero) {
        using T = decltype(zero);
        const T* const in = source.data<T>();
        T* const out = y.data<T>();
        kernels::rows(index.numel(), width,
                      [=](std::int64_t r) { std::copy_n(in + at[r] * width, width, out + r * width); });
    });
    return record(
        "gather_rows", y, {x},
        [saved = Saved(index, "gather_rows", "index"), from = x.shape(), width](const Tensor& dy, Needs) -> Grads {
            const Tensor grad = dy.to(Layout::row_major);
            const Tensor dx = Tensor::zeros(from, dy.dtype(), dy.device());
            dispatch_floating(dy.dtype(), "gather_rows",
                              [&](auto zero) { scatter_add<decltype(zero)>(grad, saved.get(), dx, width); });
            return {dx};
        });
}

Tensor pick(const Tensor& x, const Tensor& index) {
    ops::check_floating("pick", "the input", x);
    ops::check_rank("pick", "input", x, 2, "[N, C]");
    ops::check_labels("pick", index, x.size(0), x.size(1));
    const std::int64_t columns = x.size(1);
    const Tensor y = Tensor::empty({x.size(0)}, x.dtype(), x.device());
    dispatch_floating(x.dtype(), "pick", [&](auto zero) {
        using T = decltype(zero);
        const T* const in = x.data<T>();
        const auto* const at = index.data<std::int64_t>();
        T* const out = y.data<T>();
        kernels::map(y.numel(), [=](std::int64_t r) { out[r] = in[r * columns + at[r]]; });
    });
    return record("pick", y, {x},
                  [saved = Saved(index, "pick", "index"), from = x.shape(), columns](const Tensor& dy, Needs) -> Grads {
                      const Tensor dx = Tensor::zeros(from, dy.dtype(), dy.device()), kept = saved.get();
                      dispatch_floating(dy.dtype(), "pick", [&](auto zero) {
                          using T = decltype(zero);
                          const T* const g = dy.data<T>();
                          const auto* const at = kept.data<std::int64_t>();
                          T* const out = dx.data<T>();
                          kernels::map(dy.numel(), [=](std::int64_t r) { out[r * columns + at[r]] = g[r]; });
                      });
                      return {dx};
                  });
}

}  // namespace radial
