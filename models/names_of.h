// The names in a family's table of published networks.
#pragma once

#include <string>
#include <vector>

namespace radial {

/// The names of a table's entries, in its order.
template <class Entry>
std::vector<std::string> names_of(const std::vector<Entry>& table) {
    std::vector<std::string> names;
    names.reserve(table.size());
    for (const Entry& entry : table) names.push_back(entry.name);
    return names;
}

}  // namespace radial
