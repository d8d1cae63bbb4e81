// How work is divided into blocks and lanes on a device. cuda/ and emulated/ use the same numbers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

namespace radial::kernels {

/// Lanes (threads) per block unless a kernel needs another number.
inline constexpr int block_lanes = 256;
inline constexpr int narrow_team = 32, wide_team = 256;  ///< lanes of a team for a short and for a long row
inline constexpr std::int64_t narrow_row = 128;  ///< longest row, in elements, that a narrow team (one warp) works on

/// How sums of columns are divided: a block has `lanes_x` columns by `lanes_y` rows of lanes and takes `chunk` rows.
struct ColumnPlan {
    int lanes_x, lanes_y;                       ///< lanes of a block along columns and rows
    std::int64_t column_blocks, chunk, chunks;  ///< blocks along columns, rows of a chunk, number of chunks
};

/// The plan for blocks of `lanes` lanes, of which there should be about `blocks`. Depends only on the sizes.
inline ColumnPlan plan_columns(std::int64_t rows, std::int64_t columns, int lanes, std::int64_t blocks) {
    ColumnPlan plan{1, lanes, 1, rows, 1};
    while (plan.lanes_x < 32 && plan.lanes_x < columns) plan.lanes_x *= 2;
    plan.lanes_y = lanes / plan.lanes_x;
    plan.column_blocks = (columns + plan.lanes_x - 1) / plan.lanes_x;
    const std::int64_t wanted = std::max<std::int64_t>(1, blocks / plan.column_blocks);
    // Fewer rows than four a lane are not worth a block of their own.
    plan.chunk = std::max<std::int64_t>((rows + wanted - 1) / wanted, std::int64_t{4} * plan.lanes_y);
    plan.chunks = std::max<std::int64_t>(1, (rows + plan.chunk - 1) / plan.chunk);
    return plan;
}
/// Number of blocks of the first pass, which fills the device. The second has one block for every few columns.
inline constexpr std::int64_t first_pass_blocks = 1056;
inline constexpr int second_pass_lanes = 1024;  ///< lanes per block of the second pass

/// Elements of one tensor that a block processes in a launch over many tensors.
inline constexpr std::int64_t list_chunk = 4096;
/// Bytes of tensor descriptions in the arguments of one launch. The device's limit is 32,764.
inline constexpr std::size_t list_bytes = 30000;

/// Descriptions of several tensors, passed to a launch by value.
template <class Item>
struct ItemList {
    /// The largest number of items.
    static constexpr int capacity = static_cast<int>(list_bytes / (sizeof(Item) + sizeof(std::int32_t)));
    Item items[capacity];         ///< the descriptions
    std::int32_t ends[capacity];  ///< ends[k]: number of blocks of items 0 to k together
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
