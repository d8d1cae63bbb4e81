// What all optimizers share, and the clipping of gradients.
#include "radial/core/optim.h"

#include "radial/core/dispatch.h"
#include "radial/core/kernels/launch.h"

#include <cmath>
#include <unordered_set>
#include <utility>

namespace radial {

Optimizer::Optimizer(std::vector<ParameterGroup> groups, double lr) : groups_(std::move(groups)), lr_(0) {
    set_lr(lr);
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
            RADIAL_CHECK(is_floating(parameter.dtype()),
                         "optimizer: parameter {}.{} is {}, expected float32 or float64", g, p, parameter.str());
            RADIAL_CHECK(seen.insert(parameter.impl().get()).second,
                         "optimizer: parameter {}.{} ({}) was given before, expected each once", g, p, parameter.str());
        }
    }
    RADIAL_CHECK(!seen.empty(), "optimizer: no parameters were given, expected at least one");
}

void Optimizer::set_lr(double lr) {
    RADIAL_CHECK(lr >= 0 && std::isfinite(lr), "optimizer: learning rate is {}, expected a finite number >= 0", lr);
    lr_ = lr;
}

void Optimizer::zero_grad() {
    for (const ParameterGroup& group : groups_)
        for (const Tensor& parameter : group.parameters) parameter.clear_grad();
}

void Optimizer::for_each_gradient(const GradientFn& f) const {
    for (std::size_t g = 0; g < groups_.size(); ++g) {
        for (std::size_t p = 0; p < groups_[g].parameters.size(); ++p) {
            const Tensor& parameter = groups_[g].parameters[p];
            const Tensor gradient = parameter.grad();
            if (!gradient.defined()) continue;
            RADIAL_CHECK(gradient.shape() == parameter.shape() && gradient.dtype() == parameter.dtype() &&
                             gradient.device() == parameter.device(),
                         "optimizer: parameter {}.{} is {} on {}, its gradient {} on {}", g, p, parameter.str(),
                         parameter.device().str(), gradient.str(), gradient.device().str());
            f(g, p, parameter, gradient.to(parameter.layout()));
        }
    }
}

std::vector<std::vector<Tensor>> Optimizer::zeros_like_parameters() const {
    std::vector<std::vector<Tensor>> zeros;
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

void Optimizer::append_state(const std::string& name, const std::vector<std::vector<Tensor>>& tensors,
                             std::vector<NamedTensor>& out) {
    for (std::size_t g = 0; g < tensors.size(); ++g)
        for (std::size_t p = 0; p < tensors[g].size(); ++p)
            out.push_back({fmt::format("{}.{}.{}", name, g, p), tensors[g][p]});
}

namespace {

double squared_norm(const Tensor& gradient) {
    return dispatch_floating(gradient.dtype(), "gradient_norm", [&](auto zero) {
        const auto* const g = gradient.data<decltype(zero)>();
        return kernels::reduce(gradient.numel(), [=](std::int64_t i) {
            const auto value = static_cast<double>(g[i]);
            return value * value;
        });
    });
}

void scale_in_place(const Tensor& x, double factor) {
    dispatch_floating(x.dtype(), "clip_gradient_norm", [&](auto zero) {
        auto* const out = x.data<decltype(zero)>();
        const auto by = static_cast<decltype(zero)>(factor);
        kernels::map(x.numel(), [=](std::int64_t i) { out[i] *= by; });
    });
    x.bump_version();
}

}  // namespace

double gradient_norm(const std::vector<Tensor>& parameters) {
    double total = 0;
    for (const Tensor& parameter : parameters)
        if (const Tensor gradient = parameter.grad(); gradient.defined()) total += squared_norm(gradient);
    return std::sqrt(total);
}

double clip_gradient_norm(const std::vector<Tensor>& parameters, double max_norm) {
    RADIAL_CHECK(max_norm > 0, "clip_gradient_norm: max_norm is {}, expected more than 0", max_norm);
    const double norm = gradient_norm(parameters);
    if (!std::isfinite(norm)) {
        for (std::size_t p = 0; p < parameters.size(); ++p) {
            const Tensor gradient = parameters[p].grad();
            if (gradient.defined() && !std::isfinite(squared_norm(gradient)))
                throw NumericError(
                    fmt::format("clip_gradient_norm: the norm is {}; the gradient of parameter {} ({}) "
                                "is the first that is not finite",
                                norm, p, parameters[p].str()));
        }
        throw NumericError(fmt::format("clip_gradient_norm: the norm is {}", norm));
    }
    if (norm <= max_norm) return norm;
    std::unordered_set<const void*> scaled;  // two leaves may share one gradient
    for (const Tensor& parameter : parameters) {
        const Tensor gradient = parameter.grad();
        if (!gradient.defined() || gradient.numel() == 0 || !scaled.insert(gradient.raw()).second) continue;
        scale_in_place(gradient, max_norm / (norm + 1e-6));
    }
    return norm;
}

}  // namespace radial
