// Parses sums of losses as users write them: "softmax + 0.01 * ring".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace radial {

/// One term of a sum.
struct ExpressionTerm {
    double weight = 1;  ///< factor of the term
    std::string name;   ///< name of a loss or regulariser
    bool operator==(const ExpressionTerm&) const = default;
};

/// Parses NAME, or NAME + NUMBER * NAME + ..., with any spaces; a missing number means 1. A name is a letter followed
/// by letters, digits, hyphens and underscores; it is not looked up. Throws Error that quotes the text and says at
/// which character, counted from 1, something else was expected.
std::vector<ExpressionTerm> parse_expression(std::string_view text);

}  // namespace radial
