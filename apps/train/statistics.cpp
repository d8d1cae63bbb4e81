// Statistics of points and of lists of numbers: clusters, correlations, confidence intervals, principal components.
#include "radial/apps/train/statistics.h"

#include "radial/core/util/error.h"

#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <numeric>

namespace radial::train {
namespace {

/// Returns the number N of points in `values` [N, dim]. Throws Error unless the size of `values` is a multiple of `dim`
/// and all values are finite.
std::size_t points_in(const char* who, std::span<const float> values, std::size_t dim) {
    RADIAL_CHECK(dim > 0 && values.size() % dim == 0, "{}: {} numbers, expected a multiple of the dimension {}", who,
                 values.size(), dim);
    const auto broken = std::ranges::find_if(values, [](float value) { return !std::isfinite(value); });
    RADIAL_CHECK(broken == values.end(), "{}: point {} is not finite", who,
                 static_cast<std::size_t>(broken - values.begin()) / dim);
    return values.size() / dim;
}

/// The mean of points: add() sums them, and finish() divides the sum by their number.
struct Mean {
    std::vector<double> values;
    double count = 0;

    void add(std::span<const float> point) {
        values.resize(point.size());
        for (std::size_t d = 0; d < point.size(); ++d) values[d] += static_cast<double>(point[d]);
        ++count;
    }
    void finish() {
        for (double& value : values) value /= count;
    }
};

/// The squared distance between two points.
template <class T>
double squared_distance(std::span<const T> a, std::span<const double> b) {
    double sum = 0;
    for (std::size_t d = 0; d < a.size(); ++d) {
        const double difference = static_cast<double>(a[d]) - b[d];
        sum += difference * difference;
    }
    return sum;
}

/// The ranks of `values`, from 1 on. Equal numbers share their mean rank.
std::vector<double> ranks(std::span<const double> values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, [&values](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    std::vector<double> ranks(values.size());
    for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
        while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
        const double rank = static_cast<double>(begin + end + 1) / 2;
        for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = rank;
    }
    return ranks;
}

void check_lists(const char* who, std::span<const double> x, std::span<const double> y) {
    RADIAL_CHECK(x.size() == y.size() && x.size() >= 2, "{}: lists of {} and {} numbers, expected the same, 2 or more",
                 who, x.size(), y.size());
}

bool all_finite(std::span<const double> values) {
    return std::ranges::all_of(values, [](double value) { return std::isfinite(value); });
}

using Points = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

/// Returns the lower triangle of the covariance matrix of the rows of `points`; the elements above the diagonal are 0.
/// Reads a thousand rows at a time, so that the copy of the centred rows stays small.
Eigen::MatrixXd covariance_of(const Points& points) {
    const Eigen::RowVectorXd mean = points.cast<double>().colwise().mean();
    Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(points.cols(), points.cols());
    constexpr Eigen::Index block = 1000;
    for (Eigen::Index begin = 0; begin < points.rows(); begin += block) {
        const Eigen::Index rows = std::min(block, points.rows() - begin);
        const Eigen::MatrixXd centred = points.middleRows(begin, rows).cast<double>().rowwise() - mean;
        sum.selfadjointView<Eigen::Lower>().rankUpdate(centred.transpose());
    }
    return sum / static_cast<double>(points.rows() - 1);
}

}  // namespace

double calinski_harabasz(std::span<const float> points, std::span<const std::int64_t> labels, std::size_t dim) {
    const std::size_t count = points_in("calinski_harabasz", points, dim);
    RADIAL_CHECK(labels.size() == count, "calinski_harabasz: {} points and {} labels", count, labels.size());
    Mean all;
    std::map<std::int64_t, Mean> clusters;
    for (std::size_t i = 0; i < count; ++i) {
        all.add(points.subspan(i * dim, dim));
        clusters[labels[i]].add(points.subspan(i * dim, dim));
    }
    RADIAL_CHECK(clusters.size() >= 2 && clusters.size() < count,
                 "calinski_harabasz: the number of clusters is {}, expected 2 to {}, one less than there are points",
                 clusters.size(), count > 0 ? count - 1 : 0);
    all.finish();
    double between = 0, within = 0;
    for (auto& [label, mean] : clusters) {
        mean.finish();
        between += mean.count * squared_distance<double>(mean.values, all.values);
    }
    for (std::size_t i = 0; i < count; ++i)
        within += squared_distance<float>(points.subspan(i * dim, dim), clusters.at(labels[i]).values);
    if (within == 0) return 1;
    const auto groups = static_cast<double>(clusters.size());
    return between * (static_cast<double>(count) - groups) / (within * (groups - 1));
}

double pearson_correlation(std::span<const double> x, std::span<const double> y) {
    check_lists("pearson_correlation", x, y);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const auto constant = [](std::span<const double> values) {
        return std::ranges::all_of(values, [&values](double value) { return value == values.front(); });
    };
    if (!all_finite(x) || !all_finite(y) || constant(x) || constant(y)) return nan;
    const auto count = static_cast<double>(x.size());
    const double mean_x = std::accumulate(x.begin(), x.end(), 0.0) / count;
    const double mean_y = std::accumulate(y.begin(), y.end(), 0.0) / count;
    // The deviations are divided by the largest one, so that the squares of tiny deviations do not become 0.
    double most_x = 0, most_y = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        most_x = std::max(most_x, std::abs(x[i] - mean_x));
        most_y = std::max(most_y, std::abs(y[i] - mean_y));
    }
    double xx = 0, yy = 0, xy = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double a = (x[i] - mean_x) / most_x, b = (y[i] - mean_y) / most_y;
        xx += a * a;
        yy += b * b;
        xy += a * b;
    }
    return std::clamp(xy / std::sqrt(xx * yy), -1.0, 1.0);
}

double spearman_correlation(std::span<const double> x, std::span<const double> y) {
    check_lists("spearman_correlation", x, y);
    if (!all_finite(x) || !all_finite(y)) return std::numeric_limits<double>::quiet_NaN();
    return pearson_correlation(ranks(x), ranks(y));
}

double student_t_quantile(double probability, double degrees) {
    RADIAL_CHECK(probability > 0 && probability < 1 && degrees >= 1,
                 "student_t_quantile: probability {} and {} degrees of freedom, expected within (0, 1) and at least 1",
                 probability, degrees);
    if (probability < 0.5) return -student_t_quantile(1 - probability, degrees);
    // The substitution t = sqrt(degrees) tan(angle) turns the density into a power of cos(angle) on a finite range.
    const double scale =
        std::exp(std::lgamma((degrees + 1) / 2) - std::lgamma(degrees / 2)) / std::sqrt(std::numbers::pi);
    const auto above_middle = [&](double angle) {  // the probability of (0, t), by Simpson's rule
        constexpr int pieces = 400;
        const double step = angle / pieces;
        double sum = 1 + std::pow(std::cos(angle), degrees - 1);
        for (int i = 1; i < pieces; ++i) sum += (i % 2 == 1 ? 4 : 2) * std::pow(std::cos(i * step), degrees - 1);
        return scale * sum * step / 3;
    };
    double low = 0, high = std::numbers::pi / 2;
    for (int i = 0; i < 60; ++i) {
        const double middle = (low + high) / 2;
        (above_middle(middle) < probability - 0.5 ? low : high) = middle;
    }
    return std::sqrt(degrees) * std::tan((low + high) / 2);
}

MeanInterval mean_interval(std::span<const double> values, double confidence) {
    RADIAL_CHECK(!values.empty(), "mean_interval: no values");
    RADIAL_CHECK(confidence > 0 && confidence < 1, "mean_interval: confidence is {}, expected within (0, 1)",
                 confidence);
    const auto count = static_cast<double>(values.size());
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
    if (values.size() == 1) return {mean, std::numeric_limits<double>::quiet_NaN()};
    double squares = 0;
    for (const double value : values) squares += (value - mean) * (value - mean);
    return {mean, student_t_quantile((1 + confidence) / 2, count - 1) * std::sqrt(squares / (count - 1) / count)};
}

PrincipalComponents principal_components(std::span<const float> points, std::size_t dim, std::size_t count) {
    const std::size_t rows = points_in("principal_components", points, dim);
    RADIAL_CHECK(rows >= 2, "principal_components: {} points, expected 2 or more", rows);
    RADIAL_CHECK(count >= 1 && count <= dim, "principal_components: {} components of {} dimensions asked for", count,
                 dim);
    const Eigen::MatrixXd covariance =
        covariance_of(Points(points.data(), static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(dim)));
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(covariance);  // reads only the lower triangle
    const double total = covariance.trace();
    PrincipalComponents result{.dim = dim, .components = {}, .explained = {}};
    for (std::size_t i = 0; i < count; ++i) {
        const auto column = static_cast<Eigen::Index>(dim - 1 - i);  // the eigenvalues are in ascending order
        Eigen::VectorXd component = solver.eigenvectors().col(column);
        Eigen::Index largest = 0;
        component.cwiseAbs().maxCoeff(&largest);
        if (component[largest] < 0) component = -component;
        result.components.insert(result.components.end(), component.begin(), component.end());
        result.explained.push_back(total > 0 ? std::max(0.0, solver.eigenvalues()[column]) / total : 0);
    }
    return result;
}

std::vector<float> PrincipalComponents::project(std::span<const float> points) const {
    RADIAL_CHECK(dim > 0 && points.size() % dim == 0, "PrincipalComponents: {} numbers, expected a multiple of {}",
                 points.size(), dim);
    const std::size_t count = components.size() / dim;
    std::vector<float> projected;
    projected.reserve(points.size() / dim * count);
    for (std::size_t i = 0; i < points.size(); i += dim) {
        for (std::size_t c = 0; c < count; ++c) {
            double sum = 0;
            for (std::size_t d = 0; d < dim; ++d) sum += static_cast<double>(points[i + d]) * components[c * dim + d];
            projected.push_back(static_cast<float>(sum));
        }
    }
    return projected;
}

}  // namespace radial::train
