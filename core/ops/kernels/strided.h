// Kernels that copy a box of elements between two tensors, each of which has its own strides.
#pragma once

#include "radial/core/kernels/team.h"
#include "radial/core/kernels/values.h"

#include <cstdint>
#include <type_traits>

namespace radial::kernels {

/// The dimensions of a box over which a kernel has one row per element, outermost first.
struct StridedRows {
    static constexpr int max_rank = 6;  ///< largest number of dimensions
    std::int64_t extent[max_rank], from[max_rank], to[max_rank], rank;

    /// Sets the offsets of the first elements of row `row` in the source and in the target.
    RADIAL_HD void starts(std::int64_t row, std::int64_t& source, std::int64_t& target) const {
        source = target = 0;
        // The bound is constant so that a device unrolls the loop and keeps the arrays in registers.
        for (int d = max_rank - 1; d >= 0; --d) {
            if (d >= rank) continue;
            const std::int64_t i = row % extent[d];
            source += i * from[d];
            target += i * to[d];
            row /= extent[d];
        }
    }
};

/// A dimension of a box: its extent, and the distance of its elements in the source and in the target.
struct StridedDim {
    std::int64_t extent, from, to;
};

/// Copies a box; a row is a plane of `outer` by `inner` elements.
template <class T>
struct CopyStrided {
    const T* in;
    T* out;
    StridedRows rows;
    StridedDim outer, inner;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        std::int64_t source, target;
        rows.starts(row, source, target);
        const std::int64_t from_step = inner.from, to_step = inner.to;
        for (std::int64_t o = 0; o < outer.extent; ++o) {
            const T* const from = in + source + o * outer.from;
            T* const to = out + target + o * outer.to;
            if (to_step != 1) {
                team.each(inner.extent, [=](std::int64_t i) { to[i * to_step] = from[i * from_step]; });
            } else if (from_step == 1) {
                team.each(inner.extent, [=](std::int64_t i) { to[i] = from[i]; });
            } else if (from_step == 0) {
                const T value = *from;
                team.each(inner.extent, [=](std::int64_t i) { to[i] = value; });
            } else if (from_step == -1) {
                team.each(inner.extent, [=](std::int64_t i) { to[i] = from[-i]; });
            } else {
                team.each(inner.extent, [=](std::int64_t i) { to[i] = from[i * from_step]; });
            }
        }
    }
};

/// CopyStrided for boxes with short rows on a device: one element per lane.
template <class T>
struct CopyStridedElements {
    const T* in;
    T* out;
    StridedRows rows;
    StridedDim inner;
    RADIAL_HD void operator()(std::int64_t row, std::int64_t i) const {
        std::int64_t source, target;
        rows.starts(row, source, target);
        out[target + i * inner.to] = in[source + i * inner.from];
    }
};

/// Copies a box whose elements are contiguous along `across` in the source and along `inner` in the target. A row is a
/// strip of `strip` elements along `across`; consecutive rows are the strips of one element of `rows`.
template <class T>
struct TransposeStrided {
    static constexpr std::int64_t strip = 16;
    const T* in;
    T* out;
    StridedRows rows;
    StridedDim across, inner;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const std::int64_t strips = (across.extent + strip - 1) / strip, first = row % strips * strip;
        const std::int64_t width = across.extent - first < strip ? across.extent - first : strip;
        std::int64_t source, target;
        rows.starts(row / strips, source, target);
        const T* const from = in + source + first;
        T* const to = out + target + first * across.to;
        const std::int64_t from_step = inner.from, to_step = across.to;
        if constexpr (std::is_same_v<Team, SerialTeam>) {
            std::int64_t begin = 0;
            if (width == strip) {
                for (; begin + 4 * strip <= inner.extent; begin += 4 * strip) tile<strip, 4 * strip>(to, from, begin);
                for (; begin + strip <= inner.extent; begin += strip) tile<strip, strip>(to, from, begin);
                if (begin < inner.extent) {
                    for (std::int64_t i = begin; i < inner.extent; ++i)
                        for (std::int64_t a = 0; a < strip; ++a) to[a * to_step + i] = from[i * from_step + a];
                }
            } else {
                for (std::int64_t a = 0; a < width; ++a)
                    for (std::int64_t i = begin; i < inner.extent; ++i) to[a * to_step + i] = from[i * from_step + a];
            }
        } else {
            team.each(inner.extent * strip, [=](std::int64_t k) {
                const std::int64_t a = k % strip, i = k / strip;
                if (a < width) to[a * to_step + i] = from[i * from_step + a];
            });
        }
    }
    /// Copies the tile of Width by Length elements at `begin` along `inner`. The extents are constants, so that the
    /// loops are unrolled.
    template <std::int64_t Width, std::int64_t Length>
    RADIAL_HD void tile(T* to, const T* from, std::int64_t begin) const {
        const std::int64_t from_step = inner.from, to_step = across.to;
        for (std::int64_t a = 0; a < Width; ++a)
            for (std::int64_t i = begin; i < begin + Length; ++i) to[a * to_step + i] = from[i * from_step + a];
    }
};

}  // namespace radial::kernels
