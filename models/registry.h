// Every network by name: what images it takes, how long its feature is, how to build it.
#pragma once

#include "radial/core/module.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace radial {

/// What the registry knows of a network.
struct ModelInfo {
    std::string name;          ///< as on the command line: "resnet20"
    Shape image;               ///< [C, H, W] of the data it was published for
    std::int64_t classes = 0;  ///< of that data
    std::int64_t dim = 0;      ///< length of its feature, or what that is by default
    bool any_dim = false;      ///< whether the feature may have another length
    /// Builds it with first weights from default_generator(), given the feature's length.
    std::function<std::unique_ptr<Layer>(std::int64_t dim)> make;
};

/// Every network, in the order of registry.cpp.
const std::vector<ModelInfo>& model_registry();
/// Null when there is none of that name.
const ModelInfo* find_model(std::string_view name);
/// Builds a network. Throws Error when `dim` is not the length of a feature that it can give.
std::unique_ptr<Layer> make_model(const ModelInfo& info, std::int64_t dim);

}  // namespace radial
