// Copies between tensors with arbitrary strides.
#include "radial/core/ops/strided.h"

#include "radial/core/ops/common.h"
#include "radial/core/ops/kernels/strided.h"

#include <algorithm>
#include <cstdlib>

namespace radial::ops {
namespace {

/// Removes dimensions of extent 1, orders the others by their distance in the target, and joins those that are
/// contiguous in both tensors.
std::vector<Stride> simplified(std::vector<Stride> dims) {
    std::erase_if(dims, [](const Stride& dim) { return dim.extent == 1; });
    std::stable_sort(dims.begin(), dims.end(),
                     [](const Stride& a, const Stride& b) { return std::abs(a.to) > std::abs(b.to); });
    std::vector<Stride> joined;
    for (const Stride& dim : dims) {
        if (!joined.empty() && joined.back().from == dim.from * dim.extent && joined.back().to == dim.to * dim.extent) {
            joined.back() = {joined.back().extent * dim.extent, dim.from, dim.to};
        } else {
            joined.push_back(dim);
        }
    }
    return joined;
}

kernels::StridedRows rows_of(const std::vector<Stride>& dims) {
    kernels::StridedRows rows{};
    for (const Stride& dim : dims) {
        rows.extent[rows.rank] = dim.extent;
        rows.from[rows.rank] = dim.from;
        rows.to[rows.rank++] = dim.to;
    }
    return rows;
}

std::int64_t count_of(const std::vector<Stride>& dims) {
    std::int64_t count = 1;
    for (const Stride& dim : dims) count *= dim.extent;
    return count;
}

kernels::StridedDim dim_of(const Stride& dim) { return {dim.extent, dim.from, dim.to}; }

/// Removes the last dimension and returns it, or returns one of extent 1 if there is none.
Stride take_last(std::vector<Stride>& dims) {
    if (dims.empty()) return {1, 0, 1};
    const Stride last = dims.back();
    dims.pop_back();
    return last;
}

template <class T>
void copy_rows(Device device, const T* in, T* out, std::vector<Stride> dims) {
    constexpr std::int64_t short_row = 32;
    const Stride inner = take_last(dims);
    if (device.kind == Device::Kind::cuda && inner.extent < short_row) {
        kernels::map2(device, count_of(dims), inner.extent,
                      kernels::CopyStridedElements<T>{in, out, rows_of(dims), dim_of(inner)});
        return;
    }
    // Short rows are joined to planes, so that finding a row's start costs little per element.
    constexpr std::int64_t long_row = 256;
    const Stride outer = inner.extent < long_row && count_of(dims) > 1 ? take_last(dims) : Stride{1, 0, 0};
    kernels::rows(device, count_of(dims), outer.extent * inner.extent,
                  kernels::CopyStrided<T>{in, out, rows_of(dims), dim_of(outer), dim_of(inner)});
}

}  // namespace

std::vector<std::int64_t> memory_strides(const Shape& shape, Layout layout) {
    if (layout == Layout::channels_last) {
        return {shape[1] * shape[2] * shape[3], 1, shape[3] * shape[1], shape[1]};
    }
    const auto strides = shape.strides();
    return {strides.begin(), strides.begin() + shape.rank()};
}

void copy_strided(const Tensor& source, std::int64_t from, const Tensor& target, std::int64_t to,
                  std::vector<Stride> dims) {
    if (count_of(dims) == 0) return;
    dims = simplified(std::move(dims));
    const Device device = source.device();
    const auto across = std::find_if(dims.begin(), dims.end(), [](const Stride& dim) { return dim.from == 1; });
    constexpr std::int64_t narrow = 4;  // shorter dimensions are not transposed
    const bool transposes = across != dims.end() && across + 1 != dims.end() && dims.back().to == 1 &&
                            dims.back().from != 0 && across->extent >= narrow && dims.back().extent >= narrow;
    dispatch_all(source.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const T* const in = source.data<T>() + from;
        T* const out = target.data<T>() + to;
        if (!transposes) return copy_rows<T>(device, in, out, dims);
        using Transpose = kernels::TransposeStrided<T>;
        std::vector<Stride> rest = dims;
        const Stride inner = take_last(rest), column = *across;
        rest.erase(rest.begin() + (across - dims.begin()));
        const std::int64_t strips = (column.extent + Transpose::strip - 1) / Transpose::strip;
        kernels::rows(device, count_of(rest) * strips, Transpose::strip * inner.extent,
                      Transpose{in, out, rows_of(rest), dim_of(column), dim_of(inner)});
    });
}

Tensor strided(const Tensor& x, std::int64_t from, const Shape& shape, const std::vector<std::int64_t>& steps,
               Layout layout) {
    for (const Layout dense : {layout, Layout::row_major, Layout::channels_last}) {
        if (shape.numel() == 0 || (dense == Layout::channels_last && shape.rank() != 4)) continue;
        const std::vector<std::int64_t> wanted = memory_strides(shape, dense);
        bool same = true;
        for (int d = 0; d < shape.rank(); ++d) {
            const auto at = static_cast<std::size_t>(d);
            same = same && (shape[d] == 1 || steps[at] == wanted[at]);
        }
        if (!same) continue;
        const Tensor alias = x.detach();
        alias.impl()->shape = shape;
        alias.impl()->layout = dense;
        alias.impl()->offset += from;
        return alias;
    }
    const Tensor y = Tensor::empty(shape, x.dtype(), x.device(), layout);
    const std::vector<std::int64_t> to = memory_strides(shape, layout);
    std::vector<Stride> dims;
    for (int d = 0; d < shape.rank(); ++d) {
        const auto at = static_cast<std::size_t>(d);
        dims.push_back({shape[d], steps[at], to[at]});
    }
    copy_strided(x, from, y, 0, std::move(dims));
    return y;
}

}  // namespace radial::ops
