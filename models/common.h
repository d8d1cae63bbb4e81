// What several families of networks share: groups of modules, and the names in a table of published networks.
#pragma once

#include "radial/core/nn/module.h"

#include <string>
#include <vector>

namespace radial {

/// Modules registered in a group are named below it: "features.0". The owner of the group runs them.
class Group : public Module {
public:
    /// Public here: the owner registers the modules.
    using Module::register_module;
};

/// The names of a table's entries, in its order.
template <class Entry>
std::vector<std::string> names_of(const std::vector<Entry>& table) {
    std::vector<std::string> names;
    names.reserve(table.size());
    for (const Entry& entry : table) names.push_back(entry.name);
    return names;
}

}  // namespace radial
