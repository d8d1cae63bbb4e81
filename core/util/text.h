// Small helpers for the words that users type, and for those that they read.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace radial {

/// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b` (restricted
/// Damerau-Levenshtein), in bytes.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The choice with the smallest edit distance to `word`, the first of equals; "" when there are no choices. Of a word
/// of more than 256 bytes, which is nobody's slip of the finger, the first 256 are compared.
std::string nearest(std::string_view word, std::span<const std::string> choices);

/// `text` for a message: cut after about `most` bytes, with how many bytes it has, when it has more.
std::string shortened(std::string_view text, std::size_t most = 120);
/// The first eight of `items`; where there are more, a last one counts them: "5 more are missing", for `what` "are
/// missing".
std::vector<std::string> first_of(std::vector<std::string> items, std::string_view what);

}  // namespace radial
