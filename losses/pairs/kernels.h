// Losses over the pairs of a batch: the input and output of a rule, the rules, and the passes that call them.
//
// A rule is called with a team and a PairRow, which describes one anchor. It writes the gradient of its sums of terms,
// and returns these sums and the counts by which they will be divided. Pairs with equal labels belong to part 0. If a
// rule has two parts, the other pairs belong to part 1, with its own sum and count.
#pragma once

#include "radial/core/kernels/team.h"
#include "radial/core/kernels/values.h"
#include "radial/core/ops/kernels/reduce.h"

#include <cmath>
#include <cstdint>

namespace radial::kernels {

/// The labels of a matrix of pairs. If `same`, row i and column i are the same sample and do not form a pair.
struct PairIndex {
    const std::int64_t *rows, *columns;
    bool same;

    RADIAL_HD bool is_pair(std::int64_t i, std::int64_t j) const { return !same || i != j; }
    RADIAL_HD bool positive(std::int64_t i, std::int64_t j) const { return rows[i] == columns[j] && is_pair(i, j); }
    RADIAL_HD bool negative(std::int64_t i, std::int64_t j) const { return rows[i] != columns[j]; }
};

/// One anchor: its similarities or distances, and memory for their gradient.
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

/// The sum of the terms of one anchor and the number by which it will be divided, for parts 0 and 1 of a rule.
struct PairSums {
    double sum[2], count[2];
};
/// The number of values in PairSums.
inline constexpr std::int64_t pair_sums = 4;

/// Applies `rule` to each row of a matrix [rows, columns]; sums is [rows, pair_sums].
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

/// 1 / count, or 0 if there are no terms.
RADIAL_HD inline double pair_weight(double count) { return count > 0 ? 1 / count : 0; }

/// The loss from the sums of all rows: the mean of part 0 plus the mean of part 1.
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

/// Turns the gradients of sums into those of means, multiplied by dL/dloss.
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

/// max(v, 0); NaN stays NaN.
template <class T>
RADIAL_HD T positive_part(T v) {
    return v < 0 ? T{0} : v;
}

/// The number of j in [0, n) for which in(j) is true.
template <class Team, class In>
RADIAL_HD double count_of(const Team& team, std::int64_t n, const In& in) {
    return team.sum(n, [&](std::int64_t j) { return in(j) ? 1.0 : 0.0; });
}

// ---- rules ----

/// Hadsell et al. 2006: penalises positive pairs further apart than one margin and negative pairs closer than another.
template <class T>
struct ContrastiveRule {
    static constexpr bool two_parts = true;
    T positive_margin, negative_margin;
    bool squared, over_nonzero;

    /// The distance by which a positive pair is too far apart or a negative pair too close; 0 for a pair that is
    /// neither.
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

/// Khosla et al. 2020, L_out: the mean over the positive pairs of -log softmax over all other samples.
template <class T>
struct SupervisedContrastiveRule {
    static constexpr bool two_parts = false;
    T inverse_temperature;

    template <class Team>
    RADIAL_HD PairSums operator()(const Team& team, const PairRow<T>& anchor) const {
        const T factor = inverse_temperature;
        // Similarities are taken relative to the most similar pair, so that a large common offset cancels before the
        // multiplication by the factor, which may be 1000, and does not add a rounding error.
        const T top = team.max(anchor.columns,
                               [&](std::int64_t j) { return anchor.is_pair(j) ? anchor.value[j] : -infinity<T>; });
        const auto z = [&](std::int64_t j) { return (anchor.value[j] - top) * factor; };
        const Pair<double> near = team.sum(anchor.columns, [&](std::int64_t j) -> Pair<double> {
            if (!anchor.positive(j)) return {};
            return {static_cast<double>(z(j)), 1.0};
        });
        if (near.second == 0) {
            team.each(anchor.columns, [&](std::int64_t j) { anchor.grad[j] = T{0}; });
            return {};
        }
        const LogSum<T> all = log_sum_of<T>(
            team, anchor.columns, 0, [&](std::int64_t j) { return anchor.is_pair(j); }, z);
        const T share = static_cast<T>(1 / near.second);
        team.each(anchor.columns, [&](std::int64_t j) {
            const T hit = anchor.positive(j) ? share : T{0};
            anchor.grad[j] = anchor.is_pair(j) ? factor * (all.share(z(j)) - hit) : T{0};
        });
        const double above_mean = static_cast<double>(all.top) - near.first / near.second;
        return {{above_mean + static_cast<double>(all.log), 0}, {1, 0}};
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
        const LogSum<T> near = log_sum_of<T>(team, anchor.columns, 1, keeps_positive, pull);
        const LogSum<T> far = log_sum_of<T>(team, anchor.columns, 1, keeps_negative, push);
        team.each(anchor.columns, [&](std::int64_t j) {
            T slope{0};
            if (keeps_positive(j)) slope = -near.share(pull(j));
            if (keeps_negative(j)) slope = far.share(push(j));
            anchor.grad[j] = slope;
        });
        return {{static_cast<double>(near.value() / alpha) + static_cast<double>(far.value() / beta), 0}, {1, 0}};
    }
};

/// Sun et al. 2020, Eq. 6 to 8 with the margins of Sec. 3.3. Computed in double, because gamma is large: the exponents
/// reach the hundreds, where float32 leaves only four decimals for exp().
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
        const LogSum<double> near =
            log_sum_of<double>(team, anchor.columns, 0, positive, [&](std::int64_t j) { return pull(s(j)); });
        const LogSum<double> far =
            log_sum_of<double>(team, anchor.columns, 0, negative, [&](std::int64_t j) { return push(s(j)); });
        const double both = near.value() + far.value(), outer = logistic(both);
        team.each(anchor.columns, [&](std::int64_t j) {
            double slope = 0;
            if (anchor.positive(j)) slope = near.share(pull(s(j))) * pull_slope(s(j));
            if (anchor.negative(j)) slope = far.share(push(s(j))) * push_slope(s(j));
            anchor.grad[j] = static_cast<T>(outer * slope);
        });
        return {{soft_plus(both), 0}, {1, 0}};
    }
};

/// Kim et al. 2020, Eq. 4. Each anchor is a proxy.
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
        const LogSum<T> near = log_sum_of<T>(team, anchor.columns, 1, positive, pull);
        const LogSum<T> far = log_sum_of<T>(team, anchor.columns, 1, negative, push);
        team.each(anchor.columns, [&](std::int64_t j) {
            T slope{0};
            if (anchor.positive(j)) slope = -alpha * near.share(pull(j));
            if (anchor.negative(j)) slope = alpha * far.share(push(j));
            anchor.grad[j] = slope;
        });
        return {{static_cast<double>(near.value()), static_cast<double>(far.value())}, {positives > 0 ? 1.0 : 0.0, 1}};
    }
};

}  // namespace radial::kernels
