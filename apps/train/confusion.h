// Which classes were taken for which.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace radial::train {

/// How often samples of each class were taken for each class: of the matrix [classes, classes] the cells that are not
/// 0, so that memory goes with the samples and not with the square of the classes.
class Confusion {
public:
    struct Cell {
        std::int64_t truth = 0, predicted = 0;  ///< classes
        std::int64_t count = 0;                 ///< samples
    };

    Confusion() = default;
    /// From the true and the predicted class of each sample. Throws Error when they differ in number, or for a class
    /// outside [0, classes).
    Confusion(std::span<const std::int64_t> truths, std::span<const std::int64_t> predicted, std::int64_t classes);

    std::int64_t classes() const { return classes_; }
    /// Row by row, columns rising.
    std::span<const Cell> cells() const { return cells_; }
    std::span<const Cell> row(std::int64_t truth) const;
    /// Samples of a class, and those of them that were taken for `predicted`.
    std::int64_t total(std::int64_t truth) const;
    std::int64_t count(std::int64_t truth, std::int64_t predicted) const;

private:
    std::int64_t classes_ = 0;
    std::vector<Cell> cells_;
    std::vector<std::size_t> rows_ = {0};  ///< where each row begins, and the last one ends
};

}  // namespace radial::train
