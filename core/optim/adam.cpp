// Adam: computes the factors of each parameter from its step count, and updates all parameters in one pass.
#include "radial/core/optim/adam.h"

#include "radial/core/kernels/launch.h"
#include "radial/core/optim/kernels.h"
#include "radial/core/tensor/types.h"

#include <span>
#include <utility>

namespace radial {

Adam::Adam(std::vector<Tensor> parameters, const AdamOptions& options)
    : Adam({ParameterGroup{.parameters = std::move(parameters), .weight_decay = options.weight_decay}}, options) {}

Adam::Adam(std::vector<ParameterGroup> groups, const AdamOptions& options)
    : MomentOptimizer("Adam", std::move(groups), options.lr, options.beta1, options.beta2, options.epsilon),
      options_(options) {}

void Adam::step() {
    visit_updates({&first_, &second_}, [this](const std::vector<Update>& alike) {
        const Device device = alike.front().parameter.device();
        const auto bytes = static_cast<std::int64_t>(alike.size() * sizeof(kernels::AdamFactors));
        const Tensor factors = Tensor::empty({bytes}, DType::uint8, device);
        auto* const factor = static_cast<kernels::AdamFactors*>(factors.raw());
        count_steps(alike, factor);
        dispatch_floating(alike.front().parameter.dtype(), "Adam", [&](auto zero) {
            using T = decltype(zero);
            std::vector<kernels::AdamItem<T>> items;
            items.reserve(alike.size());
            for (const Update& update : alike) {
                items.push_back(
                    {.w = update.parameter.data<T>(),
                     .g = update.gradient.data<T>(),
                     .m = elements<T>(first_, update),
                     .v = elements<T>(second_, update),
                     .factors = factor + items.size(),
                     .count = update.parameter.numel(),
                     .decay = static_cast<T>(options_.decoupled ? 0.0 : groups_[update.group].weight_decay)});
            }
            kernels::map_list(device, std::span<const kernels::AdamItem<T>>(items),
                              kernels::AdamStep<T>{.new1 = static_cast<T>(1 - options_.beta1),
                                                   .keep2 = static_cast<T>(options_.beta2),
                                                   .new2 = static_cast<T>(1 - options_.beta2),
                                                   .epsilon = static_cast<T>(options_.epsilon)});
        });
    });
}

void Adam::count_steps(const std::vector<Update>& alike, kernels::AdamFactors* factors) {
    std::vector<kernels::AdamCount> counts;
    for (const Update& update : alike) {
        steps_[update.group].bump_version();
        counts.push_back({.steps = steps_[update.group].data<std::int64_t>() + update.index,
                          .factors = factors + counts.size(),
                          .count = 1,
                          .lr_scale = groups_[update.group].lr_scale,
                          .decoupled_decay = options_.decoupled ? groups_[update.group].weight_decay : 0.0});
    }
    const Device device = alike.front().parameter.device();
    kernels::map_list(device, std::span<const kernels::AdamCount>(counts),
                      kernels::AdamCountStep{.lr = rate_on(device), .beta1 = options_.beta1, .beta2 = options_.beta2});
}

}  // namespace radial
