// Helpers shared by the families of networks: groups of modules, convolutions with a norm, rounded numbers of channels,
// and the names in a table of published networks.
#pragma once

#include "radial/core/nn/module.h"
#include "radial/layers/conv.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace radial {

/// A group of modules, whose names begin with the name of the group, as in "features.0". The owner of the group runs
/// the modules.
class Group : public Module {
public:
    /// Made public, because the owner registers the modules.
    using Module::register_module;
};

/// Options of make_conv_norm_unit().
struct ConvNormUnitOptions {
    std::int64_t in_channels = 1;              ///< channels of the input
    std::int64_t out_channels = 1;             ///< channels of the result
    std::int64_t kernel = 1;                   ///< height and width of the kernel
    std::int64_t stride = 1;                   ///< step of the window, in pixels
    std::int64_t groups = 1;                   ///< groups of channels that are convolved separately
    bool pads = true;                          ///< pad by half the kernel; false does not pad
    bool fan_per_group = false;                ///< see make_conv_norm_unit()
    Activation activation = Activation::relu;  ///< applied after the norm
    double epsilon = 1e-5;                     ///< added to the variance in the batch norm
    double momentum = 0.1;                     ///< weight of a batch in the running statistics
};

/// Returns a convolution without a bias, and its batch norm. The initial weights are from N(0, 2 / fan_out), where
/// fan_out is out_channels * kernel^2 whatever the number of groups, as in torchvision's networks, or, with
/// `fan_per_group`, out_channels / groups * kernel^2, as in timm's EfficientNets. Throws as Conv2d and BatchNorm2d do.
ConvNorm make_conv_norm_unit(const ConvNormUnitOptions& options);
/// A group with the convolution as "0" and the norm as "1", the names in torchvision's Conv2dNormActivation.
std::shared_ptr<Group> group_of(const ConvNorm& unit);
/// A group with the convolutions of `layer` as "fc1" and "fc2", the names in torchvision's SqueezeExcitation.
std::shared_ptr<Group> group_of(const SqueezeExcite& layer);
/// Initialises the weights of a squeeze-and-excitation from N(0, 2 / fan_out) and its biases to 0.
void initialise(const SqueezeExcite& layer);

/// The multiple of `divisor` nearest to `channels` and at least `divisor`, or the next one above if the nearest is more
/// than a tenth below `channels`. Networks that are scaled in width round their numbers of channels in this way.
std::int64_t rounded_channels(double channels, std::int64_t divisor);

/// The names of a table's entries, in the order of the table.
template <class Entry>
std::vector<std::string> names_of(const std::vector<Entry>& table) {
    std::vector<std::string> names;
    names.reserve(table.size());
    for (const Entry& entry : table) names.push_back(entry.name);
    return names;
}

}  // namespace radial
