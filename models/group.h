// A module that only groups other modules under a name.
#pragma once

#include "radial/core/nn/module.h"

namespace radial {

/// Modules registered in a group are named below it: "features.0". The owner of the group runs them.
class Group : public Module {
public:
    /// Public here: the owner registers the modules.
    using Module::register_module;
};

}  // namespace radial
