// Counts pairs by their distance, and computes the metrics from the curve of true over false accept rates.
#include "radial/apps/train/verification.h"

#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"
#include "radial/core/util/error.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace radial::train {
namespace {

/// The numbers of pairs at one distance.
struct Step {
    double distance = 0;
    std::int64_t same = 0, different = 0;
};

void check_limits(std::span<const double> limits) {
    for (const double limit : limits)
        RADIAL_CHECK(limit >= 0 && limit <= 1, "verification: the false accept rate is {}, expected from 0 to 1",
                     limit);
}

/// The point with the largest TAR among those whose FAR is at most `limit`.
OperatingPoint point_at(std::span<const Step> steps, double limit, double same, double different) {
    OperatingPoint point{.limit = limit, .threshold = -std::numeric_limits<double>::infinity()};
    std::int64_t true_accepts = 0, false_accepts = 0;
    for (const Step& step : steps) {
        true_accepts += step.same;
        false_accepts += step.different;
        const double false_accept = static_cast<double>(false_accepts) / different;
        if (false_accept > limit) break;
        point.threshold = step.distance;
        point.false_accept = false_accept;
        point.true_accept = static_cast<double>(true_accepts) / same;
    }
    return point;
}

/// Returns the metrics of a curve; `steps` are in ascending order of their distances.
VerificationMetrics figures_of(std::span<const Step> steps, std::span<const double> limits) {
    VerificationMetrics result;
    for (const Step& step : steps) {
        result.same += step.same;
        result.different += step.different;
    }
    RADIAL_CHECK(result.same > 0, "verification: there are no pairs of the same class");
    RADIAL_CHECK(result.different > 0, "verification: there are no pairs of different classes");
    const auto same = static_cast<double>(result.same), different = static_cast<double>(result.different);
    double tar = 0, far = 0;
    bool crossed = false;
    for (const Step& step : steps) {
        const double next_tar = tar + static_cast<double>(step.same) / same;
        const double next_far = far + static_cast<double>(step.different) / different;
        result.auroc += (next_far - far) * (tar + next_tar) / 2;
        if (!crossed && next_far >= 1 - next_tar) {
            // On the line from (far, tar) to (next_far, next_tar), FAR + TAR grows from below 1 to at least 1.
            const double part = (1 - far - tar) / (next_far + next_tar - far - tar);
            result.equal_error_rate = far + part * (next_far - far);
            crossed = true;
        }
        tar = next_tar;
        far = next_far;
    }
    for (const double limit : limits) result.points.push_back(point_at(steps, limit, same, different));
    return result;
}

/// Counts of distances in intervals of equal width. Interval i ends at (i + 1) * width.
class DistanceCounts {
public:
    explicit DistanceCounts(double largest) : width_(std::max(largest, 1e-30) / intervals), steps_(intervals) {}

    void add(double distance, bool same) {
        const auto last = static_cast<std::int64_t>(intervals) - 1;
        const auto at = std::clamp(static_cast<std::int64_t>(distance / width_), std::int64_t{0}, last);
        Step& step = steps_[static_cast<std::size_t>(at)];
        ++(same ? step.same : step.different);
    }
    std::vector<Step> steps() const {
        std::vector<Step> found;
        for (std::size_t i = 0; i < steps_.size(); ++i) {
            if (steps_[i].same + steps_[i].different == 0) continue;
            found.push_back(steps_[i]);
            found.back().distance = static_cast<double>(i + 1) * width_;
        }
        return found;
    }

private:
    static constexpr std::size_t intervals = std::size_t{1} << 20;
    double width_;
    std::vector<Step> steps_;
};

void check_samples(const Tensor& features, const Tensor& labels) {
    RADIAL_CHECK(features.defined() && features.dtype() == DType::float32 && features.rank() == 2,
                 "verification: features are {}, expected float32 [N, D]", features.str());
    RADIAL_CHECK(labels.defined() && labels.dtype() == DType::int64 && labels.shape() == Shape{features.size(0)} &&
                     labels.device() == Device{},
                 "verification: labels are {}, expected int64[{}] on the CPU", labels.str(), features.size(0));
    const std::vector<float> values = features.to_vector<float>();
    const auto bad = std::ranges::find_if_not(values, [](float value) { return std::isfinite(value); });
    RADIAL_CHECK(bad == values.end(), "verification: the feature of sample {} has the element {}",
                 (bad - values.begin()) / std::max<std::int64_t>(1, features.size(1)), *bad);
}

/// An upper bound of the distance between two of the features.
double largest_distance(const Tensor& features, FeatureDistance distance) {
    if (distance == FeatureDistance::cosine) return 2;
    double longest = 0;
    for (const float length : row_norms(features).to_vector<float>())
        longest = std::max(longest, static_cast<double>(length));
    return 2 * longest;
}

}  // namespace

VerificationMetrics verification_metrics(std::span<const double> same, std::span<const double> different,
                                         std::span<const double> limits) {
    check_limits(limits);
    std::vector<Step> pairs;
    const auto add = [&pairs](std::span<const double> distances, bool of_same) {
        for (const double distance : distances) {
            RADIAL_CHECK(std::isfinite(distance), "verification: a distance is {}, expected a finite number", distance);
            pairs.push_back({.distance = distance, .same = of_same ? 1 : 0, .different = of_same ? 0 : 1});
        }
    };
    add(same, true);
    add(different, false);
    std::ranges::sort(pairs, {}, &Step::distance);
    std::vector<Step> steps;
    for (const Step& pair : pairs) {
        if (steps.empty() || steps.back().distance != pair.distance) steps.push_back({.distance = pair.distance});
        steps.back().same += pair.same;
        steps.back().different += pair.different;
    }
    return figures_of(steps, limits);
}

VerificationMetrics verify_all_pairs(const Tensor& features, const Tensor& labels, FeatureDistance distance,
                                     std::span<const double> limits) {
    check_samples(features, labels);
    check_limits(limits);
    const NoGrad no_grad;
    constexpr std::int64_t most_distances = std::int64_t{1} << 22;  // in memory at a time
    const std::span<const std::int64_t> classes = labels.values<std::int64_t>();
    const std::int64_t samples = features.size(0),
                       block = std::max<std::int64_t>(1, most_distances / std::max<std::int64_t>(1, samples));
    DistanceCounts counts(samples == 0 ? 0 : largest_distance(features, distance));
    for (std::int64_t begin = 0; begin < samples; begin += block) {
        const std::int64_t end = std::min(samples, begin + block);
        const Tensor rows = features.rows(begin, end), others = features.rows(begin, samples);
        const bool cosine = distance == FeatureDistance::cosine;
        const Tensor matrix = (cosine ? cosines(rows, others) : squared_distances(rows, others)).to(Device{});
        const std::span<const float> values = matrix.values<float>();
        for (std::int64_t i = begin; i < end; ++i) {
            for (std::int64_t j = i + 1; j < samples; ++j) {
                const double value = values[static_cast<std::size_t>((i - begin) * (samples - begin) + j - begin)];
                counts.add(cosine ? 1 - value : std::sqrt(value),
                           classes[static_cast<std::size_t>(i)] == classes[static_cast<std::size_t>(j)]);
            }
        }
    }
    return figures_of(counts.steps(), limits);
}

std::vector<double> row_distances(const Tensor& first, const Tensor& other, FeatureDistance distance) {
    for (const Tensor* const rows : {&first, &other})
        RADIAL_CHECK(rows->defined() && rows->dtype() == DType::float32 && rows->rank() == 2 &&
                         rows->device() == Device{} && rows->shape() == first.shape(),
                     "row_distances: rows are {} and {}, expected float32 [N, D] twice, on the CPU", first.str(),
                     other.str());
    const std::span<const float> a = first.values<float>(), b = other.values<float>();
    const auto width = static_cast<std::size_t>(first.size(1));
    std::vector<double> distances;
    for (std::int64_t row = 0; row < first.size(0); ++row) {
        double product = 0, a_squares = 0, b_squares = 0, squares = 0;
        for (std::size_t k = static_cast<std::size_t>(row) * width; k < static_cast<std::size_t>(row + 1) * width;
             ++k) {
            const double x = a[k], y = b[k];
            product += x * y;
            a_squares += x * x;
            b_squares += y * y;
            squares += (x - y) * (x - y);
        }
        const double lengths = std::sqrt(a_squares) * std::sqrt(b_squares);
        const double cosine = lengths > 0 ? product / lengths : 0;
        distances.push_back(distance == FeatureDistance::cosine ? 1 - cosine : std::sqrt(squares));
    }
    return distances;
}

}  // namespace radial::train
