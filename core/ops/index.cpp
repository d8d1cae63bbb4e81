// Ops that read and write elements at positions in an index tensor.
#include "radial/core/ops/index.h"

#include "radial/core/ops/common.h"
#include "radial/core/ops/kernels/index.h"

#include <utility>

namespace radial {
namespace {

// Throws Error if an index is outside [0, count) and the host can read it. On a device, the next synchronize() reports
// the fault.
void check_index(std::string_view op, const Tensor& index, std::int64_t count) {
    RADIAL_CHECK(count > 0 || index.numel() == 0, "{}: {} elements asked of a dimension that has none", op,
                 index.numel());
    const Device device = index.device();
    if (device.kind == Device::Kind::cuda) {
        kernels::rows(
            device, 1, index.numel(),
            kernels::CheckRange{index.data<std::int64_t>(), index.numel(), count, device::fault(device.index)});
        return;
    }
    const auto values = index.values<std::int64_t>();
    bool wrong = false;
    for (const std::int64_t i : values) wrong |= i < 0 || i >= count;  // without a branch, so that it is vectorised
    if (!wrong) return;
    for (const std::int64_t i : values)
        RADIAL_CHECK(i >= 0 && i < count, "{}: index {} is outside [0, {})", op, i, count);
}

// Throws Error unless `index` fits gather(x, dim, index). Returns the dimension counted from the front.
int checked_index(std::string_view op, const Tensor& x, int dim, const Tensor& index) {
    RADIAL_CHECK(x.defined(), "{}: the input is undefined", op);
    const int axis = ops::checked_dim(op, x, dim);
    RADIAL_CHECK(index.defined() && index.dtype() == DType::int64 && index.rank() == x.rank(),
                 "{}: index is {}, expected int64 of rank {}", op, index.defined() ? index.str() : "undefined",
                 x.rank());
    ops::check_device(op, x, "index", index);
    for (int d = 0; d < x.rank(); ++d)
        RADIAL_CHECK(d == axis || index.shape()[d] <= x.shape()[d],
                     "{}: index {} exceeds the input {} in dimension {}, expected only in {}", op, index.shape().str(),
                     x.shape().str(), d, axis);
    check_index(op, index, x.shape()[axis]);
    return axis;
}

// The loops over an index tensor and over a tensor of the shape `places`, both row-major. A line runs along the indexed
// dimension; adjacent lines form a row.
struct Lines {
    kernels::StridedRows rows{};  // offsets in the index (from) and places (to), over all dimensions but two
    std::int64_t row_count = 1, lines = 1, line_step = 0;
    std::int64_t count, value_step, extent, place_step;
};

Lines lines_along(const Shape& index, const Shape& places, int axis) {
    const auto from = index.strides(), to = places.strides();
    const auto along = static_cast<std::size_t>(axis);
    Lines result{};
    result.count = index[axis];
    result.value_step = from[along];
    result.extent = places[axis];
    result.place_step = to[along];
    const int last = index.rank() - 1;
    for (int d = 0; d <= last; ++d) {
        const auto at = static_cast<std::size_t>(d);
        if (d == axis) continue;
        if (d == last) {
            result.lines = index[d];
            result.line_step = to[at];
            continue;
        }
        auto& rows = result.rows;
        rows.extent[rows.rank] = index[d];
        rows.from[rows.rank] = from[at];
        rows.to[rows.rank++] = to[at];
        result.row_count *= index[d];
    }
    return result;
}

// Calls Op for all values. `values` has the shape of `index`, or if all lines share the index, the shape that `lines`
// describes.
template <template <class> class Op>
void scatter_lines(const Tensor& values, const Tensor& index, const Tensor& places, const Lines& lines, bool shared) {
    if (values.numel() == 0) return;
    dispatch_all(values.dtype(), [&](auto zero) {
        using T = decltype(zero);
        using Kernel = kernels::ScatterLines<T, Op<T>>;
        const std::int64_t ranges = (lines.lines + Kernel::range - 1) / Kernel::range;
        kernels::rows(places.device(), lines.row_count * ranges, std::min(lines.lines, Kernel::range),
                      Kernel{values.data<T>(), index.data<std::int64_t>(), places.data<T>(), lines.rows, lines.lines,
                             lines.line_step, lines.count, lines.value_step, lines.extent, lines.place_step, shared},
                      lines.count);
    });
}

template <template <class> class Op>
void scatter_into(const Tensor& places, int axis, const Tensor& index, const Tensor& values) {
    scatter_lines<Op>(values, index, places, lines_along(index.shape(), places.shape(), axis), false);
}

// Adds values [outer, count, inner] to the places [outer, extent, inner] at `index` [count].
void add_selected(const Tensor& values, const Tensor& index, const Tensor& places, int axis) {
    const ops::Blocks from = ops::blocks_around(values, axis), to = ops::blocks_around(places, axis);
    Lines lines{};
    lines.rows.rank = 1;
    lines.rows.extent[0] = lines.row_count = from.outer;
    lines.rows.from[0] = from.extent * from.inner;
    lines.rows.to[0] = to.extent * to.inner;
    lines.lines = from.inner;
    lines.line_step = 1;
    lines.count = from.extent;
    lines.extent = to.extent;
    lines.value_step = lines.place_step = from.inner;
    scatter_lines<kernels::AddValue>(values, index, places, lines, true);
}

// Returns `places` with `values` added at `index`. Overwrites `places` unless it is bfloat16, for which the sums are
// computed in a float32 copy.
Tensor added(const Tensor& places, int axis, const Tensor& index, const Tensor& values) {
    const DType dtype = places.dtype(), wide = dtype == DType::bfloat16 ? DType::float32 : dtype;
    const Tensor sums = places.to(wide);
    scatter_into<kernels::AddValue>(sums, axis, index, values.to(Layout::row_major).to(wide));
    return sums.to(dtype);
}

Tensor gathered(const Tensor& x, int axis, const Tensor& index) {
    const Tensor source = x.to(Layout::row_major);
    const Tensor y = Tensor::empty(index.shape(), x.dtype(), x.device());
    if (y.numel() == 0) return y;
    const Shape& shape = index.shape();
    const auto from = source.shape().strides(), to = shape.strides();
    const int last = shape.rank() - 1;
    kernels::StridedRows rows{};
    for (int d = 0; d < last; ++d) {
        const auto at = static_cast<std::size_t>(d);
        rows.extent[rows.rank] = shape[d];
        rows.from[rows.rank] = d == axis ? 0 : from[at];
        rows.to[rows.rank++] = to[at];
    }
    dispatch_all(x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(
            x.device(), y.numel() / shape[last], shape[last],
            kernels::Gather<T>{source.data<T>(), index.data<std::int64_t>(), y.data<T>(), rows, shape[last],
                               last == axis ? 0 : 1, source.shape()[axis], from[static_cast<std::size_t>(axis)]});
    });
    return y;
}

// Throws Error unless `source` has the shape of `index` and the type of `x`.
void check_source(std::string_view op, const Tensor& x, const Tensor& index, const Tensor& source) {
    ops::check_alike(op, x, "the source", source);
    RADIAL_CHECK(source.shape() == index.shape(), "{}: the source is {}, expected the shape {} of the index", op,
                 source.shape().str(), index.shape().str());
}

}  // namespace

Tensor gather(const Tensor& x, int dim, const Tensor& index) {
    const int axis = checked_index("gather", x, dim, index);
    const Tensor at = index.to(Layout::row_major);
    return record("gather", gathered(x, axis, at), {x},
                  [axis, saved = Saved(at, "gather", "index"), from = x.shape()](const Tensor& dy, Needs) -> Grads {
                      return {added(Tensor::zeros(from, dy.dtype(), dy.device()), axis, saved.get(), dy)};
                  },
                  {{"dim", axis}});
}

Tensor scatter_add(const Tensor& x, int dim, const Tensor& index, const Tensor& source) {
    const int axis = checked_index("scatter_add", x, dim, index);
    ops::check_floating("scatter_add", "the input", x);
    check_source("scatter_add", x, index, source);
    const Tensor at = index.to(Layout::row_major);
    return record("scatter_add", added(x.to(Layout::row_major).clone(), axis, at, source), {x, source},
                  [axis, saved = Saved(at, "scatter_add", "index")](const Tensor& dy, Needs needs) -> Grads {
                      return {needs[0] ? dy : Tensor(), needs[1] ? gathered(dy, axis, saved.get()) : Tensor()};
                  },
                  {{"dim", axis}});
}

Tensor scatter(const Tensor& x, int dim, const Tensor& index, const Tensor& source) {
    const int axis = checked_index("scatter", x, dim, index);
    check_source("scatter", x, index, source);
    const Tensor at = index.to(Layout::row_major), y = x.to(Layout::row_major).clone();
    scatter_into<kernels::PutValue>(y, axis, at, source.to(Layout::row_major));
    return record("scatter", y, {x, source},
                  [axis, saved = Saved(at, "scatter", "index")](const Tensor& dy, Needs) -> Grads {
                      const Tensor kept = saved.get(), dx = dy.to(Layout::row_major).clone();
                      const Tensor taken = Tensor::zeros(kept.shape(), dy.dtype(), dy.device());
                      scatter_into<kernels::TakeValue>(dx, axis, kept, taken);
                      return {dx, taken};
                  },
                  {{"dim", axis}});
}

Tensor index_select(const Tensor& x, int dim, const Tensor& index) {
    RADIAL_CHECK(x.defined(), "index_select: the input is undefined");
    const int axis = ops::checked_dim("index_select", x, dim);
    RADIAL_CHECK(index.defined() && index.dtype() == DType::int64 && index.rank() == 1,
                 "index_select: index is {}, expected int64[M]", index.defined() ? index.str() : "undefined");
    ops::check_device("index_select", x, "index", index);
    check_index("index_select", index, x.shape()[axis]);
    Shape shape = x.shape();
    shape[axis] = index.numel();
    const Tensor y = Tensor::empty(shape, x.dtype(), x.device(), x.layout());
    if (y.numel() > 0) {
        constexpr std::int64_t elements = 1024;  // of a row
        const ops::Blocks blocks = ops::blocks_around(x, axis);
        const std::int64_t count = index.numel(), part = std::max<std::int64_t>(1, elements / blocks.inner);
        dispatch_all(x.dtype(), [&](auto zero) {
            using T = decltype(zero);
            kernels::rows(x.device(), blocks.outer * ((count + part - 1) / part), part * blocks.inner,
                          kernels::SelectBlocks<T>{x.data<T>(), index.data<std::int64_t>(), y.data<T>(), count,
                                                   blocks.extent, blocks.inner, part});
        });
    }
    return record(
        "index_select", y, {x},
        [axis, saved = Saved(index, "index_select", "index"), from = x.shape()](const Tensor& dy, Needs) -> Grads {
            const bool wide = dy.dtype() == DType::bfloat16;
            const Tensor values = wide ? dy.to(DType::float32) : dy;
            const Tensor dx = Tensor::empty(from, values.dtype(), dy.device(), dy.layout());
            dx.fill_(0);
            add_selected(values, saved.get(), dx, axis);
            return {dx.to(dy.dtype())};
        },
        {{"dim", axis}});
}

Tensor masked_fill(const Tensor& x, const Tensor& mask, double value) {
    ops::check_floating("masked_fill", "the input", x);
    ops::check_alike("masked_fill", x, "the mask", mask);
    RADIAL_CHECK(ops::broadcast_shape("masked_fill", x.shape(), mask.shape()) == x.shape(),
                 "masked_fill: the mask {} does not broadcast to the input {}", mask.shape().str(), x.shape().str());
    const auto fill = [](const Tensor& given, const Tensor& kept, double number) {
        const Tensor y = Tensor::empty_like(given);
        if (y.numel() == 0) return y;
        const Tensor chosen = kept.to(kept.shape() == given.shape() ? given.layout() : Layout::row_major);
        dispatch_activation(given.dtype(), "masked_fill", [&](auto zero) {
            using T = decltype(zero);
            const kernels::FillMasked f{number};
            if (kept.shape() == given.shape()) {
                ops::apply(given.device(), y.numel(), f, given.data<const T>(), chosen.data<const T>(), y.data<T>());
            } else {
                const kernels::Stretch at = ops::stretch(kept.shape(), given.shape(), given.layout());
                kernels::rows(given.device(), y.numel() / at.inner, at.inner,
                              kernels::BinaryStretched<T, kernels::FillMasked>{
                                  {f}, given.data<T>(), chosen.data<T>(), y.data<T>(), at});
            }
        });
        return y;
    };
    return record("masked_fill", fill(x, mask, value), {x},
                  [fill, saved = Saved(mask, "masked_fill", "mask")](const Tensor& dy, Needs) -> Grads {
                      return {fill(dy, saved.get(), 0)};
                  },
                  {{"value", value}});
}

Tensor one_hot(const Tensor& labels, std::int64_t classes, DType dtype) {
    RADIAL_CHECK(labels.defined() && labels.dtype() == DType::int64, "one_hot: labels are {}, expected int64",
                 labels.defined() ? labels.str() : "undefined");
    RADIAL_CHECK(classes > 0, "one_hot: {} classes, expected at least 1", classes);
    RADIAL_CHECK(labels.rank() < Shape::max_rank, "one_hot: labels are {}, expected less than {} dimensions",
                 labels.str(), Shape::max_rank);
    const Tensor flat = labels.to(Layout::row_major).view({labels.numel()});
    ops::check_labels("one_hot", flat, flat.numel(), classes);
    std::vector<std::int64_t> extents(labels.shape().begin(), labels.shape().end());
    extents.push_back(classes);
    const Tensor y = Tensor::empty(Shape(std::span<const std::int64_t>(extents)), dtype, labels.device());
    dispatch_all(dtype, [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(y.device(), flat.numel(), classes,
                      kernels::OneHot<T>{flat.data<std::int64_t>(), y.data<T>(), classes});
    });
    return y;
}

}  // namespace radial
