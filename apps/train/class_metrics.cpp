// Computes precision, recall and F1 from a confusion matrix, and calibration from confidences.
#include "radial/apps/train/class_metrics.h"

#include "radial/core/util/error.h"

#include <algorithm>
#include <cmath>

namespace radial::train {
namespace {

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

}  // namespace

std::vector<ClassMetrics> class_metrics(const Confusion& confusion) {
    std::vector<ClassMetrics> classes(static_cast<std::size_t>(confusion.classes()));
    for (const Confusion::Cell& cell : confusion.cells()) {
        classes[static_cast<std::size_t>(cell.truth)].support += cell.count;
        classes[static_cast<std::size_t>(cell.predicted)].predicted += cell.count;
    }
    for (std::int64_t c = 0; c < confusion.classes(); ++c) {
        ClassMetrics& metrics = classes[static_cast<std::size_t>(c)];
        const auto right = static_cast<double>(confusion.count(c, c)), support = static_cast<double>(metrics.support),
                   predicted = static_cast<double>(metrics.predicted);
        metrics.precision = ratio(right, predicted);
        metrics.recall = ratio(right, support);
        metrics.f1 = ratio(2 * right, support + predicted);
    }
    return classes;
}

ClassMetrics macro_average(std::span<const ClassMetrics> classes) {
    ClassMetrics mean;
    double occurring = 0;
    for (const ClassMetrics& metrics : classes) {
        if (metrics.support == 0 && metrics.predicted == 0) continue;
        ++occurring;
        mean.support += metrics.support;
        mean.predicted += metrics.predicted;
        mean.precision += metrics.precision;
        mean.recall += metrics.recall;
        mean.f1 += metrics.f1;
    }
    for (double* const sum : {&mean.precision, &mean.recall, &mean.f1}) *sum = ratio(*sum, occurring);
    return mean;
}

Calibration calibration(const Evaluation& evaluation, std::size_t bins) {
    RADIAL_CHECK(bins > 0, "calibration: needs at least one bin");
    const auto width = 1 / static_cast<double>(bins);
    Calibration result;
    for (std::size_t b = 0; b < bins; ++b)
        result.bins.push_back({.low = static_cast<double>(b) * width, .high = static_cast<double>(b + 1) * width});
    double total = 0;
    for (std::size_t i = 0; i < evaluation.confidences.size(); ++i) {
        const double confidence = evaluation.confidences[i];
        if (!std::isfinite(confidence)) continue;
        const double place = std::ceil(confidence * static_cast<double>(bins)) - 1;
        CalibrationBin& bin =
            result.bins[static_cast<std::size_t>(std::clamp(place, 0.0, static_cast<double>(bins - 1)))];
        ++bin.count;
        bin.mean_confidence += confidence;
        bin.accuracy += evaluation.predicted[i] == evaluation.labels[i] ? 1 : 0;
        ++total;
    }
    for (CalibrationBin& bin : result.bins) {
        const auto count = static_cast<double>(bin.count);
        bin.mean_confidence = ratio(bin.mean_confidence, count);
        bin.accuracy = ratio(bin.accuracy, count);
        const double error = std::abs(bin.accuracy - bin.mean_confidence);
        result.expected_error += ratio(count, total) * error;
        result.largest_error = std::max(result.largest_error, error);
    }
    return result;
}

}  // namespace radial::train
