// The learning-rate range test.
#include "radial/apps/train/rate_search.h"

#include "radial/core/util/error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace radial::train {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

void check(const RateSearchOptions& options) {
    // Written so that the checks also fail for NaN.
    RADIAL_CHECK(options.first > 0 && options.last > options.first && std::isfinite(options.last),
                 "search_rate: rates from {} to {}, expected a positive one and a larger one", options.first,
                 options.last);
    RADIAL_CHECK(options.steps >= 2, "search_rate: {} steps, expected at least 2", options.steps);
    RADIAL_CHECK(options.smoothing >= 0 && options.smoothing < 1, "search_rate: smoothing is {}, expected in [0, 1)",
                 options.smoothing);
    RADIAL_CHECK(options.divergence > 1, "search_rate: divergence is {}, expected above 1", options.divergence);
}

/// Delivers the batches of one epoch after another.
class Batches {
public:
    explicit Batches(data::Loader& loader) : loader_(loader) { loader_.start(0); }

    data::Batch next() {
        std::optional<data::Batch> batch = loader_.next();
        if (!batch) {
            loader_.start(++epoch_);
            batch = loader_.next();
        }
        RADIAL_CHECK(batch.has_value(), "search_rate: the training set holds no samples");
        return std::move(*batch);
    }

private:
    data::Loader& loader_;
    std::int64_t epoch_ = 0;
};

}  // namespace

double RateCurve::steepest() const {
    double best = none, slope = 0;
    for (std::size_t i = 1; i + 1 < points.size(); ++i) {
        const RatePoint &before = points[i - 1], &after = points[i + 1];
        const double here = (after.smoothed - before.smoothed) / std::log(after.lr / before.lr);
        if (here >= slope) continue;
        slope = here;
        best = points[i].lr;
    }
    return best;
}

double RateCurve::lowest() const {
    if (points.empty()) return none;
    return std::ranges::min_element(points, {}, &RatePoint::smoothed)->lr;
}

RateCurve search_rate(const StepSetup& setup, data::Loader& train, const RateSearchOptions& options,
                      const std::function<void(const RatePoint&)>& seen) {
    check(options);
    setup.model.train();
    setup.loss.train();
    TrainingStep step(setup);
    Batches batches(train);
    RateCurve curve;
    double average = 0, weight = 0, lowest = std::numeric_limits<double>::infinity();
    const double growth = std::log(options.last / options.first) / static_cast<double>(options.steps - 1);
    for (std::int64_t i = 0; i < options.steps && !curve.diverged; ++i) {
        const data::Batch batch = batches.next();
        const double lr = options.first * std::exp(growth * static_cast<double>(i));
        double loss = 0;
        try {
            step.run(batch, {.epoch = 1, .step = i + 1, .images = batch.labels.size(0), .lr = lr});
            const TrainingStep::Finished finished = step.take().back();
            step.check(finished);
            loss = finished.numbers.loss;
        } catch (const BadStep&) {
            curve.diverged = true;
            break;
        }
        average = options.smoothing * average + (1 - options.smoothing) * loss;
        weight = options.smoothing * weight + (1 - options.smoothing);
        curve.points.push_back({.lr = lr, .loss = loss, .smoothed = average / weight});
        lowest = std::min(lowest, curve.points.back().smoothed);
        curve.diverged = curve.points.back().smoothed > options.divergence * lowest;
        if (seen) seen(curve.points.back());
    }
    return curve;
}

}  // namespace radial::train
