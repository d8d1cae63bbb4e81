// Kernels that read and write elements at positions in an index tensor.
#pragma once

#include "radial/core/ops/kernels/shape.h"
#include "radial/core/ops/kernels/strided.h"

#include <cstdint>
#include <type_traits>

namespace radial::kernels {

/// out[p] is the element of `in` at position p, but with index[p] as the coordinate along one dimension, which has
/// `extent` elements `step` apart. The index and the output are contiguous. A row is a line of `length` elements.
/// `rows` has the offsets of the lines in the input (from) and in the output (to). `in_step` is the distance in the
/// input between positions that are adjacent in a line, or 0 if the line is along the indexed dimension.
template <class T>
struct Gather {
    const T* in;
    const std::int64_t* index;
    T* out;
    StridedRows rows;
    std::int64_t length, in_step, extent, step;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        std::int64_t source, target;
        rows.starts(row, source, target);
        const T* const from = in + source;
        const std::int64_t* const at = index + target;
        T* const to = out + target;
        const std::int64_t count = extent, distance = step, along = in_step;
        if (along == 0 && distance == 1) {
            team.each(length, [=](std::int64_t i) { to[i] = from[clamped(at[i], count)]; });
        } else {
            team.each(length, [=](std::int64_t i) { to[i] = from[i * along + clamped(at[i], count) * distance]; });
        }
    }
};

/// Copies `inner` contiguous elements for each of `count` indices: out [outer, count, inner] from in [outer, extent,
/// inner]. A row handles up to `part` indices for one position in `outer`.
template <class T>
struct SelectBlocks {
    const T* in;
    const std::int64_t* index;
    T* out;
    std::int64_t count, extent, inner, part;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const std::int64_t parts = (count + part - 1) / part, outer = row / parts, first = row % parts * part;
        const std::int64_t own = count - first < part ? count - first : part, width = inner, rows = extent;
        const T* const from = in + outer * extent * inner;
        T* const to = out + (outer * count + first) * inner;
        const std::int64_t* const at = index + first;
        if (width == 1) {
            team.each(own, [=](std::int64_t m) { to[m] = from[clamped(at[m], rows)]; });
        } else if constexpr (std::is_same_v<Team, SerialTeam>) {
            for (std::int64_t m = 0; m < own; ++m) {
                const T* const block = from + clamped(at[m], rows) * width;
                team.each(width, [=](std::int64_t i) { to[m * width + i] = block[i]; });
            }
        } else {
            team.each(own * width, [=](std::int64_t k) {
                const std::int64_t m = k / width;
                to[k] = from[clamped(at[m], rows) * width + (k - m * width)];
            });
        }
    }
};

/// Adds a value to its place.
template <class T>
struct AddValue {
    static constexpr bool reverse = false;
    RADIAL_HD static void apply(T& place, T& value) {
        using C = Compute<T>;
        place = convert<T>(convert<C>(place) + convert<C>(value));
    }
};
/// Writes a value to its place.
template <class T>
struct PutValue {
    static constexpr bool reverse = false;
    RADIAL_HD static void apply(T& place, T& value) { place = value; }
};
/// The adjoint of PutValue, in reverse order: moves the gradient of a place to the value that was written there last.
/// The gradients of the values that it replaced, and of the original element, become 0.
template <class T>
struct TakeValue {
    static constexpr bool reverse = true;
    RADIAL_HD static void apply(T& place, T& value) {
        value = place;
        place = T{};
    }
};

/// Calls Op::apply(place, value) for every value, in the order of the index. The places of a line differ only in the
/// coordinate along one dimension, so two lines never share a place, and only one lane writes to a place.
template <class T, class Op>
struct ScatterLines {
    static constexpr std::int64_t range = 64;  ///< largest number of adjacent lines of a row
    T* values;
    const std::int64_t* index;
    T* places;
    StridedRows rows;    ///< offsets of the first of adjacent lines in the values (from) and in the places (to)
    std::int64_t lines;  ///< adjacent lines: contiguous in the values, `line_step` apart in the places
    std::int64_t line_step;
    std::int64_t count, value_step;   ///< values of a line, and their distance
    std::int64_t extent, place_step;  ///< places of a line, and their distance
    std::int64_t shared;              ///< 1 if all lines have the index [count], 0 if it is shaped as the values

    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const std::int64_t ranges = (lines + range - 1) / range, first = row % ranges * range;
        const std::int64_t own_lines = lines - first < range ? lines - first : range;
        std::int64_t source, target;
        rows.starts(row / ranges, source, target);
        source += first;
        target += first * line_step;
        const ScatterLines own = *this;
        if constexpr (std::is_same_v<Team, SerialTeam>) {
            if (own_lines == 1) {
                for (std::int64_t k = 0; k < count; ++k) own.visit(source, target, Op::reverse ? count - 1 - k : k);
                return;
            }
            for (std::int64_t k = 0; k < count; ++k)
                for (std::int64_t line = 0; line < own_lines; ++line)
                    own.visit(source + line, target + line * line_step, Op::reverse ? count - 1 - k : k);
        } else if (lines > 1) {
            team.each(own_lines, [=](std::int64_t line) {
                for (std::int64_t k = 0; k < own.count; ++k)
                    own.visit(source + line, target + line * own.line_step, Op::reverse ? own.count - 1 - k : k);
            });
        } else {
            // Many lanes for one line: each reads the whole index and handles the places whose remainder is its number.
            team.each(range, [=](std::int64_t part) {
                for (std::int64_t k = 0; k < own.count; ++k) {
                    const std::int64_t n = Op::reverse ? own.count - 1 - k : k;
                    if ((own.at(source, n) & (range - 1)) == part) own.visit(source, target, n);
                }
            });
        }
    }
    /// The index of value `k` of the line whose values begin at `source`.
    RADIAL_HD std::int64_t at(std::int64_t source, std::int64_t k) const {
        return index[shared != 0 ? k : source + k * value_step];
    }
    /// Handles value `k` of a line.
    RADIAL_HD void visit(std::int64_t source, std::int64_t target, std::int64_t k) const {
        const std::int64_t place = at(source, k);
        if (place < 0 || place >= extent) return;
        Op::apply(places[target + place * place_step], values[source + k * value_step]);
    }
};

/// v where the mask is 0, else `number`.
struct FillMasked {
    double number;
    template <class V>
    RADIAL_HD V operator()(V v, V mask) const {
        return mask == V{0} ? v : static_cast<V>(number);
    }
};

/// A row of zeros with 1 at the label.
template <class T>
struct OneHot {
    const std::int64_t* labels;
    T* out;
    std::int64_t classes;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const std::int64_t label = labels[row];
        T* const to = out + row * classes;
        const T one = convert<T>(1.0F), zero{};
        team.each(classes, [=](std::int64_t c) { to[c] = c == label ? one : zero; });
    }
};

}  // namespace radial::kernels
