// Ops that rearrange elements: reshape, slice, concat, gather; and those that reorder, insert and remove dimensions.
#include "radial/core/ops/kernels/shape.h"

#include "radial/core/ops/common.h"
#include "radial/core/ops/strided.h"

#include <fmt/ranges.h>

#include <numeric>
#include <utility>

namespace radial {
namespace {

using ops::Blocks;

// Copies `length` rows of every block: from row `source_row` of `source` to row `target_row` of `target`.
void copy_blocks(const Tensor& source, const Blocks& from, std::int64_t source_row, const Tensor& target,
                 const Blocks& to, std::int64_t target_row, std::int64_t length) {
    dispatch_all(source.dtype(), [&](auto zero) {
        using T = decltype(zero);
        constexpr int width = kernels::pack_width<T>;
        using Packed = kernels::Pack<T, width>;
        const T* const in = source.data<T>() + source_row * from.inner;
        T* const out = target.data<T>() + target_row * to.inner;
        const std::int64_t count = length * from.inner, in_block = from.extent * from.inner,
                           out_block = to.extent * to.inner;
        const bool whole = count % width == 0 && in_block % width == 0 && out_block % width == 0;
        if (whole && ops::in_packs(source.device(), count, width, in, out)) {
            kernels::map2(
                source.device(), from.outer, count / width,
                kernels::CopyBlocks<Packed>{reinterpret_cast<const Packed*>(in), reinterpret_cast<Packed*>(out),
                                            in_block / width, out_block / width});
        } else {
            kernels::map2(source.device(), from.outer, count, kernels::CopyBlocks<T>{in, out, in_block, out_block});
        }
    });
}

// Adds row i of `dy` [M, ...] to row index[i] of `dx` [N, ...], which must be filled with zeros.
template <class T>
void scatter_add(const Tensor& dy, const Tensor& index, const Tensor& dx, std::int64_t width) {
    const T* const g = dy.data<T>();
    const auto* const at = index.data<std::int64_t>();
    T* const out = dx.data<T>();
    const std::int64_t count = index.numel();
    if (dx.device().kind == Device::Kind::cpu) {
        using Scatter = kernels::ScatterAddColumns<T>;
        kernels::rows(dx.device(), (width + Scatter::range - 1) / Scatter::range, count * Scatter::range,
                      Scatter{g, at, out, count, width});
    } else {
        kernels::rows(dx.device(), count, width, kernels::ScatterAddFirsts<T>{g, at, out, count, width, dx.size(0)});
    }
}

// Throws Error if an index is outside [0, count) and the host can read it. On a device, the next synchronize() reports
// the fault.
void check_rows(const Tensor& index, std::int64_t count) {
    const Device device = index.device();
    RADIAL_CHECK(count > 0 || index.numel() == 0, "gather_rows: {} rows asked of an input that has none",
                 index.numel());
    if (device.kind == Device::Kind::cuda) {
        kernels::rows(
            device, 1, index.numel(),
            kernels::CheckRange{index.data<std::int64_t>(), index.numel(), count, device::fault(device.index)});
        return;
    }
    for (const std::int64_t i : index.values<std::int64_t>()) {
        RADIAL_CHECK(i >= 0 && i < count, "gather_rows: index {} is outside [0, {})", i, count);
    }
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
                  },
                  {{"dim", axis}, {"begin", begin}, {"end", end}});
}

Tensor Tensor::operator[](std::int64_t i) const {
    RADIAL_CHECK(defined() && rank() > 0, "tensor[{}]: the tensor {}", i, defined() ? "is a scalar" : "is undefined");
    const std::int64_t count = size(0), at = i < 0 ? i + count : i;
    RADIAL_CHECK(at >= 0 && at < count, "tensor[{}]: {} has {} along dimension 0", i, str(), count);
    return reshape(slice(*this, 0, at, at + 1), Shape(std::span(shape().begin() + 1, shape().end())));
}

Tensor transpose(const Tensor& x) {
    ops::check_floating("transpose", "the input", x);
    ops::check_rank("transpose", "input", x, 2, "[M, N]");
    const Tensor y = ops::strided(x, 0, {x.size(1), x.size(0)}, {1, x.size(1)});
    return record("transpose", y, {x}, [](const Tensor& dy, Needs) -> Grads { return {transpose(dy)}; });
}

Tensor concat(const std::vector<Tensor>& parts, int dim) {
    RADIAL_CHECK(!parts.empty() && parts.front().defined(), "concat: nothing to join");
    constexpr std::ptrdiff_t most_inputs = 32;  // of one op on the tape
    if (parts.size() > most_inputs) {
        std::vector<Tensor> joined;
        for (auto at = parts.begin(); at != parts.end();) {
            const auto next = at + std::min(most_inputs, parts.end() - at);
            joined.push_back(concat({at, next}, dim));
            at = next;
        }
        return concat(joined, dim);
    }
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
    return record("concat", y, parts,
                  [axis, lengths](const Tensor& dy, Needs needs) -> Grads {
                      const NoGrad guard;
                      Grads grads(lengths.size());
                      std::int64_t begin = 0;
                      for (std::size_t i = 0; i < lengths.size(); ++i) {
                          if (needs[i]) grads[i] = slice(dy, axis, begin, begin + lengths[i]);
                          begin += lengths[i];
                      }
                      return grads;
                  },
                  {{"dim", axis}});
}

Tensor gather_rows(const Tensor& x, const Tensor& index) {
    ops::check_floating("gather_rows", "the input", x);
    RADIAL_CHECK(x.rank() >= 1, "gather_rows: input is {}, expected [N, ...]", x.shape().str());
    RADIAL_CHECK(index.defined() && index.dtype() == DType::int64 && index.rank() == 1,
                 "gather_rows: index is {}, expected int64[M]", index.str());
    ops::check_device("gather_rows", x, "index", index);
    const Tensor source = x.to(Layout::row_major);
    Shape shape = x.shape();
    shape[0] = index.numel();
    const std::int64_t count = x.size(0), width = count == 0 ? 0 : x.numel() / count;
    check_rows(index, count);
    const Tensor y = Tensor::empty(shape, x.dtype(), x.device());
    dispatch_activation(x.dtype(), "gather_rows", [&](auto zero) {
        using T = decltype(zero);
        kernels::map2(x.device(), index.numel(), width,
                      kernels::GatherRows<T>{source.data<T>(), index.data<std::int64_t>(), y.data<T>(), count, width});
    });
    return record(
        "gather_rows", y, {x},
        [saved = Saved(index, "gather_rows", "index"), from = x.shape(), width](const Tensor& dy, Needs) -> Grads {
            const Tensor grad = dy.to(Layout::row_major);
            const Tensor dx = Tensor::zeros(from, dy.dtype(), dy.device());
            dispatch_activation(dy.dtype(), "gather_rows",
                                [&](auto zero) { scatter_add<decltype(zero)>(grad, saved.get(), dx, width); });
            return {dx};
        });
}

Tensor pick(const Tensor& x, const Tensor& index) {
    ops::check_floating("pick", "the input", x);
    ops::check_rank("pick", "input", x, 2, "[N, C]");
    ops::check_labels("pick", index, x.size(0), x.size(1));
    ops::check_device("pick", x, "index", index);
    const std::int64_t columns = x.size(1);
    RADIAL_CHECK(columns > 0 || x.size(0) == 0, "pick: input {} has no columns", x.shape().str());
    const Tensor y = Tensor::empty({x.size(0)}, x.dtype(), x.device());
    dispatch_activation(x.dtype(), "pick", [&](auto zero) {
        using T = decltype(zero);
        kernels::map(x.device(), y.numel(),
                     kernels::Pick<T>{x.data<T>(), index.data<std::int64_t>(), y.data<T>(), columns});
    });
    return record("pick", y, {x},
                  [saved = Saved(index, "pick", "index"), from = x.shape(), columns](const Tensor& dy, Needs) -> Grads {
                      const Tensor dx = Tensor::zeros(from, dy.dtype(), dy.device()), kept = saved.get();
                      dispatch_activation(dy.dtype(), "pick", [&](auto zero) {
                          using T = decltype(zero);
                          kernels::map(
                              dy.device(), dy.numel(),
                              kernels::PickBackward<T>{dy.data<T>(), kept.data<std::int64_t>(), dx.data<T>(), columns});
                      });
                      return {dx};
                  });
}

Tensor place(const Tensor& values, const Tensor& index, std::int64_t columns) {
    ops::check_floating("place", "values", values);
    ops::check_rank("place", "values", values, 1, "[N]");
    RADIAL_CHECK(columns > 0, "place: {} columns, expected at least 1", columns);
    ops::check_labels("place", index, values.size(0), columns);
    ops::check_device("place", values, "index", index);
    const Tensor y = Tensor::zeros({values.size(0), columns}, values.dtype(), values.device());
    dispatch_activation(values.dtype(), "place", [&](auto zero) {
        using T = decltype(zero);
        kernels::map(values.device(), values.numel(),
                     kernels::PickBackward<T>{values.data<T>(), index.data<std::int64_t>(), y.data<T>(), columns});
    });
    return record("place", y, {values}, [saved = Saved(index, "place", "index")](const Tensor& dy, Needs) -> Grads {
        const NoGrad guard;
        return {pick(dy, saved.get())};
    });
}

Tensor class_sums(const Tensor& x, const Tensor& labels, std::int64_t classes) {
    ops::check_floating("class_sums", "the input", x);
    RADIAL_CHECK(x.rank() >= 1, "class_sums: input is {}, expected [N, ...]", x.shape().str());
    RADIAL_CHECK(classes > 0, "class_sums: {} classes, expected at least 1", classes);
    ops::check_labels("class_sums", labels, x.size(0), classes);
    ops::check_device("class_sums", x, "labels", labels);
    const Tensor source = x.to(Layout::row_major);
    Shape shape = x.shape();
    shape[0] = classes;
    const Tensor y = Tensor::zeros(shape, x.dtype(), x.device());
    dispatch_activation(x.dtype(), "class_sums",
                        [&](auto zero) { scatter_add<decltype(zero)>(source, labels, y, y.numel() / classes); });
    return record("class_sums", y, {x},
                  [saved = Saved(labels, "class_sums", "labels")](const Tensor& dy, Needs) -> Grads {
                      const NoGrad guard;
                      return {gather_rows(dy, saved.get())};
                  });
}
namespace {

// Throws Error unless `order` has each dimension of `x` once. Returns it with dimensions counted from the front.
std::vector<int> checked_order(const Tensor& x, const std::vector<int>& order) {
    const auto rank = static_cast<std::size_t>(x.rank());
    RADIAL_CHECK(order.size() == rank, "permute: order {{{}}} has {} dimensions, expected the {} of {}",
                 fmt::join(order, ", "), order.size(), rank, x.shape().str());
    std::vector<bool> seen(rank);
    std::vector<int> from_front;
    for (const int dim : order) {
        const int d = ops::checked_dim("permute", x, dim);
        RADIAL_CHECK(!seen[static_cast<std::size_t>(d)],
                     "permute: order {{{}}} repeats dimension {}, expected each of {} dimensions once",
                     fmt::join(order, ", "), dim, rank);
        seen[static_cast<std::size_t>(d)] = true;
        from_front.push_back(d);
    }
    return from_front;
}

// `x` with dimension order[d] as dimension d. Channels_last images whose channels stay dimension 1 keep their layout.
Tensor reordered(const Tensor& x, const std::vector<int>& order) {
    const std::vector<std::int64_t> strides = ops::memory_strides(x.shape(), x.layout());
    Shape shape = x.shape();
    std::vector<std::int64_t> steps;
    for (int d = 0; d < x.rank(); ++d) {
        const int from = order[static_cast<std::size_t>(d)];
        shape[d] = x.shape()[from];
        steps.push_back(strides[static_cast<std::size_t>(from)]);
    }
    const bool keep = x.layout() == Layout::channels_last && order[1] == 1;
    return ops::strided(x, 0, shape, steps, keep ? Layout::channels_last : Layout::row_major);
}

// `x` with a dimension of extent 1 removed or inserted. `strides` are those of its elements along the dimensions of
// `shape`.
Tensor reshaped(std::string_view op, const Tensor& x, const Shape& shape, const std::vector<std::int64_t>& strides,
                int dim) {
    return record(op, ops::strided(x, 0, shape, strides), {x},
                  [from = x.shape()](const Tensor& dy, Needs) -> Grads {
                      const NoGrad guard;
                      return {reshape(dy, from)};
                  },
                  {{"dim", dim}});
}

}  // namespace

Tensor permute(const Tensor& x, const std::vector<int>& order) {
    RADIAL_CHECK(x.defined(), "permute: the input is undefined");
    const std::vector<int> from = checked_order(x, order);
    std::vector<int> inverse(from.size()), listed(Shape::max_rank, -1);
    for (std::size_t d = 0; d < from.size(); ++d) {
        inverse[static_cast<std::size_t>(from[d])] = static_cast<int>(d);
        listed[d] = from[d];
    }
    return record("permute", reordered(x, from), {x},
                  [inverse](const Tensor& dy, Needs) -> Grads { return {reordered(dy, inverse)}; },
                  {{"rank", x.rank()},
                   {"order0", listed[0]},
                   {"order1", listed[1]},
                   {"order2", listed[2]},
                   {"order3", listed[3]},
                   {"order4", listed[4]},
                   {"order5", listed[5]}});
}

Tensor transpose(const Tensor& x, int dim0, int dim1) {
    RADIAL_CHECK(x.defined(), "transpose: the input is undefined");
    const int a = ops::checked_dim("transpose", x, dim0), b = ops::checked_dim("transpose", x, dim1);
    std::vector<int> order(static_cast<std::size_t>(x.rank()));
    std::iota(order.begin(), order.end(), 0);
    std::swap(order[static_cast<std::size_t>(a)], order[static_cast<std::size_t>(b)]);
    return permute(x, order);
}

Tensor squeeze(const Tensor& x, int dim) {
    RADIAL_CHECK(x.defined(), "squeeze: the input is undefined");
    const int axis = ops::checked_dim("squeeze", x, dim);
    RADIAL_CHECK(x.shape()[axis] == 1, "squeeze: dimension {} of {} has extent {}, expected 1", dim, x.shape().str(),
                 x.shape()[axis]);
    std::vector<std::int64_t> extents(x.shape().begin(), x.shape().end());
    std::vector<std::int64_t> strides = ops::memory_strides(x.shape(), x.layout());
    extents.erase(extents.begin() + axis);
    strides.erase(strides.begin() + axis);
    return reshaped("squeeze", x, Shape(std::span<const std::int64_t>(extents)), strides, axis);
}

Tensor unsqueeze(const Tensor& x, int dim) {
    RADIAL_CHECK(x.defined(), "unsqueeze: the input is undefined");
    RADIAL_CHECK(x.rank() < Shape::max_rank, "unsqueeze: {} has {} dimensions, expected less than {}", x.shape().str(),
                 x.rank(), Shape::max_rank);
    RADIAL_CHECK(dim >= -x.rank() - 1 && dim <= x.rank(), "unsqueeze: dimension {} for {}, expected within [{}, {}]",
                 dim, x.shape().str(), -x.rank() - 1, x.rank());
    const int axis = dim < 0 ? dim + x.rank() + 1 : dim;
    std::vector<std::int64_t> extents(x.shape().begin(), x.shape().end());
    std::vector<std::int64_t> strides = ops::memory_strides(x.shape(), x.layout());
    extents.insert(extents.begin() + axis, 1);
    strides.insert(strides.begin() + axis, 0);
    return reshaped("unsqueeze", x, Shape(std::span<const std::int64_t>(extents)), strides, axis);
}

}  // namespace radial
