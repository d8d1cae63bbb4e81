// MomentOptimizer: checks of the options, and the averages and counts as the optimizer's state.
#include "radial/core/optim/moments.h"

#include "radial/core/util/error.h"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <utility>

namespace radial {
namespace {

/// For each group, the initial numbers of updates of its parameters: int64 zeros on the group's device. Throws Error,
/// naming the optimizer `who`, when the parameters of a group are on several devices.
std::vector<Tensor> step_counts(const std::string& who, const std::vector<ParameterGroup>& groups) {
    std::vector<Tensor> counts;
    counts.reserve(groups.size());
    for (std::size_t g = 0; g < groups.size(); ++g) {
        const std::vector<Tensor>& parameters = groups[g].parameters;
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

}  // namespace

MomentOptimizer::MomentOptimizer(std::string who, std::vector<ParameterGroup> groups, double lr, double beta1,
                                 double beta2, double epsilon)
    : Optimizer(std::move(groups), lr), who_(std::move(who)) {
    RADIAL_CHECK(beta1 >= 0 && beta1 < 1, "{}: beta1 is {}, expected [0, 1)", who_, beta1);
    RADIAL_CHECK(beta2 >= 0 && beta2 < 1, "{}: beta2 is {}, expected [0, 1)", who_, beta2);
    RADIAL_CHECK(epsilon >= 0 && std::isfinite(epsilon), "{}: epsilon is {}, expected a finite number >= 0", who_,
                 epsilon);
    first_ = zeros_like_parameters();
    second_ = zeros_like_parameters();
    steps_ = step_counts(who_, groups_);
}

std::vector<NamedTensor> MomentOptimizer::state() const {
    std::vector<NamedTensor> out;
    append_state("first", first_, out);
    append_state("second", second_, out);
    for (std::size_t g = 0; g < steps_.size(); ++g) out.push_back({fmt::format("step.{}", g), steps_[g]});
    return out;
}

void MomentOptimizer::load_state(const std::vector<NamedTensor>& state) {
    copy_state(who_ + "::load_state", this->state(), state);
}

}  // namespace radial
