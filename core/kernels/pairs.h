// Losses over the pairs of a batch: what a rule sees of one anchor and gives for it, the rules, and the passes around.
//
// A rule is called with a team and a PairRow. It writes the gradient of each of its terms' sums, and returns the sums
// and the counts by which they will be divided. What is a pair of equal labels belongs to part 0; where a rule has
// two parts, the other pairs belong to part 1, which has a sum and a count of its own.
#pragma once

#include "radial/core/kernels/team.h"
#include "radial/core/kernels/values.h"

#include <cmath>
#include <cstdint>

namespace radial::kernels {

/// The labels of a matrix of pairs. `same`: row i and column i are one sample, which is no pair with itself.
struct PairIndex {
    const std::int64_t *rows, *columns;
    bool same;

    RADIAL_HD bool is_pair(std::int64_t i, std::int64_t j) const { return !same || i != j; }
    RADIAL_HD bool positive(std::int64_t i, std::int64_t j) const { return rows[i] == columns[j] && is_pair(i, j); }
    RADIAL_HD bool negative(std::int64_t i, std::int64_t j) const { return rows[i] != columns[j]; }
};

/// One anchor: its similarities or distances, and room for the gradient.
template <class T>
struct PairRow {
    const T* value;
    T* grad;
    std::int64_t row, columns;
    PairIndex index;

    RADIAL_HD bool positive(std::int64_t j) const { return index.positive(row, j); }
    RADIAL_HD bool negative(std::int64_t j) const { return index.negative(row, j); }
    RADIAL_HD bool is_pair(std::int64_t j) const { return index.is_pair(row, j); }
};

/// What the terms of one anchor come to, part by part.
struct PairSums {
    double sum[2], count[2];
};
/// Numbers in PairSums.
inline constexpr std::int64_t pair_sums = 4;

/// `rule` on each row of a matrix [rows, columns]; sums [rows, pair_sums].
template <class T, class Rule>
struct PairRows {
    const T* matrix;
    T* grad;
    double* sums;
    std::int64_t columns;
    PairIndex index;
    Rule rule;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const PairRow<T> anchor{matrix + row * columns, grad + row * columns, row, columns, index};
        const PairSums of_row = rule(team, anchor);
        double* const out = sums + row * pair_sums;
        team.once([&] {
            out[0] = of_row.sum[0];
            out[1] = of_row.count[0];
            out[2] = of_row.sum[1];
            out[3] = of_row.count[1];
        });
    }
};

/// 1 / count, or 0 where there is nothing to take the mean of.
RADIAL_HD inline double pair_weight(double count) { return count > 0 ? 1 / count : 0; }

/// The loss from the sums of all rows: the parts' means, added.
template <class T>
struct PairMeans {
    const double* totals;
    T* loss;
    RADIAL_HD void operator()(std::int64_t) const {
        const double first = totals[1] > 0 ? totals[0] * pair_weight(totals[1]) : 0;
        const double second = totals[3] > 0 ? totals[2] * pair_weight(totals[3]) : 0;
        *loss = static_cast<T>(first + second);
    }
};

/// The gradients of sums become those of means, times dL/dloss.
template <class T>
struct ScalePairs {
    T* grad;
    const double* totals;
    const T* upstream;
    std::int64_t columns;
    PairIndex index;
    bool two_parts;
    RADIAL_HD void operator()(std::int64_t i, std::int64_t j) const {
        const bool second = two_parts && index.negative(i, j);
        const double weight = pair_weight(second ? totals[3] : totals[1]);
        T* const at = grad + i * columns + j;
        *at = static_cast<T>(static_cast<double>(*at) * weight * static_cast<double>(*upstream));
    }
};

// ---- functions of one number ----

/// max(v, 0); a NaN stays one.
template <class T>
RADIAL_HD T positive_part(T v) {
    return v < 0 ? T{0} : v;
}
/// log(1 + exp(v)).
template <class T>
RADIAL_HD T soft_plus(T v) {
    return v > 0 ? v + std::log1p(std::exp(-v)) : std::log1p(std::exp(v));
}
/// Its derivative.
template <class T>
RADIAL_HD T logistic(T v) {
    if (v < 0) {
        const T e = std::exp(v);
        return e / (1 + e);
    }
    return 1 / (1 + std::exp(-v));
}

/// log(start + sum of exp(z(j)) over the j in [0, n) with in(j)), start being 0 or 1; -inf for no j and a start of 0.
template <class T, class Team, class In, class Z>
RADIAL_HD T log_sum(const Team& team, std::int64_t n, int start, const In& in, const Z& z) {
    T top = team.max(n, [&](std::int64_t j) { return in(j) ? z(j) : -infinity<T>; });
    if (start > 0 && top < 0) top = 0;
    if (!(top - top == 0)) return top > 0 ? top : (top == top ? -infinity<T> : top);
    const double total =
        team.sum(n, [&](std::int64_t j) { return in(j) ? static_cast<double>(std::exp(z(j) - top)) : 0.0; });
    // log1p keeps what is far below 1 when nothing but `start` is large.
    if (start > 0 && top == 0) return static_cast<T>(std::log1p(total));
    const double all = start > 0 ? total + std::exp(-static_cast<double>(top)) : total;
    return top + static_cast<T>(std::log(all));
}

/// How many j in [0, n) have in(j).
template <class Team, class In>
RADIAL_HD double count_of(const Team& team, std::int64_t n, const In& in) {
    return team.sum(n, [&](std::int64_t j) { return in(j) ? 1.0 : 0.0; });
}

// ---- rules ----

/// Hadsell et al. 2006: distances of positive pairs above one margin, of negative pairs below another.
template <class T>
struct ContrastiveRule {
    static constexpr bool two_parts = true;
    T positive_margin, negative_margin;
    bool squared, over_nonzero;

    /// By how much a pair is too far (positive) or too near, at least 0.
    RADIAL_HD T excess(const PairRow<T>& anchor, std::int64_t j, bool positive) const {
        const T d = anchor.value[j];
        return positive_part(positive ? d - positive_margin : negative_margin - d);
    }
    template <class Team>
    RADIAL_HD Pair<double> part(const Team& team, const PairRow<T>& anchor, bool positive) const {
        return team.sum(anchor.columns, [&](std::int64_t j) -> Pair<double> {
            if (!(positive ? anchor.positive(j) : anchor.negative(j))) return {};
            const auto v = static_cast<double>(excess(anchor, j, positive));
            return {squared ? v * v : v, over_nonzero && v == 0 ? 0.0 : 1.0};
        });
    }
    template <class Team>
    RADIAL_HD PairSums operator()(const Team& team, const PairRow<T>& anchor) const {
        const Pair<double> near = part(team, anchor, true), far = part(team, anchor, false);
        team.each(anchor.columns, [&](std::int64_t j) {
            const bool positive = anchor.positive(j);
            const T v = excess(anchor, j, positive), slope = squared ? 2 * v : (v == 0 ? T{0} : T{1});
            const T sign = positive ? T{1} : T{-1};
            anchor.grad[j] = positive || anchor.negative(j) ? sign * slope : T{0};
        });
        return {{near.first, far.first}, {near.second, far.second}};
    }
};

/// Khosla et al. 2020, L_out: the mean over the positive pairs of -log softmax over all others.
template <class T>
struct SupervisedContrastiveRule {
    static constexpr bool two_parts = false;
    T inverse_temperature;

    template <class Team>
    RADIAL_HD PairSums operator()(const Team& team, const PairRow<T>& anchor) const {
        const T factor = inverse_temperature;
        const auto z = [&](std::int64_t j) { return anchor.value[j] * factor; };
        const Pair<double> near = team.sum(anchor.columns, [&](std::int64_t j) -> Pair<double> {
            if (!anchor.positive(j)) return {};
            return {static_cast<double>(z(j)), 1.0};
        });
        if (near.second == 0) {
            team.each(anchor.columns, [&](std::int64_t j) { anchor.grad[j] = T{0}; });
            return {};
        }
        const T lse = log_sum<T>(
            team, anchor.columns, 0, [&](std::int64_t j) { return anchor.is_pair(j); }, z);
        const T share = static_cast<T>(1 / near.second);
        team.each(anchor.columns, [&](std::int64_t j) {
            const T hit = anchor.positive(j) ? share : T{0};
            anchor.grad[j] = anchor.is_pair(j) ? factor * (std::exp(z(j) - lse) - hit) : T{0};
        });
        return {{static_cast<double>(lse) - near.first / near.second, 0}, {1, 0}};
    }
};

/// Wang et al. 2019, Eq. 5 to 7 and the mining of Eq. 10 and 11.
template <class T>
struct MultiSimilarityRule {
    static constexpr bool two_parts = false;
    T alpha, beta, base, epsilon;
    bool mining;

    template <class Team>
    RADIAL_HD PairSums operator()(const Team& team, const PairRow<T>& anchor) const {
        const T* const s = anchor.value;
        T positives_below = infinity<T>, negatives_above = -infinity<T>;
        if (mining) {
            const auto negative = [&](std::int64_t j) { return anchor.negative(j) ? s[j] : -infinity<T>; };
            const auto positive = [&](std::int64_t j) { return anchor.positive(j) ? -s[j] : -infinity<T>; };
            positives_below = team.max(anchor.columns, negative) + epsilon;
            negatives_above = -team.max(anchor.columns, positive) - epsilon;
        }
        const auto keeps_positive = [&](std::int64_t j) { return anchor.positive(j) && !(s[j] >= positives_below); };
        const auto keeps_negative = [&](std::int64_t j) { return anchor.negative(j) && !(s[j] <= negatives_above); };
        const auto pull = [&](std::int64_t j) { return -alpha * (s[j] - base); };
        const auto push = [&](std::int64_t j) { return beta * (s[j] - base); };
        const T near = log_sum<T>(team, anchor.columns, 1, keeps_positive, pull);
        const T far = log_sum<T>(team, anchor.columns, 1, keeps_negative, push);
        team.each(anchor.columns, [&](std::int64_t j) {
            T slope{0};
            if (keeps_positive(j)) slope = -std::exp(pull(j) - near);
            if (keeps_negative(j)) slope = std::exp(push(j) - far);
            anchor.grad[j] = slope;
        });
        return {{static_cast<double>(near / alpha) + static_cast<double>(far / beta), 0}, {1, 0}};
    }
};

/// Sun et al. 2020, Eq. 6 to 8 with the margins of Sec. 3.3. In double: gamma is large, and float32 would leave
/// exponents of hundreds, of which the exp is wanted, with four digits behind the point.
template <class T>
struct CircleRule {
    static constexpr bool two_parts = false;
    double margin, gamma;
    bool through_weights;

    RADIAL_HD double pull(double s) const { return -gamma * positive_part(1 + margin - s) * (s - (1 - margin)); }
    RADIAL_HD double push(double s) const { return gamma * positive_part(s + margin) * (s - margin); }
    RADIAL_HD double pull_slope(double s) const {
        const double weight = positive_part(1 + margin - s);
        return -gamma * (through_weights && weight > 0 ? weight - (s - (1 - margin)) : weight);
    }
    RADIAL_HD double push_slope(double s) const {
        const double weight = positive_part(s + margin);
        return gamma * (through_weights && weight > 0 ? weight + (s - margin) : weight);
    }

    template <class Team>
    RADIAL_HD PairSums operator()(const Team& team, const PairRow<T>& anchor) const {
        const auto s = [&](std::int64_t j) { return static_cast<double>(anchor.value[j]); };
        const auto positive = [&](std::int64_t j) { return anchor.positive(j); };
        const auto negative = [&](std::int64_t j) { return anchor.negative(j); };
        if (count_of(team, anchor.columns, positive) == 0 || count_of(team, anchor.columns, negative) == 0) {
            team.each(anchor.columns, [&](std::int64_t j) { anchor.grad[j] = T{0}; });
            return {};
        }
        const double near =
            log_sum<double>(team, anchor.columns, 0, positive, [&](std::int64_t j) { return pull(s(j)); });
        const double far =
            log_sum<double>(team, anchor.columns, 0, negative, [&](std::int64_t j) { return push(s(j)); });
        const double outer = logistic(near + far);
        team.each(anchor.columns, [&](std::int64_t j) {
            double slope = 0;
            if (anchor.positive(j)) slope = std::exp(pull(s(j)) - near) * pull_slope(s(j));
            if (anchor.negative(j)) slope = std::exp(push(s(j)) - far) * push_slope(s(j));
            anchor.grad[j] = static_cast<T>(outer * slope);
        });
        return {{soft_plus(near + far), 0}, {1, 0}};
    }
};

/// Kim et al. 2020, Eq. 4; an anchor is a proxy.
template <class T>
struct ProxyAnchorRule {
    static constexpr bool two_parts = true;
    T alpha, delta;

    template <class Team>
    RADIAL_HD PairSums operator()(const Team& team, const PairRow<T>& anchor) const {
        const T* const s = anchor.value;
        const auto positive = [&](std::int64_t j) { return anchor.positive(j); };
        const auto negative = [&](std::int64_t j) { return anchor.negative(j); };
        const auto pull = [&](std::int64_t j) { return -alpha * (s[j] - delta); };
        const auto push = [&](std::int64_t j) { return alpha * (s[j] + delta); };
        const double positives = count_of(team, anchor.columns, positive);
        const T near = log_sum<T>(team, anchor.columns, 1, positive, pull);
        const T far = log_sum<T>(team, anchor.columns, 1, negative, push);
        team.each(anchor.columns, [&](std::int64_t j) {
            T slope{0};
            if (anchor.positive(j)) slope = -alpha * std::exp(pull(j) - near);
            if (anchor.negative(j)) slope = alpha * std::exp(push(j) - far);
            anchor.grad[j] = slope;
        });
        return {{static_cast<double>(near), static_cast<double>(far)}, {positives > 0 ? 1.0 : 0.0, 1}};
    }
};

}  // namespace radial::kernels
