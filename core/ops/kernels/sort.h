// Sorting of rows by a team: keys that order elements, a merge sort, and the selection of the first few.
//
// The elements of [outer, extent, inner] along `extent` form rows. Each element gets an unsigned key such that smaller
// keys come first; equal elements have equal keys.
#pragma once

#include "radial/core/kernels/team.h"
#include "radial/core/kernels/values.h"

#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace radial::kernels {

/// The key of an element. Ascending: -inf first, NaN last. Descending: NaN first.
template <class T>
struct SortKey {
    using C = Compute<T>;
    using Key = std::conditional_t<std::is_same_v<C, float>, std::uint32_t, std::uint64_t>;
    bool descending;

    RADIAL_HD Key operator()(T element) const {
        const C v = convert<C>(element);
        constexpr Key sign = Key{1} << (8 * sizeof(Key) - 1);
        const Key bits = std::bit_cast<Key>(v == 0 ? C{0} : v);
        const Key ordered = (bits & sign) != 0 ? ~bits : bits | sign;
        const Key key = v == v ? ordered : ~Key{0};
        return descending ? ~key : key;
    }
};

/// Where the rows of [outer, extent, inner] are in memory.
struct SortRows {
    std::int64_t extent, inner;
    RADIAL_HD std::int64_t start(std::int64_t row) const { return row / inner * extent * inner + row % inner; }
};

/// Sorts each row by merging runs of 1, 2, 4 ... elements. In every pass, an element finds its place by a binary search
/// in the other run of its pair, so that all elements move at the same time.
template <class T>
struct MergeSortRow {
    using Key = typename SortKey<T>::Key;
    const T* in;
    T* values;                            ///< [outer, keep, inner], the first `keep` of each row
    std::int64_t* indices;                ///< like `values`
    Key *keys, *keys_after;               ///< [rows, extent], scratch memory
    std::int64_t *places, *places_after;  ///< [rows, extent], scratch memory
    SortRows rows;
    std::int64_t keep;
    SortKey<T> key_of;

    /// The number of elements of the sorted run of `length` elements that come before `key`; equal ones do if
    /// `or_equal` is set.
    RADIAL_HD static std::int64_t before(const Key* run, std::int64_t length, Key key, bool or_equal) {
        std::int64_t low = 0, high = length;
        while (low < high) {
            const std::int64_t middle = (low + high) / 2;
            if (run[middle] < key || (or_equal && run[middle] == key)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const std::int64_t n = rows.extent, step = rows.inner, first = rows.start(row), base = row * n;
        Key *from = keys + base, *to = keys_after + base;
        std::int64_t *from_place = places + base, *to_place = places_after + base;
        const T* const elements = in + first;
        const SortKey<T> make = key_of;
        team.each(n, [=](std::int64_t e) {
            from[e] = make(elements[e * step]);
            from_place[e] = e;
        });
        for (std::int64_t run = 1; run < n; run *= 2) {
            team.each(n, [=](std::int64_t e) {
                const std::int64_t pair = e / (2 * run) * (2 * run);
                const std::int64_t split = pair + run < n ? pair + run : n;
                const std::int64_t end = pair + 2 * run < n ? pair + 2 * run : n;
                const bool in_first = e < split;
                // Equal elements of the first run come before those of the second.
                const std::int64_t others = in_first ? before(from + split, end - split, from[e], false)
                                                     : before(from + pair, split - pair, from[e], true);
                const std::int64_t target = (in_first ? e : pair + (e - split)) + others;
                to[target] = from[e];
                to_place[target] = from_place[e];
            });
            Key* const key = from;
            std::int64_t* const place = from_place;
            from = to;
            from_place = to_place;
            to = key;
            to_place = place;
        }
        const std::int64_t out_first = SortRows{keep, step}.start(row);
        T* const out = values + out_first;
        std::int64_t* const out_index = indices + out_first;
        team.each(keep, [=](std::int64_t e) {
            out[e * step] = elements[from_place[e] * step];
            out_index[e * step] = from_place[e];
        });
    }
};

/// A key and its place. += keeps the candidate that comes first, so that Team::sum() finds the first of a row.
struct Candidate {
    std::uint64_t key = std::numeric_limits<std::uint64_t>::max();
    std::int64_t place = std::numeric_limits<std::int64_t>::max();

    RADIAL_HD bool before(const Candidate& other) const {
        return key < other.key || (key == other.key && place < other.place);
    }
    RADIAL_HD Candidate& operator+=(const Candidate& other) {
        if (other.before(*this)) *this = other;
        return *this;
    }
};

/// The first `keep` elements of each row in sorted order, found one after the other, which is fast for a small `keep`.
template <class T>
struct SelectRow {
    const T* in;
    T* values;              ///< [outer, keep, inner]
    std::int64_t* indices;  ///< like `values`
    SortRows rows;
    std::int64_t keep;
    SortKey<T> key_of;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const std::int64_t step = rows.inner;
        const T* const elements = in + rows.start(row);
        const std::int64_t out_first = SortRows{keep, step}.start(row);
        const SortKey<T> make = key_of;
        Candidate last{0, -1};
        for (std::int64_t k = 0; k < keep; ++k) {
            const Candidate next = team.sum(rows.extent, [=](std::int64_t e) {
                const Candidate own{make(elements[e * step]), e};
                return last.before(own) ? own : Candidate{};
            });
            T* const out = values + out_first + k * step;
            std::int64_t* const out_index = indices + out_first + k * step;
            team.once([=] {
                *out = elements[next.place * step];
                *out_index = next.place;
            });
            last = next;
        }
    }
};

/// Adjoint of sorting and selecting: element (o, e, i) of dy [outer, keep, inner] goes to its place in dx
/// [outer, extent, inner], which must be filled with zeros. Block `block` is o * keep + e. Places outside the row are
/// ignored.
template <class T>
struct ScatterSorted {
    const T* dy;
    const std::int64_t* indices;
    T* dx;
    SortRows rows;
    std::int64_t keep;
    RADIAL_HD void operator()(std::int64_t block, std::int64_t i) const {
        const std::int64_t from = block * rows.inner + i, place = indices[from];
        if (place < 0 || place >= rows.extent) return;
        dx[(block / keep * rows.extent + place) * rows.inner + i] = dy[from];
    }
};

}  // namespace radial::kernels
