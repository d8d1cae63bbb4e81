// SGD: updates all parameters in one pass.
#include "radial/core/optim/sgd.h"

#include "radial/core/kernels/launch.h"
#include "radial/core/optim/kernels.h"
#include "radial/core/tensor/types.h"
#include "radial/core/util/error.h"

#include <cmath>
#include <span>
#include <utility>

namespace radial {

Sgd::Sgd(std::vector<Tensor> parameters, const SgdOptions& options)
    : Sgd({ParameterGroup{.parameters = std::move(parameters), .weight_decay = options.weight_decay}}, options) {}

Sgd::Sgd(std::vector<ParameterGroup> groups, const SgdOptions& options)
    : Optimizer(std::move(groups), options.lr), options_(options) {
    RADIAL_CHECK(options.momentum >= 0 && std::isfinite(options.momentum),
                 "Sgd: momentum is {}, expected a finite number >= 0", options.momentum);
    RADIAL_CHECK(!options.nesterov || options.momentum > 0, "Sgd: nesterov needs a momentum above 0, got {}",
                 options.momentum);
    if (options.momentum > 0) velocity_ = zeros_like_parameters();
}

void Sgd::step() {
    visit_updates({&velocity_}, [this](const std::vector<Update>& alike) {
        const Device device = alike.front().parameter.device();
        const double* const lr = rate_on(device);
        dispatch_floating(alike.front().parameter.dtype(), "Sgd", [&](auto zero) {
            using T = decltype(zero);
            std::vector<kernels::SgdItem<T>> list;
            list.reserve(alike.size());
            for (const Update& update : alike) {
                list.push_back({.w = update.parameter.data<T>(),
                                .g = update.gradient.data<T>(),
                                .v = elements<T>(velocity_, update),
                                .count = update.parameter.numel(),
                                .lr_scale = groups_[update.group].lr_scale,
                                .decay = static_cast<T>(groups_[update.group].weight_decay)});
            }
            const std::span<const kernels::SgdItem<T>> items(list);
            const auto momentum = static_cast<T>(options_.momentum);
            if (velocity_.empty()) {
                kernels::map_list(device, items, kernels::SgdStep<T>{lr});
            } else if (options_.nesterov) {
                kernels::map_list(device, items, kernels::SgdMomentumStep<T, true>{lr, momentum});
            } else {
                kernels::map_list(device, items, kernels::SgdMomentumStep<T, false>{lr, momentum});
            }
        });
    });
}

std::vector<NamedTensor> Sgd::state() const {
    std::vector<NamedTensor> out;
    append_state("momentum", velocity_, out);
    return out;
}

void Sgd::load_state(const std::vector<NamedTensor>& state) { copy_state("Sgd::load_state", this->state(), state); }

}  // namespace radial
