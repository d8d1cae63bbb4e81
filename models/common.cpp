// Helpers shared by the families of networks: convolutions with a norm, names and initial weights, rounded channels.
#include "radial/models/common.h"

#include "radial/core/tensor/random.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace radial {

ConvNorm make_conv_norm_unit(const ConvNormUnitOptions& options) {
    auto conv = std::make_shared<Conv2d>(Conv2dOptions{.in_channels = options.in_channels,
                                                       .out_channels = options.out_channels,
                                                       .kernel = options.kernel,
                                                       .stride = options.stride,
                                                       .padding = options.pads ? options.kernel / 2 : 0,
                                                       .groups = options.groups,
                                                       .bias = false});
    const std::int64_t divisor = options.fan_per_group ? options.groups : 1;
    init::kaiming_normal_(conv->weight(), std::sqrt(2.0 * static_cast<double>(divisor)), init::Fan::out);
    return {std::move(conv), std::make_shared<BatchNorm2d>(BatchNorm2dOptions{.channels = options.out_channels,
                                                                              .momentum = options.momentum,
                                                                              .epsilon = options.epsilon,
                                                                              .activation = options.activation})};
}

std::shared_ptr<Group> group_of(const ConvNorm& unit) {
    auto group = std::make_shared<Group>();
    group->register_module("0", unit.conv());
    group->register_module("1", unit.norm());
    return group;
}

std::shared_ptr<Group> group_of(const SqueezeExcite& layer) {
    auto group = std::make_shared<Group>();
    group->register_module("fc1", layer.reduce());
    group->register_module("fc2", layer.expand());
    return group;
}

void initialise(const SqueezeExcite& layer) {
    for (const auto& conv : {layer.reduce(), layer.expand()}) {
        init::kaiming_normal_(conv->weight(), std::sqrt(2.0), init::Fan::out);
        conv->bias().fill_(0);
    }
}

std::int64_t rounded_channels(double channels, std::int64_t divisor) {
    const double step = static_cast<double>(divisor);
    const auto nearest = static_cast<std::int64_t>(std::floor(channels / step + 0.5)) * divisor;
    const std::int64_t at_least = std::max(divisor, nearest);
    return static_cast<double>(at_least) < 0.9 * channels ? at_least + divisor : at_least;
}

}  // namespace radial
