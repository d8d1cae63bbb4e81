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

/// One way to decide: two samples are accepted as being of the same class if their distance is at most `threshold`.
struct OperatingPoint {
    double limit = 0;         ///< the largest false accept rate allowed
    double threshold = 0;     ///< the largest distance that is accepted
    double false_accept = 0;  ///< FAR: fraction of the pairs of different classes that are accepted, at most `limit`
    double true_accept = 0;   ///< TAR: fraction of the pairs of the same class that are accepted
};

/// The figures of verification_metrics().
struct VerificationMetrics {
    std::int64_t same = 0;       ///< number of pairs of the same class
    std::int64_t different = 0;  ///< number of pairs of different classes
    double auroc = 0;  ///< area under the curve of TAR over FAR (Fawcett 2006), where a tie counts as one half
    /// The rate at which FAR and 1 - TAR are equal, on straight lines between the points of the curve.
    double equal_error_rate = 0;
    /// For each limit of the FAR, in the order given: the point with the largest TAR (the curve of Grother & Phillips,
    /// "Models of large population recognition performance", CVPR 2004, and of the benchmarks of faces since).
    std::vector<OperatingPoint> points;
};

/// The figures for the distances of pairs of the same class and of pairs of different classes, at each limit of the
/// FAR in `limits`. A limit below 1 / (number of different pairs) accepts no pair of different classes; then the
/// threshold is -infinity if no pair can be accepted. Throws Error when there are no pairs of one kind, a distance is
/// not finite, or a limit is outside [0, 1].
VerificationMetrics verification_metrics(std::span<const double> same, std::span<const double> different,
                                         std::span<const double> limits = usual_false_accept_rates);

/// The figures for all pairs of different samples: features float32 [N, D] on any device, labels int64 [N] on the CPU.
/// Computes the distances in blocks and counts them in 2^20 intervals of equal width, whose ends are the thresholds, so
/// memory does not grow with the number of pairs. Throws Error for other types or shapes, for a feature that is not
/// finite, and as verification_metrics() does.
VerificationMetrics verify_all_pairs(const Tensor& features, const Tensor& labels, FeatureDistance distance,
                                     std::span<const double> limits = usual_false_accept_rates);

/// The distance of each row of `first` [N, D] from the same row of `other` [N, D], both float32 on the CPU, computed in
/// double. The cosine distance of a zero row is 1. Throws Error for other types or shapes.
std::vector<double> row_distances(const Tensor& first, const Tensor& other, FeatureDistance distance);

}  // namespace radial::train
