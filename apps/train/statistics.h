// Statistics of points and of lists of numbers: clusters, correlations, confidence intervals, principal components.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace radial::train {

/// The index of Calinski and Harabasz (1974), also called the variance ratio criterion, as scikit-learn's
/// calinski_harabasz_score() computes it: with N points x_i in C clusters of n_c points with means m_c, and m the mean
/// of all points,
///
///     (sum over c of n_c |m_c - m|^2 / (C - 1)) / (sum over i of |x_i - m_c(i)|^2 / (N - C)).
///
/// The index is large for tight clusters that are far apart. It is 1 if every point equals the mean of its cluster.
/// `points` is [N, dim]; `labels` [N] are the numbers of the clusters, which may be any integers. Computes in double.
/// Throws Error when the sizes do not fit, when a point is not finite, and unless there are 2 to N - 1 clusters.
double calinski_harabasz(std::span<const float> points, std::span<const std::int64_t> labels, std::size_t dim);

///@{
/// Pearson's and Spearman's correlation of two lists of the same length. Spearman's is Pearson's correlation of the
/// ranks, where equal numbers share their mean rank. NaN if a list is constant or has a number that is not finite.
/// Throws Error when the lengths differ or are below 2.
double pearson_correlation(std::span<const double> x, std::span<const double> y);
double spearman_correlation(std::span<const double> x, std::span<const double> y);
///@}

/// The quantile of Student's t distribution with `degrees` degrees of freedom: a variable with this distribution is
/// below the result with the given probability. Throws Error unless 0 < probability < 1 and degrees is at least 1.
double student_t_quantile(double probability, double degrees);

/// A mean and the half-width of its confidence interval.
struct MeanInterval {
    double mean = 0;        ///< of the values
    double half_width = 0;  ///< NaN for the mean of a single value
};
/// The mean of independent values from one normal distribution, and the half-width of the interval that contains the
/// mean of that distribution with probability `confidence`: t s / sqrt(n), with the sample standard deviation s and
/// Student's t for n - 1 degrees of freedom. Throws Error when there are no values, and unless 0 < confidence < 1.
MeanInterval mean_interval(std::span<const double> values, double confidence = 0.95);

/// The directions of largest variance of a set of points.
struct PrincipalComponents {
    std::size_t dim = 0;             ///< dimension of the points
    std::vector<double> components;  ///< [count, dim]: orthonormal rows, the largest variance first
    std::vector<double> explained;   ///< [count]: share of each row in the total variance; 0 if the points are equal

    /// Returns the coordinates [N, count] of `points` [N, dim] along the components. The mean is not subtracted, so the
    /// origin is mapped to the origin. Throws Error when the size of `points` is not a multiple of `dim`.
    std::vector<float> project(std::span<const float> points) const;
};

/// Returns the first `count` principal components of `points` [N, dim]. The sign of each component is chosen so that
/// its element of largest magnitude (the first of several) is positive; the result thus depends on the points alone.
/// Throws Error when N is below 2, `count` is not in [1, dim], a point is not finite, or the size of `points` is not a
/// multiple of `dim`.
PrincipalComponents principal_components(std::span<const float> points, std::size_t dim, std::size_t count);

}  // namespace radial::train
