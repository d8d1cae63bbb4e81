// Statistics of points and of pairs of numbers: clusters, correlations, principal components.
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
/// The larger, the tighter and the further apart the clusters. 1 if every point equals the mean of its cluster.
/// `points` is [N, dim]; `labels` [N] are the clusters, any numbers. Computes in double. Throws Error when the sizes
/// differ, when a point is not finite, and unless there are 2 to N - 1 clusters.
double calinski_harabasz(std::span<const float> points, std::span<const std::int64_t> labels, std::size_t dim);

///@{
/// The correlation of two lists of the same length: Pearson's, and Spearman's, which is Pearson's of the ranks, where
/// equal numbers share their mean rank. NaN if a list is constant or has a number that is not finite. Throws Error when
/// the lengths differ or are below 2.
double pearson_correlation(std::span<const double> x, std::span<const double> y);
double spearman_correlation(std::span<const double> x, std::span<const double> y);
///@}

/// The directions of largest variance of a set of points.
struct PrincipalComponents {
    std::size_t dim = 0;             ///< dimension of the points
    std::vector<double> components;  ///< [count, dim]: orthonormal rows, the largest variance first
    std::vector<double> explained;   ///< [count]: the part of the total variance along each row; 0 if there is none

    /// The coordinates of `points` [N, dim] along the components, [N, count]. The mean is not subtracted: the origin
    /// stays the origin. Throws Error when the size is not a multiple of dim.
    std::vector<float> project(std::span<const float> points) const;
};

/// The first `count` principal components of `points` [N, dim]. The sign of each is such that its element of largest
/// magnitude (the first of several) is positive, so the result depends on the points alone. Throws Error when N is
/// below 2, `count` is not in [1, dim], or a point is not finite.
PrincipalComponents principal_components(std::span<const float> points, std::size_t dim, std::size_t count);

}  // namespace radial::train
