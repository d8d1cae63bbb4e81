// Rows of numbers on a device, read together.
#include "radial/apps/train/step_log.h"

#include "radial/core/util/error.h"

namespace radial::train {
namespace {

constexpr std::int64_t numbers = 4;

}  // namespace

StepLog::StepLog(Device device, std::int64_t capacity)
    : capacity_(capacity),
      present_(Tensor::zeros({numbers}, DType::float64, device)),
      rows_(Tensor::zeros({capacity, numbers}, DType::float64, device)) {}

void StepLog::set(std::int64_t which, const Tensor& value) {
    present_.rows(which, which + 1).copy_(value.detach().view({1}));
}

void StepLog::keep() {
    RADIAL_CHECK(!full(), "step log: {} steps are waiting to be taken, it holds no more", kept_);
    rows_.rows(kept_, kept_ + 1).copy_(present_.view({1, numbers}));
    ++kept_;
}

std::vector<StepNumbers> StepLog::take() {
    std::vector<StepNumbers> steps;
    if (kept_ == 0) return steps;
    const std::vector<double> values = rows_.rows(0, kept_).to_vector<double>();
    for (auto row = values.begin(); row != values.end(); row += numbers) {
        StepNumbers& step = steps.emplace_back(StepNumbers{row[0], row[1], std::nullopt, row[3]});
        if (has_kernel_) step.kernel = row[2];
    }
    kept_ = 0;
    return steps;
}

}  // namespace radial::train
