// Verification: whether two samples are of the same class, decided by the distance of their features.
#pragma once

#include "radial/apps/train/retrieval.h"
#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <span>
#include <vector>

namespace radial::train {

/// The false accept rates at which verification is usually reported.
inline constexpr double usual_false_accept_rates[] = {0.1, 0.01, 0.001, 0.0001};

/// A threshold and its error rates: two samples are accepted as being of the same class if their distance is at most
/// `threshold`.
struct OperatingPoint {
    double limit = 0;         ///< the largest false accept rate allowed
    double threshold = 0;     ///< the largest distance that is accepted
    double false_accept = 0;  ///< FAR: fraction of the pairs of different classes that are accepted, at most `limit`
    double true_accept = 0;   ///< TAR: fraction of the pairs of the same class that are accepted
};

/// The results of verification_metrics().
struct VerificationMetrics {
    std::int64_t same = 0;       ///< number of pairs of the same class
    std::int64_t different = 0;  ///< number of pairs of different classes
    double auroc = 0;  ///< area under the curve of TAR over FAR (Fawcett 2006), where a tie counts as one half
    /// The rate at which FAR and 1 - TAR are equal, interpolated linearly between the points of the curve.
    double equal_error_rate = 0;
    /// For each limit of the FAR, in the order given: the point with the largest TAR within the limit (the curve of
    /// Grother & Phillips, "Models of large population recognition performance", CVPR 2004, and of later benchmarks of
    /// face recognition).
    std::vector<OperatingPoint> points;
};

/// Returns the metrics for the distances of pairs of the same class and of pairs of different classes, at each limit of
/// the FAR in `limits`. With a limit below 1 / (number of different pairs), no pair of different classes is accepted.
/// The threshold is -infinity if no pair can be accepted within the limit. Throws Error when there are no pairs of one
/// kind, a distance is not finite, or a limit is outside [0, 1].
VerificationMetrics verification_metrics(std::span<const double> same, std::span<const double> different,
                                         std::span<const double> limits = usual_false_accept_rates);

/// Returns the metrics for all pairs of different samples. `features` is float32 [N, D] on any device; `labels` is
/// int64 [N] on the CPU. Computes the distances in blocks and counts them in 2^20 intervals of equal width, so that
/// memory does not grow with the number of pairs. Thresholds are upper ends of intervals. Throws Error for other types
/// or shapes, for a feature that is not finite, and as verification_metrics() does.
VerificationMetrics verify_all_pairs(const Tensor& features, const Tensor& labels, FeatureDistance distance,
                                     std::span<const double> limits = usual_false_accept_rates);

/// Returns the distance of row i of `first` [N, D] from row i of `other` [N, D] for each i. Both are float32 on the
/// CPU; computes in double. The cosine distance of a zero row is 1. Throws Error for other types or shapes.
std::vector<double> row_distances(const Tensor& first, const Tensor& other, FeatureDistance distance);

}  // namespace radial::train
