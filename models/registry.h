// Every network by name: what images it takes, how long its feature is, what can be set, how to build it.
#pragma once

#include "radial/core/nn/module.h"
#include "radial/core/util/registry.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace radial {

/// Options of a network as name and value, from a command line or a config file.
using ModelSettings = std::map<std::string, double>;

/// What the registry knows of a network.
struct ModelInfo {
    std::string name;          ///< as on the command line: "resnet20"
    std::string family;        ///< "lenetpp", "resnet", "vgg", "densenet", "efficientnet" or "tf-efficientnet"
    std::string source;        ///< paper, year, table
    Shape image;               ///< [C, H, W] of the data it was published for
    std::int64_t classes = 0;  ///< of that data
    std::int64_t dim = 0;      ///< length of its feature, or what that is by default
    bool any_dim = false;      ///< whether the feature may have another length
    /// Every option with its default value. All have "checkpoint": where not 0, blocks keep only their inputs for
    /// backward (Module::set_checkpointing()).
    ModelSettings settings{};
    /// Builds it with first weights from default_generator(), given the feature's length and a value for every option
    /// of `settings`; make_model() fills in those not given.
    std::function<std::unique_ptr<Layer>(std::int64_t dim, const ModelSettings& settings)> make;
};

/// Every network: the library's, in the order of registry.cpp, then those that were registered.
const Registry<ModelInfo>& model_registry();
/// Gives the programs one more network. To be called before training starts, as from main(). The option "checkpoint" is
/// added where `settings` lacks it. Throws Error for a name that is taken or cannot be one (Registry), an image that is
/// not [C, H, W], a feature without length, and an entry without `make`.
void register_model(ModelInfo info);
/// Takes back what was registered under a name. Throws Error where nothing was.
void unregister_model(std::string_view name);
/// Null when there is none of that name.
const ModelInfo* find_model(std::string_view name);
/// Every option that make_model() would use and its value. Throws Error for an unknown option, suggesting the nearest.
ModelSettings model_settings(const ModelInfo& info, const ModelSettings& settings = {});
/// Builds a network; options not in `settings` keep their defaults. Throws Error when `dim` is not the length of a
/// feature that it can give, for an unknown option, suggesting the nearest, and for a value that an option cannot have.
std::unique_ptr<Layer> make_model(const ModelInfo& info, std::int64_t dim, const ModelSettings& settings = {});

}  // namespace radial
