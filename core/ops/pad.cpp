// Ops that extend, shift or repeat a tensor along its dimensions: pad, roll, repeat.
#include "radial/core/ops/kernels/pad.h"
#include "radial/core/ops/common.h"
#include "radial/core/ops/strided.h"

#include <numeric>
#include <utility>

namespace radial {
namespace {

using kernels::Beyond;
using kernels::PaddedDim;

// One dimension of a call: the extent of the result, and the number of elements before the first of the source.
struct Extension {
    std::int64_t extent, before;
};

// The logical dimensions in the order of memory.
std::vector<int> memory_order(int rank, Layout layout) {
    if (layout == Layout::channels_last) return {0, 2, 3, 1};
    std::vector<int> order(static_cast<std::size_t>(rank));
    std::iota(order.begin(), order.end(), 0);
    return order;
}

// The dimensions in the order of memory; consecutive ones that are not extended are joined.
std::vector<PaddedDim> padded_dims(const Tensor& x, const std::vector<Extension>& extensions) {
    std::vector<PaddedDim> dims;
    bool joins = false;
    const auto strides = ops::memory_strides(x.shape(), x.layout());
    for (const int d : memory_order(x.rank(), x.layout())) {
        const auto at = static_cast<std::size_t>(d);
        const std::int64_t size = x.shape()[d];
        const bool same = extensions[at].extent == size && extensions[at].before == 0;
        if (same && joins) {
            PaddedDim& last = dims.back();
            last = {last.extent * size, last.size * size, 0, strides[at]};
        } else {
            dims.push_back({extensions[at].extent, size, extensions[at].before, strides[at]});
        }
        joins = same;
    }
    return dims;
}

// `x` extended along its dimensions, in its layout.
Tensor extended(const Tensor& x, const std::vector<Extension>& extensions, Beyond mode, double value) {
    Shape shape = x.shape();
    for (int d = 0; d < x.rank(); ++d) shape[d] = extensions[static_cast<std::size_t>(d)].extent;
    const Tensor y = Tensor::empty(shape, x.dtype(), x.device(), x.layout());
    if (y.numel() == 0) return y;
    std::vector<PaddedDim> dims = padded_dims(x, extensions);
    while (dims.size() < 2) dims.insert(dims.begin(), {1, 1, 0, 0});
    dispatch_all(x.dtype(), [&](auto zero) {
        using T = decltype(zero);
        kernels::Pad<T> pad{};
        pad.in = x.data<T>();
        pad.out = y.data<T>();
        pad.mode = mode;
        pad.value = kernels::convert<T>(value);
        pad.inner = dims.back();
        pad.outer = dims[dims.size() - 2];
        pad.rank = static_cast<std::int64_t>(dims.size()) - 2;
        std::copy(dims.begin(), dims.end() - 2, pad.dims);
        const std::int64_t plane = pad.outer.extent * pad.inner.extent;
        kernels::rows(x.device(), y.numel() / plane, plane, pad);
    });
    return y;
}

// The adjoint of extended(), one dimension after another.
Tensor reduced(const Tensor& dy, const Shape& shape, const std::vector<Extension>& extensions, Beyond mode) {
    if (shape.numel() == 0) return Tensor::zeros(shape, dy.dtype(), dy.device());
    // The sums over one dimension are the terms of the next, so they are not rounded to bfloat16.
    Tensor sums = dy.dtype() == DType::bfloat16 ? dy.to(DType::float32) : dy;
    for (int d = 0; d < shape.rank(); ++d) {
        const auto& [extent, before] = extensions[static_cast<std::size_t>(d)];
        if (extent == shape[d] && before == 0) continue;
        Shape smaller = sums.shape();
        smaller[d] = shape[d];
        const Tensor next = Tensor::empty(smaller, sums.dtype(), sums.device(), sums.layout());
        const ops::Blocks blocks = ops::blocks_around(sums, d);
        const std::int64_t rows = blocks.outer * (blocks.inner == 1 ? 1 : shape[d]);
        dispatch_floating(sums.dtype(), "pad", [&, first = before](auto zero) {
            using T = decltype(zero);
            kernels::rows(sums.device(), rows, blocks.inner == 1 ? shape[d] : blocks.inner,
                          kernels::PadAdjoint<T>{sums.data<T>(), next.data<T>(), blocks.extent, shape[d], first,
                                                 blocks.inner, mode});
        });
        sums = next;
    }
    return sums.to(dy.dtype());
}

// The part of `dy` that is not padding: the adjoint of padding with a constant.
Tensor interior(const Tensor& dy, const Shape& shape, const std::vector<Extension>& extensions) {
    const auto strides = ops::memory_strides(dy.shape(), dy.layout());
    std::int64_t from = 0;
    for (std::size_t d = 0; d < extensions.size(); ++d) from += extensions[d].before * strides[d];
    return ops::strided(dy, from, shape, strides, dy.layout());
}

// Throws Error unless `mode` can fill the padding of a dimension of `size` elements.
void check_padding(const Padding& padding, PadMode mode, int dim, const Shape& shape) {
    const std::int64_t size = shape[dim];
    RADIAL_CHECK(padding.before >= 0 && padding.after >= 0,
                 "pad: padding {{{}, {}}} of dimension {}, expected at "
                 "least 0",
                 padding.before, padding.after, dim);
    const std::int64_t larger = std::max(padding.before, padding.after);
    RADIAL_CHECK(mode == PadMode::constant || size > 0 || larger == 0,
                 "pad: dimension {} of {} has no elements to fill the padding with", dim, shape.str());
    RADIAL_CHECK(mode != PadMode::reflect || larger == 0 || larger < size,
                 "pad: padding {{{}, {}}} of dimension {} of {}, expected below the extent {} for reflect",
                 padding.before, padding.after, dim, shape.str(), size);
}

double pad_of(const std::vector<Padding>& padding, std::size_t dim, bool after) {
    if (dim >= padding.size()) return 0;
    return static_cast<double>(after ? padding[dim].after : padding[dim].before);
}

}  // namespace

Tensor pad(const Tensor& x, const std::vector<Padding>& padding, const PadOptions& options) {
    RADIAL_CHECK(x.defined(), "pad: the input is undefined");
    RADIAL_CHECK(padding.size() == static_cast<std::size_t>(x.rank()),
                 "pad: padding of {} dimensions, expected the {} of {}", padding.size(), x.rank(), x.shape().str());
    std::vector<Extension> extensions;
    for (int d = 0; d < x.rank(); ++d) {
        const Padding& own = padding[static_cast<std::size_t>(d)];
        check_padding(own, options.mode, d, x.shape());
        extensions.push_back({own.before + x.shape()[d] + own.after, own.before});
    }
    const auto mode = static_cast<Beyond>(options.mode);
    const BackwardFn backward = [extensions, mode, shape = x.shape()](const Tensor& dy, Needs) -> Grads {
        if (mode == Beyond::constant) return {interior(dy, shape, extensions)};
        return {reduced(dy, shape, extensions, mode)};
    };
    return record("pad", extended(x, extensions, mode, options.value), {x}, backward,
                  {{"mode", static_cast<int>(options.mode)},
                   {"value", options.value},
                   {"before0", pad_of(padding, 0, false)},
                   {"before1", pad_of(padding, 1, false)},
                   {"before2", pad_of(padding, 2, false)},
                   {"before3", pad_of(padding, 3, false)},
                   {"before4", pad_of(padding, 4, false)},
                   {"before5", pad_of(padding, 5, false)},
                   {"after0", pad_of(padding, 0, true)},
                   {"after1", pad_of(padding, 1, true)},
                   {"after2", pad_of(padding, 2, true)},
                   {"after3", pad_of(padding, 3, true)},
                   {"after4", pad_of(padding, 4, true)},
                   {"after5", pad_of(padding, 5, true)}});
}

Tensor roll(const Tensor& x, const std::vector<std::int64_t>& shifts, const std::vector<int>& dims) {
    RADIAL_CHECK(x.defined(), "roll: the input is undefined");
    RADIAL_CHECK(shifts.size() == dims.size(), "roll: {} shifts for {} dimensions", shifts.size(), dims.size());
    std::vector<Extension> forward, back;
    for (const std::int64_t extent : x.shape()) forward.push_back({extent, 0});
    for (std::size_t i = 0; i < dims.size(); ++i) {
        Extension& dim = forward[static_cast<std::size_t>(ops::checked_dim("roll", x, dims[i]))];
        if (dim.extent > 0) dim.before = ((dim.before + shifts[i] % dim.extent) % dim.extent + dim.extent) % dim.extent;
    }
    for (const Extension& dim : forward) back.push_back({dim.extent, dim.before == 0 ? 0 : dim.extent - dim.before});
    const auto shift = [&](std::size_t d) { return d < forward.size() ? forward[d].before : 0; };
    return record("roll", extended(x, forward, Beyond::circular, 0), {x},
                  [back](const Tensor& dy, Needs) -> Grads { return {extended(dy, back, Beyond::circular, 0)}; },
                  {{"shift0", shift(0)},
                   {"shift1", shift(1)},
                   {"shift2", shift(2)},
                   {"shift3", shift(3)},
                   {"shift4", shift(4)},
                   {"shift5", shift(5)}});
}

Tensor repeat(const Tensor& x, const std::vector<std::int64_t>& counts) {
    RADIAL_CHECK(x.defined(), "repeat: the input is undefined");
    const auto rank = std::max(counts.size(), static_cast<std::size_t>(x.rank()));
    RADIAL_CHECK(rank <= Shape::max_rank, "repeat: {} counts, expected at most {}", counts.size(), Shape::max_rank);
    for (const std::int64_t count : counts) RADIAL_CHECK(count >= 0, "repeat: count {}, expected at least 0", count);
    if (rank > static_cast<std::size_t>(x.rank())) {
        std::vector<std::int64_t> extents(rank - static_cast<std::size_t>(x.rank()), 1);
        extents.insert(extents.end(), x.shape().begin(), x.shape().end());
        return repeat(reshape(x, Shape(std::span<const std::int64_t>(extents))), counts);
    }
    std::vector<Extension> extensions;
    for (const std::int64_t extent : x.shape()) extensions.push_back({extent, 0});
    for (std::size_t i = 0; i < counts.size(); ++i) extensions[rank - counts.size() + i].extent *= counts[i];
    const auto count = [&](std::size_t d) {
        return d >= rank || x.shape()[static_cast<int>(d)] == 0 ? 1
                                                                : extensions[d].extent / x.shape()[static_cast<int>(d)];
    };
    return record("repeat", extended(x, extensions, Beyond::circular, 0), {x},
                  [extensions, shape = x.shape()](const Tensor& dy, Needs) -> Grads {
                      return {reduced(dy, shape, extensions, Beyond::circular)};
                  },
                  {{"count0", count(0)},
                   {"count1", count(1)},
                   {"count2", count(2)},
                   {"count3", count(3)},
                   {"count4", count(4)},
                   {"count5", count(5)}});
}

}  // namespace radial
