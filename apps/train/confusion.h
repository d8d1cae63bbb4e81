// The confusion matrix of an evaluation.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace radial::train {

/// A confusion matrix, [classes, classes]: the number of samples of each true class (row) for which each class was
/// predicted (column). Only cells that are not 0 are stored, so memory is proportional to the number of samples at
/// most, not to the square of the number of classes.
class Confusion {
public:
    /// A cell of the matrix that is not 0.
    struct Cell {
        std::int64_t truth = 0, predicted = 0;  ///< true class (row) and predicted class (column)
        std::int64_t count = 0;                 ///< number of samples
    };

    Confusion() = default;
    /// Counts the pairs of true and predicted class, one per sample. Throws Error when the spans differ in length or a
    /// class is outside [0, classes).
    Confusion(std::span<const std::int64_t> truths, std::span<const std::int64_t> predicted, std::int64_t classes);

    /// The number of classes.
    std::int64_t classes() const { return classes_; }
    /// All stored cells, ordered by true class, then by predicted class.
    std::span<const Cell> cells() const { return cells_; }
    /// The stored cells of a true class, ordered by predicted class. Throws Error when the class is out of range, as
    /// total() and count() do.
    std::span<const Cell> row(std::int64_t truth) const;
    /// The number of samples of a true class.
    std::int64_t total(std::int64_t truth) const;
    /// The number of samples of class `truth` for which `predicted` was predicted.
    std::int64_t count(std::int64_t truth, std::int64_t predicted) const;

private:
    std::int64_t classes_ = 0;
    std::vector<Cell> cells_;
    std::vector<std::size_t> rows_ = {0};  ///< start of each row in cells_, and the end of the last
};

}  // namespace radial::train
