// Helpers for text that users type and read.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace radial {

/// The number of insertions, deletions, substitutions and swaps of adjacent bytes that turn `a` into `b` (restricted
/// Damerau-Levenshtein distance).
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The choice with the smallest edit distance to `word`, or the first of several such choices; "" when there are no
/// choices. Only the first 256 bytes of a longer `word` are compared.
std::string nearest(std::string_view word, std::span<const std::string> choices);

/// `text` for a message: text of more than about `most` bytes is truncated, with a note of its full length.
std::string shortened(std::string_view text, std::size_t most = 120);
/// The first eight of `items`. If there are more, a further entry gives the number of the rest, such as "5 more are
/// missing" when `what` is "are missing".
std::vector<std::string> first_of(std::vector<std::string> items, std::string_view what);

}  // namespace radial
