// Prints the figures of verification, and writes them as JSON.
#include "radial/apps/cli/verification_results.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <string_view>

namespace radial::train {
namespace {

std::string_view name_of(FeatureDistance distance) { return words_of(distance)[static_cast<std::size_t>(distance)]; }

}  // namespace

std::string verification_text(const VerificationMetrics& found, FeatureDistance distance) {
    std::string text = fmt::format(
        "{} pairs of the same class, {} of different classes, {} distance\nAUROC {:.4f}, equal error rate {:.4f}\n",
        found.same, found.different, name_of(distance), found.auroc, found.equal_error_rate);
    text += fmt::format("{:>10}  {:>8}  {:>10}\n", "FAR up to", "TAR", "threshold");
    for (const OperatingPoint& point : found.points)
        text += fmt::format("{:>10}  {:>8.4f}  {:>10.6g}\n", point.limit, point.true_accept, point.threshold);
    return text;
}

nlohmann::ordered_json verification_json(const VerificationMetrics& found, FeatureDistance distance) {
    nlohmann::ordered_json json = {{"distance", name_of(distance)},
                                   {"same", found.same},
                                   {"different", found.different},
                                   {"auroc", found.auroc},
                                   {"equal_error_rate", found.equal_error_rate}};
    for (const OperatingPoint& point : found.points) {
        nlohmann::ordered_json threshold;  // null if no pair is accepted
        if (std::isfinite(point.threshold)) threshold = point.threshold;
        json["points"].push_back({{"limit", point.limit},
                                  {"threshold", threshold},
                                  {"false_accept", point.false_accept},
                                  {"true_accept", point.true_accept}});
    }
    return json;
}

}  // namespace radial::train
