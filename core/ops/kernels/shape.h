// Kernels that move elements: blocks, rows selected by an index tensor, and the range check of that index.
#pragma once

#include "radial/core/kernels/values.h"
#include "radial/core/memory/device_runtime.h"

#include <cstdint>
#include <limits>

namespace radial::kernels {

/// Copies a run of elements (or packs of elements) of every block to its place in the block of another tensor.
template <class V>
struct CopyBlocks {
    const V* in;  ///< the first element to copy
    V* out;
    std::int64_t in_block, out_block;  ///< distances between consecutive blocks
    RADIAL_HD void operator()(std::int64_t block, std::int64_t i) const {
        out[block * out_block + i] = in[block * in_block + i];
    }
};

/// Copies a triangle of each matrix [rows, columns], row by row, and writes 0 elsewhere. The lower one has the elements
/// with column - row <= diagonal, the upper one those with column - row >= diagonal.
template <class T>
struct Triangle {
    const T* in;
    T* out;
    std::int64_t rows, columns, diagonal, lower;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const T* const from = in + row * columns;
        T* const to = out + row * columns;
        const std::int64_t last = row % rows + diagonal, low = lower;
        team.each(columns, [=](std::int64_t c) { to[c] = (low != 0 ? c <= last : c >= last) ? from[c] : T{}; });
    }
};

/// `index` clamped to [0, count). CheckRange reports indices outside the range; here they are only made valid.
RADIAL_HD inline std::int64_t clamped(std::int64_t index, std::int64_t count) {
    const std::int64_t low = index < 0 ? 0 : index;
    return low < count ? low : count - 1;
}

/// Reports the first of `count` numbers that is outside [0, limit). Launch it as a single row.
struct CheckRange {
    const std::int64_t* values;
    std::int64_t count, limit;
    device::Fault* fault;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t) const {
        constexpr double none = -std::numeric_limits<double>::infinity();
        const std::int64_t *const at = values, end = limit;
        const double found = -team.max(count, [=](std::int64_t i) {
            const std::int64_t value = at[i];
            return value < 0 || value >= end ? -static_cast<double>(i) : none;
        });
        if (found == -none) return;
        team.once([&] {
            if (fault->raised != 0) return;  // an earlier fault is reported first
            fault->sample = static_cast<std::int64_t>(found);
            fault->value = values[fault->sample];
            fault->limit = limit;
            fault->raised = 1;
        });
    }
};

/// out[r] = in[index[r]] for the rows of in [count, width].
template <class T>
struct GatherRows {
    const T* in;
    const std::int64_t* index;
    T* out;
    std::int64_t count, width;
    RADIAL_HD void operator()(std::int64_t r, std::int64_t c) const {
        out[r * width + c] = in[clamped(index[r], count) * width + c];
    }
};

/// Adjoint of GatherRows: adds row i of dy [count, width] to row index[i] of dx. Each task handles a range of columns
/// that no other task writes, so repeated indices are safe. For the CPU, which has few lanes with long loops.
template <class T>
struct ScatterAddColumns {
    static constexpr std::int64_t range = 64;
    const T* dy;
    const std::int64_t* index;
    T* dx;
    std::int64_t count, width;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t task) const {
        const std::int64_t first = task * range, length = width - first < range ? width - first : range;
        for (std::int64_t i = 0; i < count; ++i) {
            const T* const from = dy + i * width + first;
            T* const to = dx + index[i] * width + first;
            team.each(length, [=](std::int64_t c) {
                using C = Compute<T>;
                to[c] = convert<T>(convert<C>(to[c]) + convert<C>(from[c]));
            });
        }
    }
};

/// ScatterAddColumns for many lanes. If row i of dy is the first with its index, its team sums all rows that have the
/// same index, in order, and is the only one to write that row of dx. dx must be filled with zeros.
template <class T>
struct ScatterAddFirsts {
    const T* dy;
    const std::int64_t* index;
    T* dx;
    std::int64_t count, width, targets;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t i) const {
        using C = Compute<T>;
        const std::int64_t *const at = index, target = index[i];
        const float earlier = team.max(i, [=](std::int64_t j) { return at[j] == target ? 1.0F : 0.0F; });
        if (earlier > 0 || target < 0 || target >= targets) return;
        const T* const from = dy;
        T* const to = dx + target * width;
        const std::int64_t rows = count, columns = width;
        team.each(columns, [=](std::int64_t c) {
            C total{0};
            for (std::int64_t j = i; j < rows; ++j)
                if (at[j] == target) total += convert<C>(from[j * columns + c]);
            to[c] = convert<T>(total);
        });
    }
};

/// out[r] = in[r, index[r]] for in [rows, columns].
template <class T>
struct Pick {
    const T* in;
    const std::int64_t* index;
    T* out;
    std::int64_t columns;
    RADIAL_HD void operator()(std::int64_t r) const { out[r] = in[r * columns + clamped(index[r], columns)]; }
};
/// Adjoint of Pick. dx must be filled with zeros.
template <class T>
struct PickBackward {
    const T* dy;
    const std::int64_t* index;
    T* dx;
    std::int64_t columns;
    RADIAL_HD void operator()(std::int64_t r) const { dx[r * columns + clamped(index[r], columns)] = dy[r]; }
};

}  // namespace radial::kernels
