// Implements the functions of launch.h on a device in terms of a Launcher. Each call becomes one or more launches,
// whose blocks and lanes are the same in cuda/ and emulated/.
//
// A Launcher (cuda/launch.h or emulated/launch.h) has
//   map(index, count, f)                              f(i)
//   rows<W>(index, count, f)                          f(team of W lanes, row)
//   columns<MostLanes>(index, rows, columns, plan, f, store)
//                                                     store(chunk, c, sum over the chunk's r of f(r, c))
//   list(index, list, blocks, f)                      f(item, i)
//   list_sums(index, list, blocks, f, partial)        partial[block] = sum of f(item, i) over the block's elements
#pragma once

#include "radial/core/kernels/values.h"
#include "radial/core/memory/storage.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>

namespace radial::kernels {

/// Lanes (threads) per block unless a kernel needs another number.
inline constexpr int block_lanes = 256;
inline constexpr int narrow_team = 32, wide_team = 256;  ///< lanes of a team for a short row and for a long row
inline constexpr std::int64_t narrow_row = 128;  ///< longest row, in elements, that a narrow team (one warp) works on

/// The division of column sums into blocks: a block has `lanes_x` by `lanes_y` lanes along columns and rows, and sums
/// `chunk` rows.
struct ColumnPlan {
    int lanes_x, lanes_y;                       ///< lanes of a block along columns and rows
    std::int64_t column_blocks, chunk, chunks;  ///< blocks along columns, rows of a chunk, number of chunks
};

/// Returns the plan for blocks of `lanes` lanes. The plan aims at `blocks` blocks and depends only on the sizes.
inline ColumnPlan plan_columns(std::int64_t rows, std::int64_t columns, int lanes, std::int64_t blocks) {
    ColumnPlan plan{1, lanes, 1, rows, 1};
    while (plan.lanes_x < 32 && plan.lanes_x < columns) plan.lanes_x *= 2;
    plan.lanes_y = lanes / plan.lanes_x;
    plan.column_blocks = (columns + plan.lanes_x - 1) / plan.lanes_x;
    const std::int64_t wanted = std::max<std::int64_t>(1, blocks / plan.column_blocks);
    // A chunk has at least four rows per lane; fewer are not worth a block.
    plan.chunk = std::max<std::int64_t>((rows + wanted - 1) / wanted, std::int64_t{4} * plan.lanes_y);
    plan.chunks = std::max<std::int64_t>(1, (rows + plan.chunk - 1) / plan.chunk);
    return plan;
}
/// Number of blocks of the first pass, chosen to fill the device. The second pass has one block per group of columns.
inline constexpr std::int64_t first_pass_blocks = 1056;
inline constexpr int second_pass_lanes = 1024;  ///< lanes per block of the second pass

/// Elements of one tensor that a block processes in a launch over many tensors.
inline constexpr std::int64_t list_chunk = 4096;
/// The largest size, in bytes, of the tensor descriptions in the arguments of one launch. A device allows 32,764 bytes
/// of arguments.
inline constexpr std::size_t list_bytes = 30000;

/// Descriptions of several tensors, passed to a launch by value.
template <class Item>
struct ItemList {
    /// The largest number of items.
    static constexpr int capacity = static_cast<int>(list_bytes / (sizeof(Item) + sizeof(std::int32_t)));
    Item items[capacity];         ///< the descriptions
    std::int32_t ends[capacity];  ///< ends[k]: total number of blocks of items 0 to k
    int size = 0;                 ///< number of items

    /// Moves items from the front of `rest` into this list until it is full. Returns the number of blocks.
    std::int32_t take(std::span<const Item>& rest) {
        std::int32_t blocks = 0;
        for (size = 0; size < capacity && !rest.empty(); rest = rest.subspan(1)) {
            blocks += static_cast<std::int32_t>((rest.front().count + list_chunk - 1) / list_chunk);
            items[size] = rest.front();
            ends[size++] = blocks;
        }
        return blocks;
    }
};

}  // namespace radial::kernels

namespace radial::kernels::on_device {

/// Computes the two indices of f(o, i) from the single index of a launch. Index is a 32-bit type if the index fits in
/// one, because the division is expensive.
template <class F, class Index>
struct Unflatten {
    F f;
    Index inner;
    RADIAL_HD void operator()(std::int64_t flat) const {
        const Index at = static_cast<Index>(flat), outer = at / inner;
        f(static_cast<std::int64_t>(outer), static_cast<std::int64_t>(at - outer * inner));
    }
};

template <class F>
struct AsDouble {
    F f;
    RADIAL_HD double operator()(std::int64_t r, std::int64_t) const { return static_cast<double>(f(r)); }
};

/// First pass of a sum over columns: stores one number per chunk and column.
template <class V>
struct StorePartial {
    V* partial;
    std::int64_t columns;
    RADIAL_HD void operator()(std::int64_t chunk, std::int64_t c, const V& sum) const {
        partial[chunk * columns + c] = sum;
    }
};
/// Second pass: reads the partial sums of the first pass, converted to the wider type.
template <class V>
struct ReadPartial {
    const V* partial;
    std::int64_t columns;
    RADIAL_HD Wide<V> operator()(std::int64_t chunk, std::int64_t c) const {
        return WideOf<V>::widen(partial[chunk * columns + c]);
    }
};
template <class S, class W>
struct StoreTotal {
    S store;
    RADIAL_HD void operator()(std::int64_t, std::int64_t c, const W& total) const { store(c, total); }
};

template <class T>
struct StoreScaled {
    T* out;
    double factor;
    RADIAL_HD void operator()(std::int64_t, double total) const { *out = static_cast<T>(factor * total); }
};
struct ReadNumbers {
    const double* numbers;
    RADIAL_HD double operator()(std::int64_t i) const { return numbers[i]; }
};

template <class L, class F>
void map(int index, std::int64_t count, const F& f) {
    L::map(index, count, f);
}

template <class L, class F>
void map2(int index, std::int64_t outer, std::int64_t inner, const F& f) {
    const std::int64_t count = outer * inner;
    if (count <= std::numeric_limits<std::int32_t>::max()) {
        L::map(index, count, Unflatten<F, std::uint32_t>{f, static_cast<std::uint32_t>(inner)});
    } else {
        L::map(index, count, Unflatten<F, std::int64_t>{f, inner});
    }
}

template <class L, class F>
void rows(int index, std::int64_t count, std::int64_t length, const F& f) {
    if (length <= narrow_row) {
        L::template rows<narrow_team>(index, count, f);
    } else {
        L::template rows<wide_team>(index, count, f);
    }
}

template <class L, class F, class S>
void reduce_columns(int index, std::int64_t count, std::int64_t columns, const F& f, const S& store) {
    using V = decltype(f(std::int64_t{}, std::int64_t{}));
    if (columns == 0) return;
    const ColumnPlan first = plan_columns(count, columns, block_lanes, first_pass_blocks);
    const Storage partial(static_cast<std::size_t>(first.chunks * columns) * sizeof(V), {Device::Kind::cuda, index});
    V* const sums = static_cast<V*>(partial.data());
    L::template columns<block_lanes>(index, count, columns, first, f, StorePartial<V>{sums, columns});
    // The second pass has one block per group of columns.
    const ColumnPlan second =
        plan_columns(first.chunks, columns, second_pass_lanes / static_cast<int>(sizeof(V) / 4), 1);
    L::template columns<second_pass_lanes>(index, first.chunks, columns, second, ReadPartial<V>{sums, columns},
                                           StoreTotal<S, Wide<V>>{store});
}

template <class L, class F, class T>
void reduce(int index, std::int64_t count, const F& f, double factor, T* out) {
    reduce_columns<L>(index, count, 1, AsDouble<F>{f}, StoreScaled<T>{out, factor});
}

template <class L, class Item, class F>
void map_list(int index, std::span<const Item> items, const F& f) {
    ItemList<Item> list;
    while (!items.empty()) {
        const std::int32_t blocks = list.take(items);
        if (blocks > 0) L::list(index, list, blocks, f);
    }
}

template <class L, class Item, class F>
void reduce_list(int index, std::span<const Item> items, const F& f, double* out) {
    std::int64_t blocks = 0;
    for (const Item& item : items) blocks += (item.count + list_chunk - 1) / list_chunk;
    const Storage partial(static_cast<std::size_t>(blocks) * sizeof(double), {Device::Kind::cuda, index});
    double* const sums = static_cast<double*>(partial.data());
    ItemList<Item> list;
    std::int64_t done = 0;
    while (!items.empty()) {
        const std::int32_t taken = list.take(items);
        if (taken > 0) L::list_sums(index, list, taken, f, sums + done);
        done += taken;
    }
    reduce<L>(index, blocks, ReadNumbers{sums}, 1.0, out);
}

}  // namespace radial::kernels::on_device
