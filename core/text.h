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

/// The choice with the smallest edit distance to `word`, the first of equals; "" when there are no choices. Of a word
/// of more than 256 bytes, which is nobody's slip of the finger, the first 256 are compared.
std::string nearest(std::string_view word, std::span<const std::string> choices);

/// `text` for a message: cut after about `most` bytes, with how many bytes it has, when it has more.
std::string shortened(std::string_view text, std::size_t most = 120);

}  // namespace radial
