// Small helpers for the words that users type.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace radial {

/// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b` (restricted
/// Damerau-Levenshtein), in bytes.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The choice with the smallest edit distance to `word`, the first of equals; "" when there are no choices.
std::string nearest(std::string_view word, std::span<const std::string> choices);

}  // namespace radial
