// Helpers shared by the families of networks: groups of modules, and the names in a table of published networks.
#pragma once

#include "radial/core/nn/module.h"

#include <string>
#include <vector>

namespace radial {

/// A group of modules, whose names begin with the group's: "features.0". The owner of the group runs the modules.
class Group : public Module {
public:
    /// Made public, because the owner registers the modules.
    using Module::register_module;
};

/// The names of a table's entries, in the order of the table.
template <class Entry>
std::vector<std::string> names_of(const std::vector<Entry>& table) {
    std::vector<std::string> names;
    names.reserve(table.size());
    for (const Entry& entry : table) names.push_back(entry.name);
    return names;
}

}  // namespace radial
