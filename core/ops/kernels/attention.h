// Row kernels of scaled_dot_product_attention(): the softmax of masked products, in place, and its gradient.
#pragma once

#include "radial/core/kernels/team.h"
#include "radial/core/kernels/values.h"
#include "radial/core/ops/kernels/elementwise.h"

#include <cstdint>
#include <type_traits>

namespace radial::kernels {

/// The position of the mask of a query in memory: the mask [..., S] or [..., 1] has rows of `length` elements, and
/// `rows` maps a query to its row.
struct MaskRows {
    Stretch rows;
    std::int64_t length;
    /// The offset of the first mask element of a query, counted over all heads.
    RADIAL_HD std::int64_t start(std::int64_t query) const {
        return (rows.row_start(query / rows.inner) + query % rows.inner * rows.inner_step) * length;
    }
    /// The distance between the elements of adjacent keys.
    RADIAL_HD std::int64_t step(std::int64_t keys) const { return length == keys ? 1 : 0; }
};

/// Replaces the products of a query with all keys by probabilities. Row r belongs to query `first + r`, counted over
/// all heads. M is the mask's type; `mask` may be null.
template <class T, class M>
struct AttentionRow {
    T* scores;
    const M* mask;
    MaskRows at;
    std::int64_t first, queries, keys;
    bool causal;

    /// A product with the mask applied.
    RADIAL_HD static T masked(T score, M m) {
        if constexpr (std::is_same_v<M, std::uint8_t>) {
            return m != 0 ? score : -infinity<T>;
        } else {
            return score + convert<T>(m);
        }
    }
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        T* const s = scores + row * keys;
        const std::int64_t allowed = (first + row) % queries + 1;
        const std::int64_t used = causal && allowed < keys ? allowed : keys;
        if (mask != nullptr) {
            const M* const m = mask + at.start(first + row);
            const std::int64_t step = at.step(keys);
            team.each(used, [=](std::int64_t j) { s[j] = masked(s[j], m[j * step]); });
        }
        const T top = team.max(used, [=](std::int64_t j) { return s[j]; });
        const T origin = top == -infinity<T> ? T{0} : top;
        team.each(used, [=](std::int64_t j) { s[j] = exponential(s[j] - origin); });
        const double total = team.sum(used, [=](std::int64_t j) { return static_cast<double>(s[j]); });
        const T factor = total == 0 ? T{0} : static_cast<T>(1 / total);
        team.each(used, [=](std::int64_t j) { s[j] *= factor; });
        const std::int64_t rest = keys - used;
        if (rest > 0) team.each(rest, [=](std::int64_t j) { s[used + j] = 0; });
    }
};

/// The gradient of the masked products, p * (dp - sum(p * dp)), in place of dp.
template <class T>
struct AttentionGradientRow {
    const T* p;
    T* dp;
    std::int64_t keys;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const T* const probability = p + row * keys;
        T* const grad = dp + row * keys;
        const auto mean = static_cast<T>(
            team.sum(keys, [=](std::int64_t j) { return static_cast<double>(probability[j] * grad[j]); }));
        team.each(keys, [=](std::int64_t j) { grad[j] = probability[j] * (grad[j] - mean); });
    }
};

}  // namespace radial::kernels
