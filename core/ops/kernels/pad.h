// Kernels that extend, shift or repeat a tensor along its dimensions.
#pragma once

#include "radial/core/kernels/team.h"
#include "radial/core/kernels/values.h"

#include <cstdint>
#include <type_traits>

namespace radial::kernels {

/// The values of the elements beyond the ends; the enumerators are those of PadMode.
enum class Beyond : std::int64_t { constant, reflect, replicate, circular };

/// The source index of element `j`, counted from the first element of the source, in a dimension of `size` elements; -1
/// for a constant.
RADIAL_HD inline std::int64_t source_index(Beyond mode, std::int64_t j, std::int64_t size) {
    if (j >= 0 && j < size) return j;
    switch (mode) {
        case Beyond::reflect:
            return j < 0 ? -j : 2 * (size - 1) - j;
        case Beyond::replicate:
            return j < 0 ? 0 : size - 1;
        case Beyond::circular:
            return j < 0 ? (j % size + size) % size : j % size;
        case Beyond::constant:
            break;
    }
    return -1;
}

/// A dimension of the result: `extent` elements, of which the first `before` precede the `size` elements of the source,
/// which are `step` apart in memory.
struct PaddedDim {
    std::int64_t extent, size, before, step;
};

/// Writes a padded tensor. A row is a plane of outer.extent by inner.extent elements; `dims` are the other dimensions,
/// outermost first.
template <class T>
struct Pad {
    static constexpr int max_rank = 4;  ///< largest number of dimensions, not counting those of a plane
    const T* in;
    T* out;
    PaddedDim dims[max_rank], outer, inner;
    std::int64_t rank;
    Beyond mode;
    T value;

    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        T* const plane = out + row * outer.extent * inner.extent;
        std::int64_t offset = 0;
        bool inside = true;
        for (int d = max_rank - 1; d >= 0; --d) {
            if (d >= rank) continue;
            const std::int64_t at = source_index(mode, row % dims[d].extent - dims[d].before, dims[d].size);
            row /= dims[d].extent;
            inside = inside && at >= 0;
            offset += at * dims[d].step;
        }
        for (std::int64_t o = 0; o < outer.extent; ++o) {
            const std::int64_t at = source_index(mode, o - outer.before, outer.size);
            write(team, plane + o * inner.extent, offset + at * outer.step, inside && at >= 0);
        }
    }
    /// Writes a line of inner.extent elements: the padded line of the source at `offset` if `inside` is set, the
    /// constant everywhere otherwise.
    template <class Team>
    RADIAL_HD void write(const Team& team, T* to, std::int64_t offset, bool inside) const {
        const T fill = value;
        if (!inside) return team.each(inner.extent, [=](std::int64_t i) { to[i] = fill; });
        const T* const from = in + offset;
        const std::int64_t before = inner.before, size = inner.size, rest = inner.extent - before;
        const std::int64_t copied = rest < size ? rest : size;
        T* const middle = to + before;
        team.each(copied, [=](std::int64_t i) { middle[i] = from[i]; });
        if (mode == Beyond::constant) {
            if (before > 0) team.each(before, [=](std::int64_t i) { to[i] = fill; });
            if (rest > copied) team.each(rest - copied, [=](std::int64_t i) { middle[copied + i] = fill; });
        } else {
            write_ends(team, to, from, copied);
        }
    }
    /// Writes the elements that precede and those that follow the `copied` elements of a line, from the line of the
    /// source at `from`.
    template <class Team>
    RADIAL_HD void write_ends(const Team& team, T* to, const T* from, std::int64_t copied) const {
        const std::int64_t before = inner.before, size = inner.size, after = inner.extent - before - copied;
        const Beyond beyond = mode;
        T* const behind = to + before + copied;
        if constexpr (std::is_same_v<Team, SerialTeam>) {
            if (beyond == Beyond::circular) {
                write_periods(team, to, from, before, source_index(beyond, -before, size));
                write_periods(team, behind, from, after, 0);
                return;
            }
        }
        const auto element = [=](std::int64_t i) { to[i] = from[source_index(beyond, i - before, size)]; };
        if (before > 0) team.each(before, element);
        if (after > 0) team.each(after, [=](std::int64_t i) { element(before + copied + i); });
    }
    /// Writes `count` elements of the source's line, which is repeated periodically, beginning with element `first`.
    /// Copies whole runs, which needs no divisions.
    template <class Team>
    RADIAL_HD void write_periods(const Team& team, T* to, const T* from, std::int64_t count, std::int64_t first) const {
        for (std::int64_t done = 0; done < count; first = 0) {
            const std::int64_t run = inner.size - first < count - done ? inner.size - first : count - done;
            const T* const source = from + first;
            T* const target = to + done;
            team.each(run, [=](std::int64_t i) { target[i] = source[i]; });
            done += run;
        }
    }
};

/// The adjoint of Pad along one dimension: dx [outer, size, inner] from dy [outer, extent, inner]. A row is a pair of
/// indices in [outer, size], or if inner is 1, an index in `outer`.
template <class T>
struct PadAdjoint {
    const T* dy;
    T* dx;
    std::int64_t extent, size, before, inner;
    Beyond mode;

    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const PadAdjoint own = *this;
        if (inner == 1) {
            const T* const from = dy + row * extent;
            T* const to = dx + row * size;
            team.each(size, [=](std::int64_t j) { to[j] = convert<T>(own.sum(from, j)); });
        } else {
            const T* const from = dy + row / size * extent * inner;
            T* const to = dx + row * inner;
            const std::int64_t j = row % size;
            team.each(inner, [=](std::int64_t i) { to[i] = convert<T>(own.sum(from + i, j)); });
        }
    }
    /// The sum over the copies of element `j` in the line that begins at `from`.
    RADIAL_HD double sum(const T* from, std::int64_t j) const {
        switch (mode) {
            case Beyond::circular:
                return run(from, (before + j) % size, extent, size);
            case Beyond::replicate:
                return run(from, j == 0 ? 0 : before + j, j == size - 1 ? extent : before + j + 1, 1);
            case Beyond::reflect: {
                double total = run(from, before + j, before + j + 1, 1);
                if (j > 0 && j <= before) total += run(from, before - j, before - j + 1, 1);
                const std::int64_t mirrored = before + 2 * (size - 1) - j;
                if (j < size - 1 && mirrored < extent) total += run(from, mirrored, mirrored + 1, 1);
                return total;
            }
            case Beyond::constant:
                break;
        }
        return run(from, before + j, before + j + 1, 1);
    }
    /// The sum of every `step`-th element of [begin, end).
    RADIAL_HD double run(const T* from, std::int64_t begin, std::int64_t end, std::int64_t step) const {
        double total = 0;
        for (std::int64_t i = begin; i < end; i += step) total += convert<double>(from[i * inner]);
        return total;
    }
};

}  // namespace radial::kernels
