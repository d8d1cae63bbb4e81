// Edit distance, the nearest of a list of names, and truncation of long texts and lists.
#include "radial/core/util/text.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

namespace radial {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    // Rows i - 2, i - 1 and i of the usual table. Row i contains the distances from the first i bytes of a.
    std::vector<std::size_t> older(b.size() + 1), old(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::swap(older, old);
        std::swap(old, row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t substitute = old[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({old[j] + 1, row[j - 1] + 1, substitute});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], older[j - 2] + 1);
        }
    }
    return row[b.size()];
}

std::string nearest(std::string_view word, std::span<const std::string> choices) {
    constexpr std::size_t most = 256;
    word = word.substr(0, most);
    std::string best;
    std::size_t least = std::numeric_limits<std::size_t>::max();
    for (const std::string& choice : choices) {
        const std::size_t longer = std::max(word.size(), choice.size());
        const std::size_t shorter = std::min(word.size(), choice.size());
        if (longer - shorter >= least) continue;  // a lower bound of the distance
        const std::size_t distance = edit_distance(word, choice);
        if (distance >= least) continue;
        least = distance;
        best = choice;
    }
    return best;
}

std::string shortened(std::string_view text, std::size_t most) {
    if (text.size() <= most) return std::string(text);
    std::size_t end = most;  // at the start of a UTF-8 character, never inside one
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    return fmt::format("{}... ({} bytes)", text.substr(0, end), text.size());
}

std::vector<std::string> first_of(std::vector<std::string> items, std::string_view what) {
    constexpr std::size_t most = 8;
    if (items.size() <= most) return items;
    const std::size_t rest = items.size() - most;
    items.resize(most);
    items.push_back(fmt::format("{} more {}", rest, what));
    return items;
}

}  // namespace radial
