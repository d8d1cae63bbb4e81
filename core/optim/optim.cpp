// The base of all optimizers, gradient clipping, SGD and Adam (each one pass over all parameters).
#include "radial/core/optim/optim.h"

#include "radial/core/kernels/launch.h"
#include "radial/core/optim/kernels.h"
#include "radial/core/tensor/types.h"
#include "radial/core/util/error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
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

std::vector<Tensor> Optimizer::step_counts(const char* who) const {
    std::vector<Tensor> counts;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
        const std::vector<Tensor>& parameters = groups_[g].parameters;
        const Device device = parameters.empty() ? Device{} : parameters.front().device();
        for (const Tensor& parameter : parameters) {
            RADIAL_CHECK(parameter.device() == device,
                         "{}: group {} has parameters on {} and {}, expected one device in a group", who, g,
                         device.str(), parameter.device().str());
        }
        counts.push_back(Tensor::zeros({static_cast<std::int64_t>(parameters.size())}, DType::int64, device));
    }
    return counts;
}

void Optimizer::append_counts(const std::vector<Tensor>& counts, std::vector<NamedTensor>& out) {
    for (std::size_t g = 0; g < counts.size(); ++g) out.push_back({fmt::format("step.{}", g), counts[g]});
}

void Optimizer::append_state(const std::string& name, const State& tensors, std::vector<NamedTensor>& out) {
    for (std::size_t g = 0; g < tensors.size(); ++g)
        for (std::size_t p = 0; p < tensors[g].size(); ++p)
            out.push_back({fmt::format("{}.{}.{}", name, g, p), tensors[g][p]});
}

namespace {

/// All existing gradients, grouped by dtype.
struct Gradients {
    std::vector<kernels::GradientItem<float>> narrow;
    std::vector<kernels::GradientItem<double>> wide;

    template <class T>
    auto& of() {
        if constexpr (std::is_same_v<T, float>)
            return narrow;
        else
            return wide;
    }
    void add(const Tensor& gradient) {
        dispatch_floating(gradient.dtype(), "gradient_norm", [&](auto zero) {
            using T = decltype(zero);
            of<T>().push_back({gradient.data<T>(), gradient.numel()});
        });
    }
};

/// The device of all gradients; the CPU if there are none.
Device device_of_gradients(const std::vector<Tensor>& parameters) {
    std::optional<Device> device;
    for (const Tensor& parameter : parameters) {
        const Tensor gradient = parameter.grad();
        if (!gradient.defined()) continue;
        if (!device) device = gradient.device();
        RADIAL_CHECK(gradient.device() == *device, "gradient_norm: gradients are on {} and {}, expected one device",
                     device->str(), gradient.device().str());
    }
    return device.value_or(Device{});
}

/// Two float64 numbers on the device of the gradients: their joint norm, and the factor that clips them to `max_norm`.
Tensor norm_and_factor(const std::vector<Tensor>& parameters, double max_norm) {
    const Device device = device_of_gradients(parameters);
    Gradients gradients;
    for (const Tensor& parameter : parameters)
        if (const Tensor gradient = parameter.grad(); gradient.defined()) gradients.add(gradient);
    const Tensor numbers = Tensor::empty({4}, DType::float64, device);  // norm, factor, and two sums of squares
    auto* const out = numbers.data<double>();
    using kernels::GradientItem;
    kernels::reduce_list(device, std::span<const GradientItem<float>>(gradients.narrow), kernels::Squared<float>{},
                         out + 2);
    kernels::reduce_list(device, std::span<const GradientItem<double>>(gradients.wide), kernels::Squared<double>{},
                         out + 3);
    kernels::map(device, 1,
                 kernels::ClipFactor{.sums = out + 2, .count = 2, .most = max_norm, .norm = out, .factor = out + 1});
    return numbers;
}

/// Multiplies every gradient by *factor, in place.
void scale_gradients(const std::vector<Tensor>& parameters, const double* factor) {
    Gradients gradients;
    std::unordered_set<const void*> scaled;  // two leaves may share one gradient
    for (const Tensor& parameter : parameters) {
        const Tensor gradient = parameter.grad();
        if (!gradient.defined() || gradient.numel() == 0 || !scaled.insert(gradient.raw()).second) continue;
        gradients.add(gradient);
        gradient.bump_version();
    }
    const Device device = device_of_gradients(parameters);
    using kernels::GradientItem;
    kernels::map_list(device, std::span<const GradientItem<float>>(gradients.narrow),
                      kernels::ScaleGradient<float>{factor});
    kernels::map_list(device, std::span<const GradientItem<double>>(gradients.wide),
                      kernels::ScaleGradient<double>{factor});
}

void check_max_norm(double max_norm) {
    RADIAL_CHECK(max_norm > 0, "clip_gradient_norm: max_norm is {}, expected more than 0", max_norm);
}

[[noreturn]] void refuse_norm(const std::vector<Tensor>& parameters, double norm) {
    for (std::size_t p = 0; p < parameters.size(); ++p) {
        if (std::isfinite(gradient_norm({parameters[p]}))) continue;
        throw NumericError(
            fmt::format("clip_gradient_norm: the norm is {}; the gradient of parameter {} ({}) is the first that is "
                        "not finite",
                        norm, p, parameters[p].str()));
    }
    throw NumericError(fmt::format("clip_gradient_norm: the norm is {}", norm));
}

}  // namespace

double gradient_norm(const std::vector<Tensor>& parameters) {
    return norm_and_factor(parameters, std::numeric_limits<double>::infinity()).rows(0, 1).item();
}

Tensor clip_gradients(const std::vector<Tensor>& parameters, double max_norm) {
    check_max_norm(max_norm);
    const Tensor numbers = norm_and_factor(parameters, max_norm);
    const auto* const factor = numbers.data<const double>() + 1;
    // On the CPU the factor can be read without waiting, so an unnecessary pass is skipped.
    const bool known = numbers.device().kind == Device::Kind::cpu;
    if (std::isfinite(max_norm) && !(known && *factor == 1)) scale_gradients(parameters, factor);
    return numbers.rows(0, 1).view({});
}

double clip_gradient_norm(const std::vector<Tensor>& parameters, double max_norm) {
    check_max_norm(max_norm);
    const Tensor numbers = norm_and_factor(parameters, max_norm);
    const double norm = numbers.rows(0, 1).item();
    if (!std::isfinite(norm)) refuse_norm(parameters, norm);
    if (norm > max_norm) scale_gradients(parameters, numbers.data<const double>() + 1);
    return norm;
}

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
    steps_ = step_counts("Adam");
}

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

std::vector<NamedTensor> Adam::state() const {
    std::vector<NamedTensor> out;
    append_state("first", first_, out);
    append_state("second", second_, out);
    append_counts(steps_, out);
    return out;
}

void Adam::load_state(const std::vector<NamedTensor>& state) { copy_state("Adam::load_state", this->state(), state); }

}  // namespace radial
