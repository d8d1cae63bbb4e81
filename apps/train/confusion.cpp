// Confusion: counting pairs of classes.
#include "radial/apps/train/confusion.h"

#include "radial/core/util/error.h"

#include <algorithm>
#include <utility>

namespace radial::train {

Confusion::Confusion(std::span<const std::int64_t> truths, std::span<const std::int64_t> predicted,
                     std::int64_t classes)
    : classes_(classes), rows_(static_cast<std::size_t>(classes) + 1, 0) {
    RADIAL_CHECK(truths.size() == predicted.size(), "confusion: {} true classes and {} predicted ones", truths.size(),
                 predicted.size());
    std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
    pairs.reserve(truths.size());
    for (std::size_t i = 0; i < truths.size(); ++i) {
        for (const std::int64_t c : {truths[i], predicted[i]})
            RADIAL_CHECK(c >= 0 && c < classes, "confusion: class {} is outside [0, {})", c, classes);
        pairs.emplace_back(truths[i], predicted[i]);
    }
    std::ranges::sort(pairs);
    for (const auto& [truth, guess] : pairs) {
        if (cells_.empty() || cells_.back().truth != truth || cells_.back().predicted != guess) {
            cells_.push_back({.truth = truth, .predicted = guess, .count = 0});
            ++rows_[static_cast<std::size_t>(truth) + 1];
        }
        ++cells_.back().count;
    }
    for (std::size_t row = 1; row < rows_.size(); ++row) rows_[row] += rows_[row - 1];
}

std::span<const Confusion::Cell> Confusion::row(std::int64_t truth) const {
    RADIAL_CHECK(truth >= 0 && truth < classes_, "confusion: class {} is outside [0, {})", truth, classes_);
    const auto at = static_cast<std::size_t>(truth);
    return std::span(cells_).subspan(rows_[at], rows_[at + 1] - rows_[at]);
}

std::int64_t Confusion::total(std::int64_t truth) const {
    std::int64_t sum = 0;
    for (const Cell& cell : row(truth)) sum += cell.count;
    return sum;
}

std::int64_t Confusion::count(std::int64_t truth, std::int64_t predicted) const {
    const std::span<const Cell> cells = row(truth);
    const auto found = std::ranges::lower_bound(cells, predicted, {}, &Cell::predicted);
    return found != cells.end() && found->predicted == predicted ? found->count : 0;
}

}  // namespace radial::train
