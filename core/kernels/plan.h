// How work is cut into blocks and lanes on a device: the same numbers for the launches in cuda/ and for the host's play
// of them in emulated_cuda/.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

namespace radial::kernels {

/// Lanes of a block where a kernel has no reason for another number.
inline constexpr int block_lanes = 256;
/// Lanes of a team: rows of up to `narrow_row` elements get one warp.
inline constexpr int narrow_team = 32, wide_team = 256;
inline constexpr std::int64_t narrow_row = 128;

/// Sums of columns: blocks of `lanes_x` columns by `lanes_y` rows; each block takes `chunk` rows.
struct ColumnPlan {
    int lanes_x, lanes_y;
    std::int64_t column_blocks, chunk, chunks;
};

/// One block holds `lanes` lanes; there are to be about `blocks` blocks. Depends on the sizes alone.
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
/// The first pass fills the device; the second has one block for each few columns.
inline constexpr std::int64_t first_pass_blocks = 1056;
inline constexpr int second_pass_lanes = 1024;

/// Elements of one tensor that a block of a launch over many tensors takes.
inline constexpr std::int64_t list_chunk = 4096;
/// Bytes of tensor descriptions that one launch carries as its argument; the device's limit is 32,764.
inline constexpr std::size_t list_bytes = 30000;

/// Descriptions of several tensors, passed to a launch by value. ends[k]: blocks of items 0 .. k together.
template <class Item>
struct ItemList {
    static constexpr int capacity = static_cast<int>(list_bytes / (sizeof(Item) + sizeof(std::int32_t)));
    Item items[capacity];
    std::int32_t ends[capacity];
    int size = 0;

    /// Takes items from the front of `rest` until full; returns the number of blocks.
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
