// Suggesting the nearest word only where it is near.
#include "radial/apps/train/console/suggestion.h"

#include "radial/core/util/text.h"

#include <fmt/core.h>

namespace radial::train {

std::string suggestion(std::string_view word, const std::vector<std::string>& choices) {
    const std::string best = nearest(word, choices);
    if (best.empty() || word.size() > 2 * best.size() || 2 * edit_distance(word, best) > word.size()) return "";
    return fmt::format("; did you mean {}?", best);
}

}  // namespace radial::train
