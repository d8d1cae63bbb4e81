// A module that only gives names to others.
#pragma once

#include "radial/core/nn/module.h"

namespace radial {

/// What its owner registers in it stands below its name: "features.0". The owner runs the parts.
class Group : public Module {
public:
    using Module::register_module;
};

}  // namespace radial
