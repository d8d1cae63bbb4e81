// LAMB: passes over all parameters, and two sums over each parameter for its trust ratio.
#include "radial/core/optim/lamb.h"

#include "radial/core/kernels/launch.h"
#include "radial/core/optim/kernels.h"
#include "radial/core/tensor/types.h"

#include <span>
#include <utility>

namespace radial {

Lamb::Lamb(std::vector<Tensor> parameters, const LambOptions& options)
    : Lamb({ParameterGroup{.parameters = std::move(parameters), .weight_decay = options.weight_decay}}, options) {}

Lamb::Lamb(std::vector<ParameterGroup> groups, const LambOptions& options)
    : MomentOptimizer("Lamb", std::move(groups), options.lr, options.beta1, options.beta2, options.epsilon),
      options_(options) {}

void Lamb::step() {
    visit_updates({&first_, &second_}, [this](const std::vector<Update>& alike) {
        const auto bytes = static_cast<std::int64_t>(alike.size() * sizeof(kernels::LambFactors));
        const Tensor factors = Tensor::empty({bytes}, DType::uint8, alike.front().parameter.device());
        auto* const factor = static_cast<kernels::LambFactors*>(factors.raw());
        dispatch_floating(alike.front().parameter.dtype(), "Lamb",
                          [&](auto zero) { update_list<decltype(zero)>(alike, factor); });
        for (const Update& update : alike) steps_[update.group].bump_version();
    });
}

template <class T>
void Lamb::update_list(const std::vector<Update>& alike, kernels::LambFactors* factors) {
    const Device device = alike.front().parameter.device();
    std::vector<kernels::LambCount> counts;
    std::vector<kernels::LambItem<T>> items;
    for (const Update& update : alike) {
        const ParameterGroup& group = groups_[update.group];
        kernels::LambFactors* const own = factors + items.size();
        counts.push_back({.steps = steps_[update.group].data<std::int64_t>() + update.index,
                          .factors = own,
                          .count = 1,
                          .lr_scale = group.lr_scale,
                          .adapts = group.weight_decay != 0 || options_.always_adapt});
        items.push_back({.w = update.parameter.data<T>(),
                         .g = update.gradient.data<T>(),
                         .m = elements<T>(first_, update),
                         .v = elements<T>(second_, update),
                         .factors = own,
                         .count = update.parameter.numel(),
                         .decay = static_cast<T>(group.weight_decay),
                         .epsilon = static_cast<T>(options_.epsilon)});
    }
    const std::span<const kernels::LambItem<T>> list(items);
    kernels::map_list(device, std::span<const kernels::LambCount>(counts),
                      kernels::LambCountStep{.beta1 = options_.beta1, .beta2 = options_.beta2});
    kernels::map_list(device, list,
                      kernels::LambAverage<T>{.new1 = static_cast<T>(1 - options_.beta1),
                                              .keep2 = static_cast<T>(options_.beta2),
                                              .new2 = static_cast<T>(1 - options_.beta2)});
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (!counts[i].adapts || items[i].count == 0) continue;
        kernels::reduce(device, items[i].count, kernels::LambSquaredWeight<T>{items[i]}, 1.0, &factors[i].weight);
        kernels::reduce(device, items[i].count, kernels::LambSquaredUpdate<T>{items[i]}, 1.0, &factors[i].update);
    }
    kernels::map_list(device, std::span<const kernels::LambCount>(counts),
                      kernels::LambRate{.lr = rate_on(device), .clips = options_.trust_clip});
    kernels::map_list(device, list, kernels::LambStep<T>{});
}

}  // namespace radial
