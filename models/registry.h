// The registry of networks: their images, feature dimensions and options, and how to build them.
#pragma once

#include "radial/core/nn/module.h"
#include "radial/core/util/options.h"
#include "radial/core/util/registry.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace radial {

/// Options of a network as names and values, from a command line or a config file.
using ModelSettings = Settings;

/// A network's entry in the registry.
struct ModelInfo {
    std::string name;  ///< name on the command line, such as "resnet20"
    /// "lenetpp", "resnet", "vgg", "densenet", "efficientnet", "tf-efficientnet", "regnet", "mobilenetv3" or "airbench"
    std::string family;
    std::string source;        ///< paper, year and table
    Shape image;               ///< [C, H, W] of the images it was published for
    std::int64_t classes = 0;  ///< number of classes of that data set
    std::int64_t dim = 0;      ///< feature dimension; the default if it can be chosen
    bool any_dim = false;      ///< whether the feature dimension can be chosen
    /// Every option with its default value; see describe_options(). All networks have "recompute": if true, blocks keep
    /// only their inputs for backward (Module::set_recompute()).
    std::vector<OptionInfo> options{};
    /// Builds the network with initial weights from default_generator(). `settings` must contain a value of the right
    /// type for every option; make_model() adds the default values of the options that were not given.
    std::function<std::unique_ptr<Layer>(std::int64_t dim, const ModelSettings& settings)> make;

    /// The default of each option.
    ModelSettings defaults() const { return defaults_of(options); }
};

/// All networks: those of the library, in the order of registry.cpp, then those registered by users.
const Registry<ModelInfo>& model_registry();
/// Adds a network to the registry. Call it before training starts, for example from main(). The option "recompute" is
/// added if `options` does not have it. Throws Error for a name that is taken or invalid (see Registry), an image that
/// is not [C, H, W], a feature of length 0, and an entry without `make`.
void register_model(ModelInfo info);
/// Removes a network that register_model() added. Throws Error when there is no such network.
void unregister_model(std::string_view name);
/// The entry of the network with this name; null if there is none.
const ModelInfo* find_model(std::string_view name);
/// Returns all options that make_model() would use, with their values. Throws Error for an unknown option, suggesting
/// the nearest one.
ModelSettings model_settings(const ModelInfo& info, const ModelSettings& settings = {});
/// Builds a network. Options not in `settings` keep their defaults. Throws Error when `dim` is not a possible feature
/// length, for an unknown option, suggesting the nearest one, and for an invalid value of an option.
std::unique_ptr<Layer> make_model(const ModelInfo& info, std::int64_t dim, const ModelSettings& settings = {});

}  // namespace radial
