// WeightAverage and Lookahead, which update all averages in one pass.
#include "radial/core/optim/weight_average.h"

#include "radial/core/kernels/launch.h"
#include "radial/core/optim/kernels.h"
#include "radial/core/tensor/types.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace radial {

WeightAverage::WeightAverage(std::vector<NamedTensor> tensors, double decay)
    : tensors_(std::move(tensors)), decay_(decay) {
    RADIAL_CHECK(decay >= 0 && decay < 1, "weight average: decay is {}, expected at least 0 and below 1", decay);
    std::erase_if(tensors_, [](const NamedTensor& named) {
        return named.tensor.dtype() != DType::float32 && named.tensor.dtype() != DType::float64;
    });
    for (const auto& [name, tensor] : tensors_) averages_.push_back({name, tensor.clone()});
}

void WeightAverage::update() {
    const auto t = static_cast<double>(count());
    mix(std::min(decay_, (1 + t) / (10 + t)));
}

void WeightAverage::mix(double decay) {
    std::vector<bool> done(tensors_.size(), false);
    for (std::size_t first = 0; first < tensors_.size(); ++first) {
        if (done[first]) continue;
        const Tensor& like = tensors_[first].tensor;
        dispatch_floating(like.dtype(), "weight average", [&](auto zero) {
            using T = decltype(zero);
            std::vector<kernels::AverageItem<T>> items;
            for (std::size_t i = first; i < tensors_.size(); ++i) {
                const Tensor &tensor = tensors_[i].tensor, &average = averages_[i].tensor;
                if (tensor.dtype() != like.dtype() || tensor.device() != like.device()) continue;
                RADIAL_CHECK(average.layout() == tensor.layout() && average.device() == tensor.device(),
                             "weight average: {} is {} on {}, its average on {}; make the average after moving the "
                             "module",
                             tensors_[i].name, tensor.str(), tensor.device().str(), average.device().str());
                items.push_back({.average = average.data<T>(), .value = tensor.data<T>(), .count = tensor.numel()});
                done[i] = true;
            }
            kernels::map_list(like.device(), std::span<const kernels::AverageItem<T>>(items),
                              kernels::AverageStep<T>{static_cast<T>(1 - decay)});
        });
    }
    for (const NamedTensor& average : averages_) average.tensor.bump_version();
}

void WeightAverage::adopt() const {
    for (std::size_t i = 0; i < tensors_.size(); ++i) tensors_[i].tensor.copy_(averages_[i].tensor);
}

Lookahead::Lookahead(std::vector<NamedTensor> tensors, const LookaheadOptions& options)
    : WeightAverage(std::move(tensors), options.decay), options_(options) {
    RADIAL_CHECK(options_.interval >= 1, "Lookahead: interval is {}, expected at least 1", options_.interval);
    RADIAL_CHECK(options_.power >= 0, "Lookahead: power is {}, expected at least 0", options_.power);
    set_steps(options_.steps);
}

void Lookahead::set_steps(std::int64_t steps) {
    RADIAL_CHECK(steps >= 1, "Lookahead: steps is {}, expected at least 1", steps);
    options_.steps = steps;
}

void Lookahead::update() {
    const std::int64_t step = count();
    if (step % options_.interval != 0 && step != options_.steps) return;
    const double progress = std::min(1.0, static_cast<double>(step) / static_cast<double>(options_.steps));
    mix(std::pow(options_.decay, static_cast<double>(options_.interval)) * std::pow(progress, options_.power));
    adopt();
}

void WeightAverage::swap() {
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
        const Tensor value = tensors_[i].tensor.clone();
        tensors_[i].tensor.copy_(averages_[i].tensor);
        averages_[i].tensor.copy_(value);
    }
}

std::vector<NamedTensor> WeightAverage::state() const {
    std::vector<NamedTensor> state = averages_;
    state.push_back({"updates", Tensor::from(std::vector{updates_}, {}, Device{})});
    return state;
}

void WeightAverage::load_state(const std::vector<NamedTensor>& state) {
    const std::vector<NamedTensor> own = this->state();
    copy_state("WeightAverage::load_state", own, state);
    updates_ = own.back().tensor.to_vector<std::int64_t>().front();
}

}  // namespace radial
