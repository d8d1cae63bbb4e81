// Sums of losses as users write them: "softmax + 0.01 * ring".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace radial {

/// One term of a sum: its factor and the name that it multiplies.
struct ExpressionTerm {
    double weight = 1;
    std::string name;
    bool operator==(const ExpressionTerm&) const = default;
};

/// Reads NAME, or NAME + NUMBER * NAME + ... with any spaces; a number that is left out is 1. A name is a
/// letter and then letters, digits, hyphens and underscores; it is not looked up. Throws Error that quotes the text and
/// says at which character of it (counted from 1) what was expected.
std::vector<ExpressionTerm> parse_expression(std::string_view text);

}  // namespace radial
