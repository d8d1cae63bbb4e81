// RMSprop: updates all parameters in one pass.
#include "radial/core/optim/rmsprop.h"

#include "radial/core/kernels/launch.h"
#include "radial/core/optim/kernels.h"
#include "radial/core/tensor/types.h"
#include "radial/core/util/error.h"

#include <cmath>
#include <span>
#include <utility>

namespace radial {

RmsProp::RmsProp(std::vector<Tensor> parameters, const RmsPropOptions& options)
    : RmsProp({ParameterGroup{.parameters = std::move(parameters), .weight_decay = options.weight_decay}}, options) {}

RmsProp::RmsProp(std::vector<ParameterGroup> groups, const RmsPropOptions& options)
    : Optimizer(std::move(groups), options.lr), options_(options) {
    RADIAL_CHECK(options.alpha >= 0 && options.alpha < 1, "RmsProp: alpha is {}, expected [0, 1)", options.alpha);
    RADIAL_CHECK(options.epsilon >= 0 && std::isfinite(options.epsilon),
                 "RmsProp: epsilon is {}, expected a finite number >= 0", options.epsilon);
    RADIAL_CHECK(options.momentum >= 0 && std::isfinite(options.momentum),
                 "RmsProp: momentum is {}, expected a finite number >= 0", options.momentum);
    squares_ = zeros_like_parameters();
    if (options.centered) means_ = zeros_like_parameters();
    if (options.momentum > 0) velocity_ = zeros_like_parameters();
}

void RmsProp::step() {
    visit_updates({&squares_, &means_, &velocity_}, [this](const std::vector<Update>& alike) {
        const Device device = alike.front().parameter.device();
        const double* const lr = rate_on(device);
        dispatch_floating(alike.front().parameter.dtype(), "RmsProp", [&](auto zero) {
            using T = decltype(zero);
            std::vector<kernels::RmsPropItem<T>> items;
            items.reserve(alike.size());
            for (const Update& update : alike) {
                items.push_back({.w = update.parameter.data<T>(),
                                 .g = update.gradient.data<T>(),
                                 .v = elements<T>(squares_, update),
                                 .m = elements<T>(means_, update),
                                 .b = elements<T>(velocity_, update),
                                 .count = update.parameter.numel(),
                                 .lr_scale = groups_[update.group].lr_scale,
                                 .decay = static_cast<T>(groups_[update.group].weight_decay)});
            }
            kernels::map_list(device, std::span<const kernels::RmsPropItem<T>>(items),
                              kernels::RmsPropStep<T>{.lr = lr,
                                                      .keep = static_cast<T>(options_.alpha),
                                                      .fresh = static_cast<T>(1 - options_.alpha),
                                                      .epsilon = static_cast<T>(options_.epsilon),
                                                      .momentum = static_cast<T>(options_.momentum)});
        });
    });
}

std::vector<NamedTensor> RmsProp::state() const {
    std::vector<NamedTensor> out;
    append_state("square", squares_, out);
    append_state("mean", means_, out);
    append_state("momentum", velocity_, out);
    return out;
}

void RmsProp::load_state(const std::vector<NamedTensor>& state) {
    copy_state("RmsProp::load_state", this->state(), state);
}

}  // namespace radial
