// Adam and AdamW: one pass over each parameter.
#include "radial/core/dispatch.h"
#include "radial/core/kernels/launch.h"
#include "radial/core/optim.h"

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
    for (const ParameterGroup& group : groups_)
        steps_.push_back(Tensor::zeros({static_cast<std::int64_t>(group.parameters.size())}, DType::int64));
}

void Adam::step() {
    for_each_gradient([&](std::size_t group, std::size_t index, const Tensor& parameter, const Tensor& gradient) {
        const Tensor &first = first_[group][index], &second = second_[group][index];
        check_fits(first, parameter);
        const ParameterGroup& settings = groups_[group];
        const double lr = lr_ * settings.lr_scale;
        const auto t = static_cast<double>(++steps_[group].data<std::int64_t>()[index]);
        dispatch_floating(parameter.dtype(), "Adam", [&](auto zero) {
            using T = decltype(zero);
            const auto shrink = static_cast<T>(options_.decoupled ? 1 - lr * settings.weight_decay : 1.0);
            const auto decay = static_cast<T>(options_.decoupled ? 0.0 : settings.weight_decay);
            const auto rate = static_cast<T>(lr / (1 - std::pow(options_.beta1, t)));
            const auto root = static_cast<T>(std::sqrt(1 - std::pow(options_.beta2, t)));
            const auto new1 = static_cast<T>(1 - options_.beta1), new2 = static_cast<T>(1 - options_.beta2);
            const auto keep2 = static_cast<T>(options_.beta2), epsilon = static_cast<T>(options_.epsilon);
            T *const w = parameter.data<T>(), *const m = first.data<T>(), *const v = second.data<T>();
            const T* const g = gradient.data<T>();
            kernels::map(parameter.numel(), [=](std::int64_t i) {
                const T kept = w[i] * shrink;
                const T slope = g[i] + decay * w[i];
                m[i] += new1 * (slope - m[i]);
                v[i] = keep2 * v[i] + new2 * slope * slope;
                w[i] = kept - rate * m[i] / (std::sqrt(v[i]) / root + epsilon);
            });
        });
        for (const Tensor& written : {first, second, steps_[group], parameter}) written.bump_version();
    });
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
