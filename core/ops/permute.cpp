// Ops that reorder, insert and remove dimensions.
#include "radial/core/ops/shape.h"

#include "radial/core/ops/common.h"
#include "radial/core/ops/strided.h"

#include <fmt/ranges.h>

#include <utility>

namespace radial {
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

// `x` with one dimension of extent 1 less or more; `strides` are those of its elements along the dimensions of `shape`.
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
    std::vector<int> order;
    for (int d = 0; d < x.rank(); ++d) order.push_back(d == a ? b : d == b ? a : d);
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
