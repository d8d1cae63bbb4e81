// The base of all optimizers: its groups, rates and updates.
#include "radial/core/optim/optimizer.h"

#include "radial/core/memory/device_runtime.h"
#include "radial/core/tensor/types.h"
#include "radial/core/util/error.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <unordered_set>
#include <utility>

namespace radial {

Optimizer::Optimizer(std::vector<ParameterGroup> groups, double lr) : groups_(std::move(groups)), lr_(0) {
    Optimizer::set_lr(lr);
    std::unordered_set<const TensorImpl*> seen;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
        const ParameterGroup& group = groups_[g];
        RADIAL_CHECK(group.lr_scale >= 0 && std::isfinite(group.lr_scale),
                     "optimizer: lr_scale of group {} is {}, expected a finite number >= 0", g, group.lr_scale);
        RADIAL_CHECK(group.weight_decay >= 0 && std::isfinite(group.weight_decay),
                     "optimizer: weight decay of group {} is {}, expected a finite number >= 0", g, group.weight_decay);
        for (std::size_t p = 0; p < group.parameters.size(); ++p) {
            const Tensor& parameter = group.parameters[p];
            RADIAL_CHECK(parameter.defined(), "optimizer: parameter {}.{} is undefined", g, p);
            RADIAL_CHECK(parameter.dtype() == DType::float32 || parameter.dtype() == DType::float64,
                         "optimizer: parameter {}.{} is {}, expected float32 or float64", g, p, parameter.str());
            RADIAL_CHECK(seen.insert(parameter.impl().get()).second,
                         "optimizer: parameter {}.{} ({}) was given before, expected each once", g, p, parameter.str());
        }
    }
    RADIAL_CHECK(!seen.empty(), "optimizer: no parameters were given, expected at least one");
}

void Optimizer::set_lr(double lr) {
    RADIAL_CHECK(lr >= 0 && std::isfinite(lr), "optimizer: learning rate is {}, expected a finite number >= 0", lr);
    if (lr != lr_) {
        for (const Tensor& rate : rates_) {
            const Device device = rate.device();
            RADIAL_CHECK(
                device.kind == Device::Kind::cpu || !device::capturing(device.index),
                "optimizer: the learning rate was set while a graph was recorded on {}; set it before the step",
                device.str());
            rate.fill_(lr);
        }
    }
    lr_ = lr;
}

const double* Optimizer::rate_on(Device device) {
    const auto found =
        std::find_if(rates_.begin(), rates_.end(), [&](const Tensor& rate) { return rate.device() == device; });
    if (found != rates_.end()) return found->data<double>();
    RADIAL_CHECK(device.kind == Device::Kind::cpu || !device::capturing(device.index),
                 "optimizer: its first step was recorded as a graph; run one before");
    return rates_.emplace_back(Tensor::full({}, lr_, DType::float64, device)).data<double>();
}

void Optimizer::zero_grad() {
    for (const ParameterGroup& group : groups_)
        for (const Tensor& parameter : group.parameters) parameter.clear_grad();
}

std::vector<std::vector<Optimizer::Update>> Optimizer::updates(std::size_t groups) const {
    std::vector<std::vector<Update>> all;
    for (std::size_t g = 0; g < std::min(groups, groups_.size()); ++g) {
        for (std::size_t p = 0; p < groups_[g].parameters.size(); ++p) {
            const Tensor& parameter = groups_[g].parameters[p];
            const Tensor gradient = parameter.grad();
            if (!gradient.defined()) continue;
            RADIAL_CHECK(gradient.shape() == parameter.shape() && gradient.dtype() == parameter.dtype() &&
                             gradient.device() == parameter.device(),
                         "optimizer: parameter {}.{} is {} on {}, its gradient {} on {}", g, p, parameter.str(),
                         parameter.device().str(), gradient.str(), gradient.device().str());
            const auto alike = [&](const std::vector<Update>& some) {
                const Tensor& other = some.front().parameter;
                return other.dtype() == parameter.dtype() && other.device() == parameter.device();
            };
            auto place = std::find_if(all.begin(), all.end(), alike);
            if (place == all.end()) place = all.emplace(all.end());
            place->push_back({g, p, parameter, gradient.to(parameter.layout())});
        }
    }
    return all;
}

void Optimizer::visit_updates(std::initializer_list<const State*> states,
                              const std::function<void(const std::vector<Update>&)>& visit) {
    for (const std::vector<Update>& alike : updates()) {
        for (const Update& update : alike)
            for (const State* const state : states)
                if (!state->empty()) check_fits((*state)[update.group][update.index], update.parameter);
        visit(alike);
        for (const Update& update : alike) {
            update.parameter.bump_version();
            for (const State* const state : states)
                if (!state->empty()) (*state)[update.group][update.index].bump_version();
        }
    }
}

Optimizer::State Optimizer::zeros_like_parameters() const {
    State zeros;
    for (const ParameterGroup& group : groups_) {
        std::vector<Tensor>& row = zeros.emplace_back();
        for (const Tensor& parameter : group.parameters) row.push_back(Tensor::zeros_like(parameter));
    }
    return zeros;
}

void Optimizer::check_fits(const Tensor& state, const Tensor& parameter) {
    RADIAL_CHECK(state.dtype() == parameter.dtype() && state.device() == parameter.device() &&
                     state.layout() == parameter.layout(),
                 "optimizer: its state is {} on {}, the parameter {} on {}; make the optimizer after converting the "
                 "module",
                 state.str(), state.device().str(), parameter.str(), parameter.device().str());
}

void Optimizer::append_state(const std::string& name, const State& tensors, std::vector<NamedTensor>& out) {
    for (std::size_t g = 0; g < tensors.size(); ++g)
        for (std::size_t p = 0; p < tensors[g].size(); ++p)
            out.push_back({fmt::format("{}.{}.{}", name, g, p), tensors[g][p]});
}

}  // namespace radial
