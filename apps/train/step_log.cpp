// Stores the results of steps as rows of a tensor on the device, so that the host can read many steps at once.
#include "radial/apps/train/step_log.h"

#include "radial/apps/train/epoch_result.h"
#include "radial/core/util/error.h"

#include <fmt/ranges.h>

#include <algorithm>

namespace radial::train {
namespace {

constexpr std::int64_t own_numbers = 3;  // the results of every step, whatever its loss: loss, correct, gradient norm

std::vector<std::string> names_of(const std::vector<LossMetric>& metrics) {
    std::vector<std::string> names;
    for (const LossMetric& metric : metrics) names.push_back(metric.name);
    return names;
}

}  // namespace

std::optional<double> StepNumbers::metric(std::string_view name) const {
    const auto found = std::ranges::find(metrics, name, &MetricValue::name);
    return found == metrics.end() ? std::nullopt : std::optional<double>(found->value);
}

StepLog::StepLog(Device device, std::int64_t capacity) : device_(device), capacity_(capacity) {}

// Allocates the tensors when the loss has reported its first metrics. That is during the first step, which is not
// recorded as a graph.
void StepLog::begin(const std::vector<LossMetric>& metrics) {
    for (std::size_t i = 0; i < metrics.size(); ++i) {
        check_metric_name(metrics[i].name);
        for (std::size_t j = 0; j < i; ++j)
            RADIAL_CHECK(metrics[i].name != metrics[j].name, "the loss has two metrics called \"{}\"", metrics[i].name);
    }
    names_ = names_of(metrics);
    const std::int64_t numbers = own_numbers + std::ssize(names_);
    present_ = Tensor::zeros({numbers}, DType::float64, device_);
    rows_ = Tensor::zeros({capacity_, numbers}, DType::float64, device_);
}

void StepLog::set_metrics(const std::vector<LossMetric>& metrics) {
    if (!present_.defined()) begin(metrics);
    const bool same = std::ranges::equal(metrics, names_, {}, &LossMetric::name);
    RADIAL_CHECK(same, "the metrics of the loss are [{}], expected those of the first step, [{}]",
                 fmt::join(names_of(metrics), ", "), fmt::join(names_, ", "));
    for (std::size_t i = 0; i < metrics.size(); ++i) set(own_numbers + static_cast<std::int64_t>(i), metrics[i].value);
}

void StepLog::set(std::int64_t which, const Tensor& value) {
    present_.rows(which, which + 1).copy_(value.detach().view({1}));
}

void StepLog::keep() {
    RADIAL_CHECK(!full(), "step log: it is full, {} steps have not been taken yet", kept_);
    rows_.rows(kept_, kept_ + 1).copy_(present_.view({1, present_.numel()}));
    ++kept_;
}

std::vector<StepNumbers> StepLog::take() {
    std::vector<StepNumbers> steps;
    if (kept_ == 0) return steps;
    const std::vector<double> values = rows_.rows(0, kept_).to_vector<double>();
    const std::size_t numbers = values.size() / static_cast<std::size_t>(kept_);
    for (std::size_t row = 0; row < values.size(); row += numbers) {
        StepNumbers& step = steps.emplace_back(
            StepNumbers{.loss = values[row], .correct = values[row + 1], .gradient_norm = values[row + 2]});
        for (std::size_t i = 0; i < names_.size(); ++i)
            step.metrics.push_back({names_[i], values[row + static_cast<std::size_t>(own_numbers) + i]});
    }
    kept_ = 0;
    return steps;
}

}  // namespace radial::train
