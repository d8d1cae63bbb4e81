// Sorting and selecting along a dimension. The CPU sorts each row serially, other devices use the kernels in
// kernels/sort.h; both give the same order.
#include "radial/core/ops/sort.h"

#include "radial/core/ops/common.h"
#include "radial/core/ops/kernels/sort.h"
#include "radial/core/tensor/types.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace radial {
namespace {

// The elements of x that are wanted: the first `keep` of each row.
struct Task {
    ops::Blocks blocks;
    std::int64_t keep;
    bool descending;

    std::int64_t row_count() const { return blocks.outer * blocks.inner; }
    kernels::SortRows rows() const { return {blocks.extent, blocks.inner}; }
};

// An element as one number of 64 bits: the key in the upper half, the place in the lower half. This has room only for
// the keys of float; those of double need Wide.
struct Packed {
    std::uint64_t bits;
    Packed() = default;
    Packed(std::uint32_t key, std::int64_t place)
        : bits(std::uint64_t{key} << 32 | static_cast<std::uint64_t>(place)) {}
    std::int64_t place() const { return static_cast<std::int64_t>(bits & 0xffffffffU); }
    std::uint32_t key() const { return static_cast<std::uint32_t>(bits >> 32); }
    bool operator<(const Packed& other) const { return bits < other.bits; }
};
struct Wide {
    std::uint64_t key_bits;
    std::int64_t at;
    Wide() = default;
    Wide(std::uint64_t key, std::int64_t place) : key_bits(key), at(place) {}
    std::int64_t place() const { return at; }
    bool operator<(const Wide& other) const { return std::pair(key_bits, at) < std::pair(other.key_bits, other.at); }
};

void sort_row(std::vector<Wide>& row, std::vector<Wide>&) { std::sort(row.begin(), row.end()); }

// Sorts by the key: short rows by comparison, others by a radix sort in three passes over the digits of the key.
void sort_row(std::vector<Packed>& row, std::vector<Packed>& other) {
    constexpr std::size_t few = 200;
    if (row.size() < few) return std::sort(row.begin(), row.end());
    constexpr int digits = 3, width = 11;
    constexpr std::uint32_t mask = (1U << width) - 1;
    std::array<std::array<std::uint32_t, mask + 1>, digits> starts{};
    for (const Packed& element : row)
        for (int d = 0; d < digits; ++d) ++starts[static_cast<std::size_t>(d)][element.key() >> (d * width) & mask];
    other.resize(row.size());
    for (int d = 0; d < digits; ++d) {
        auto& start = starts[static_cast<std::size_t>(d)];
        std::uint32_t total = 0;
        for (std::uint32_t& s : start) total += std::exchange(s, total);
        for (const Packed& element : row) other[start[element.key() >> (d * width) & mask]++] = element;
        row.swap(other);
    }
}

// Sorts or selects one row on the CPU.
template <class T>
struct HostRow {
    using Key = typename kernels::SortKey<T>::Key;
    using Element = std::conditional_t<sizeof(Key) == 4, Packed, Wide>;
    const T* in;
    T* values;
    std::int64_t* indices;
    kernels::SortRows rows;
    std::int64_t keep;
    kernels::SortKey<T> key_of;

    void operator()(std::int64_t row) const {
        thread_local std::vector<Element> elements, scratch;
        const T* const from = in + rows.start(row);
        constexpr std::int64_t small_share = 16;
        if (keep * small_share <= rows.extent) {
            select(from, elements);
        } else {
            elements.resize(static_cast<std::size_t>(rows.extent));
            for (std::int64_t e = 0; e < rows.extent; ++e)
                elements[static_cast<std::size_t>(e)] = {key_of(from[e * rows.inner]), e};
            sort_row(elements, scratch);
        }
        const std::int64_t first = kernels::SortRows{keep, rows.inner}.start(row);
        for (std::int64_t k = 0; k < keep; ++k) {
            const std::int64_t place = elements[static_cast<std::size_t>(k)].place();
            values[first + k * rows.inner] = from[place * rows.inner];
            indices[first + k * rows.inner] = place;
        }
    }

private:
    // Sets `best` to the first `keep` elements, sorted. Until the end it is a heap with the last of them in front, with
    // which each block of further elements is compared.
    void select(const T* from, std::vector<Element>& best) const {
        best.clear();
        if (keep == 0) return;
        const std::int64_t step = rows.inner;
        std::int64_t e = 0;
        for (; e < keep; ++e) best.emplace_back(key_of(from[e * step]), e);
        std::make_heap(best.begin(), best.end());
        constexpr std::int64_t block = 64;
        for (; e < rows.extent; e += block) {
            const std::int64_t end = std::min(e + block, rows.extent);
            const T* const last = from + best.front().place() * step;
            const bool none = step == 1 ? none_before<1>(from + e, end - e, *last, 1)
                                        : none_before<0>(from + e * step, end - e, *last, step);
            if (!none) insert(from, e, end, best);
        }
        std::sort_heap(best.begin(), best.end());
    }
    // Whether certainly none of `count` elements comes before `last`. Compares numbers, which is faster than computing
    // keys; false if one of them is NaN. The elements are `Step` apart, or `step` if Step is 0.
    template <int Step>
    bool none_before(const T* from, std::int64_t count, T last, std::int64_t step) const {
        using C = Compute<T>;
        const C sign = key_of.descending ? C{1} : C{-1}, bound = sign * kernels::convert<C>(last);
        int open = 0;
#pragma omp simd reduction(| : open)
        for (std::int64_t j = 0; j < count; ++j)
            open |= sign * kernels::convert<C>(from[Step == 1 ? j : j * step]) <= bound ? 0 : 1;
        return open == 0;
    }
    void insert(const T* from, std::int64_t begin, std::int64_t end, std::vector<Element>& best) const {
        for (std::int64_t e = begin; e < end; ++e) {
            const Element own{key_of(from[e * rows.inner]), e};
            if (!(own < best.front())) continue;
            std::pop_heap(best.begin(), best.end());
            best.back() = own;
            std::push_heap(best.begin(), best.end());
        }
    }
};

template <class T>
void sort_on_device(const Task& task, const T* in, T* values, std::int64_t* indices, Device device) {
    constexpr std::int64_t few = 24;  // selecting reads the row `keep` times, sorting writes it log2(extent) times
    const kernels::SortKey<T> key_of{task.descending};
    if (task.keep <= few && task.keep < task.blocks.extent) {
        return kernels::rows(device, task.row_count(), task.blocks.extent,
                             kernels::SelectRow<T>{in, values, indices, task.rows(), task.keep, key_of});
    }
    using Key = typename kernels::SortKey<T>::Key;
    const std::int64_t count = task.row_count() * task.blocks.extent;
    const DType key_type = sizeof(Key) == 4 ? DType::int32 : DType::int64;
    const Tensor keys = Tensor::empty({2, count}, key_type, device);
    const Tensor places = Tensor::empty({2, count}, DType::int64, device);
    Key* key = nullptr;  // unsigned numbers in the memory of signed ones
    if constexpr (sizeof(Key) == 4) {
        key = reinterpret_cast<Key*>(keys.data<std::int32_t>());
    } else {
        key = reinterpret_cast<Key*>(keys.data<std::int64_t>());
    }
    std::int64_t* const place = places.data<std::int64_t>();
    kernels::rows(device, task.row_count(), task.blocks.extent,
                  kernels::MergeSortRow<T>{in, values, indices, key, key + count, place, place + count, task.rows(),
                                           task.keep, key_of});
}

// The first `keep` elements of each row of `plain` (row-major).
void first_of_rows(std::string_view op, const Tensor& plain, const Task& task, const Sorted& result) {
    dispatch_activation(plain.dtype(), op, [&](auto zero) {
        using T = decltype(zero);
        const T* const in = plain.data<const T>();
        T* const values = result.values.data<T>();
        std::int64_t* const indices = result.indices.data<std::int64_t>();
        if (plain.device().kind != Device::Kind::cpu)
            return sort_on_device<T>(task, in, values, indices, plain.device());
        RADIAL_CHECK(task.blocks.extent <= std::int64_t{0xffffffff},
                     "{}: {} elements along the dimension, expected at most {}", op, task.blocks.extent,
                     std::int64_t{0xffffffff});
        const HostRow<T> row{in, values, indices, task.rows(), task.keep, {task.descending}};
        constexpr std::int64_t cost = 8;  // of an element
        kernels::host::rows(task.row_count(), task.blocks.extent * cost, row);
    });
}

Sorted sorted(std::string_view op, const Tensor& x, int axis, std::int64_t keep, bool descending) {
    const Tensor plain = x.to(Layout::row_major);
    Shape shape = x.shape();
    shape[axis] = keep;
    const Sorted result{Tensor::empty(shape, x.dtype(), x.device()), Tensor::empty(shape, DType::int64, x.device())};
    const Task task{ops::blocks_around(plain, axis), keep, descending};
    if (shape.numel() > 0) first_of_rows(op, plain, task, result);
    const auto gradient = [saved = Saved(result.indices, op, "indices"), task, op, from = x.shape()](const Tensor& dy,
                                                                                                     Needs) -> Grads {
        const Tensor places = saved.get(), grad = dy.to(Layout::row_major);
        const Tensor dx = Tensor::zeros(from, dy.dtype(), dy.device());
        dispatch_activation(dy.dtype(), op, [&](auto zero) {
            using T = decltype(zero);
            if (grad.numel() == 0) return;
            kernels::map2(dy.device(), task.blocks.outer * task.keep, task.blocks.inner,
                          kernels::ScatterSorted<T>{grad.data<const T>(), places.data<const std::int64_t>(),
                                                    dx.data<T>(), task.rows(), task.keep});
        });
        return {dx};
    };
    return {record(op, result.values, {x}, gradient, {{"dim", axis}, {"keep", keep}, {"descending", descending}}),
            result.indices};
}

}  // namespace

Sorted sort(const Tensor& x, int dim, bool descending) {
    ops::check_floating("sort", "the input", x);
    const int axis = ops::checked_dim("sort", x, dim);
    return sorted("sort", x, axis, x.shape()[axis], descending);
}

Tensor argsort(const Tensor& x, int dim, bool descending) {
    ops::check_floating("argsort", "the input", x);
    const int axis = ops::checked_dim("argsort", x, dim);
    const NoGrad guard;
    return sorted("argsort", x, axis, x.shape()[axis], descending).indices;
}

Sorted topk(const Tensor& x, std::int64_t k, int dim, bool largest) {
    ops::check_floating("topk", "the input", x);
    const int axis = ops::checked_dim("topk", x, dim);
    RADIAL_CHECK(k >= 0 && k <= x.shape()[axis], "topk: k is {}, but dimension {} of {} has {} elements", k, dim,
                 x.shape().str(), x.shape()[axis]);
    return sorted("topk", x, axis, k, largest);
}

}  // namespace radial
