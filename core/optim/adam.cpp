// Adam and AdamW: one pass over all parameters, after one that counts their steps.
#include "radial/core/kernels/launch.h"
#include "radial/core/optim/kernels.h"
#include "radial/core/optim/optim.h"
#include "radial/core/tensor/types.h"

#include <cmath>
#include <utility>

namespace radial {

Adam::Adam(std::vector<Tensor> parameters, const AdamOptions& options)
    : Adam({ParameterGroup{.parameters = std::move(parameters), .weight_decay = options.weight_decay}}, options) {}

Adam::Adam(std::vector<ParameterGroup> groups, const AdamOptions& options)
    : Optimizer(std::move(groups), options.lr), options_(options) {
    RADIAL_CHECK(options.beta1 >= 0 && options.beta1 < 1, "Adam: beta1 is {}, expected [0, 1)", options.beta1);
    RADIAL_CHECK(options.beta2 >= 0 && options.beta2 < 1, "Adam: beta2 is {}, expected [0, 1)", options.beta2);
    RADIAL_CHECK(options.epsilon >= 0 && std::isfinite(options.epsilon),
                 "Adam: epsilon is {}, expected a finite number >= 0", options.epsilon);
    first_ = zeros_like_parameters();
    second_ = zeros_like_parameters();
    for (std::size_t g = 0; g < groups_.size(); ++g) {
        const std::vector<Tensor>& parameters = groups_[g].parameters;
        const Device device = parameters.empty() ? Device{} : parameters.front().device();
        for (const Tensor& parameter : parameters) {
            RADIAL_CHECK(parameter.device() == device,
                         "Adam: group {} has parameters on {} and {}, expected one device in a group", g, device.str(),
                         parameter.device().str());
        }
        steps_.push_back(Tensor::zeros({static_cast<std::int64_t>(parameters.size())}, DType::int64, device));
    }
}

void Adam::step() {
    for (const std::vector<Update>& alike : updates()) {
        const Device device = alike.front().parameter.device();
        const auto bytes = static_cast<std::int64_t>(alike.size() * sizeof(kernels::AdamFactors));
        const Tensor factors = Tensor::empty({bytes}, DType::uint8, device);
        auto* const factor = static_cast<kernels::AdamFactors*>(factors.raw());
        count_steps(alike, factor);
        dispatch_floating(alike.front().parameter.dtype(), "Adam", [&](auto zero) {
            using T = decltype(zero);
            std::vector<kernels::AdamItem<T>> items;
            for (const Update& update : alike) {
                items.push_back(
                    {.w = update.parameter.data<T>(),
                     .g = update.gradient.data<T>(),
                     .m = first_[update.group][update.index].data<T>(),
                     .v = second_[update.group][update.index].data<T>(),
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
        for (const Update& update : alike)
            for (const Tensor& written : {first_[update.group][update.index], second_[update.group][update.index],
                                          steps_[update.group], update.parameter})
                written.bump_version();
    }
}

void Adam::count_steps(const std::vector<Update>& alike, kernels::AdamFactors* factors) {
    std::vector<kernels::AdamCount> counts;
    for (const Update& update : alike) {
        check_fits(first_[update.group][update.index], update.parameter);
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

std::vector<NamedTensor> Adam::state() const {
    std::vector<NamedTensor> out;
    append_state("first", first_, out);
    append_state("second", second_, out);
    for (std::size_t g = 0; g < steps_.size(); ++g) out.push_back({fmt::format("step.{}", g), steps_[g]});
    return out;
}

void Adam::load_state(const std::vector<NamedTensor>& state) { copy_state("Adam::load_state", this->state(), state); }

}  // namespace radial
