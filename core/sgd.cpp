// Stochastic gradient descent with momentum: one pass over each parameter.
#include "radial/core/dispatch.h"
#include "radial/core/kernels/launch.h"
#include "radial/core/optim.h"

#include <cmath>
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
    for_each_gradient([&](std::size_t group, std::size_t index, const Tensor& parameter, const Tensor& gradient) {
        const ParameterGroup& settings = groups_[group];
        dispatch_floating(parameter.dtype(), "Sgd", [&](auto zero) {
            using T = decltype(zero);
            const auto rate = static_cast<T>(lr_ * settings.lr_scale), decay = static_cast<T>(settings.weight_decay);
            T* const w = parameter.data<T>();
            const T* const g = gradient.data<T>();
            if (options_.momentum == 0) {
                kernels::map(parameter.numel(), [=](std::int64_t i) { w[i] -= rate * (g[i] + decay * w[i]); });
                return;
            }
            check_fits(velocity_[group][index], parameter);
            const auto momentum = static_cast<T>(options_.momentum);
            const bool nesterov = options_.nesterov;
            T* const v = velocity_[group][index].data<T>();
            kernels::map(parameter.numel(), [=](std::int64_t i) {
                const T decayed = g[i] + decay * w[i];
                v[i] = momentum * v[i] + decayed;
                w[i] -= rate * (nesterov ? decayed + momentum * v[i] : v[i]);
            });
            velocity_[group][index].bump_version();
        });
        parameter.bump_version();
    });
}

std::vector<NamedTensor> Sgd::state() const {
    std::vector<NamedTensor> out;
    append_state("momentum", velocity_, out);
    return out;
}

void Sgd::load_state(const std::vector<NamedTensor>& state) { copy_state("Sgd::load_state", this->state(), state); }

}  // namespace radial
