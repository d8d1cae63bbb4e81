// The end of an error about a mistyped word: what it was most likely meant to be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace radial::train {

/// "; did you mean NAME?" with the nearest of `choices`, or "" when more than half of the word would have to change.
std::string suggestion(std::string_view word, const std::vector<std::string>& choices);

}  // namespace radial::train
