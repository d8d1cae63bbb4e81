// Computes gains and initial values: orthogonal matrices by a QR decomposition, truncated normal distributions by
// quantiles, identity matrices, and biases.
#include "radial/core/nn/initialize.h"

#include "radial/core/util/error.h"

#include <Eigen/QR>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

namespace radial::init {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

void check_floating(const char* who, const Tensor& w) {
    RADIAL_CHECK(w.defined() && is_floating(w.dtype()), "{}: expected a floating-point tensor, got {}", who,
                 w.defined() ? w.str() : "an undefined one");
}

/// The probability of a value below x under N(0, 1).
double normal_cdf(double x) { return std::erfc(-x / std::numbers::sqrt2) / 2; }

double polynomial(std::initializer_list<double> coefficients, double x) {
    double value = 0;
    for (const double coefficient : coefficients) value = value * x + coefficient;
    return value;
}

/// The inverse of erf on (-1, 1): the approximation of Giles (2010), then two steps of Newton's method.
double erf_inverse(double y) {
    double w = -std::log((1 - y) * (1 + y));
    double x;
    if (w < 5) {
        w -= 2.5;
        x = y * polynomial({2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087,
                            -0.00125372503, -0.00417768164, 0.246640727, 1.50140941},
                           w);
    } else {
        w = std::sqrt(w) - 3;
        x = y * polynomial({-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773,
                            -0.0076224613, 0.00943887047, 1.00167406, 2.83297682},
                           w);
    }
    for (int step = 0; step < 2; ++step) {
        const double error = std::erf(x) - y;
        x -= error / (2 * std::numbers::inv_sqrtpi * std::exp(-x * x));
    }
    return x;
}

/// Copies row-major values to `w`.
void assign(const Tensor& w, const std::vector<double>& values) {
    w.copy_(Tensor::from(values, w.shape(), Device{}).to(w.dtype()).to(w.device()));
}

/// Returns one float64 number per element of w, drawn by fill() on the host, or none if SkipRandomFill is in effect.
template <class Fill>
std::vector<double> drawn(const Tensor& w, Generator& generator, const Fill& fill) {
    const Tensor numbers = Tensor::empty({w.numel()}, DType::float64, Device{});
    const std::uint64_t before = generator.counter();
    fill(numbers);
    return generator.counter() == before ? std::vector<double>{} : numbers.to_vector<double>();
}

}  // namespace

double gain_of(Nonlinearity function, double slope) {
    switch (function) {
        case Nonlinearity::tanh:
            return 5.0 / 3;
        case Nonlinearity::relu:
            return std::numbers::sqrt2;
        case Nonlinearity::leaky_relu:
            return std::sqrt(2 / (1 + slope * slope));
        case Nonlinearity::selu:
            return 0.75;
        case Nonlinearity::linear:
        case Nonlinearity::sigmoid:
            break;
    }
    return 1;
}

void trunc_normal_(const Tensor& w, double mean, double std, double low, double high, Generator& generator) {
    check_floating("trunc_normal_", w);
    RADIAL_CHECK(std > 0 && std::isfinite(std) && std::isfinite(mean),
                 "trunc_normal_: expected a finite mean and std > 0, got {} and {}", mean, std);
    RADIAL_CHECK(low < high, "trunc_normal_: expected low < high, got {} and {}", low, high);
    const double first = 2 * normal_cdf((low - mean) / std) - 1, last = 2 * normal_cdf((high - mean) / std) - 1;
    std::vector<double> values =
        drawn(w, generator, [&](const Tensor& numbers) { uniform_(numbers, first, last, generator); });
    if (values.empty()) return w.fill_(0);
    for (double& value : values) {
        const double quantile = value <= -1  ? -std::numeric_limits<double>::infinity()
                                : value >= 1 ? std::numeric_limits<double>::infinity()
                                             : std::numbers::sqrt2 * erf_inverse(value);
        value = std::clamp(mean + std * quantile, low, high);
    }
    assign(w, values);
}

void orthogonal_(const Tensor& w, double gain, Generator& generator) {
    check_floating("orthogonal_", w);
    RADIAL_CHECK(w.rank() >= 2 && w.numel() > 0, "orthogonal_: {} is not a matrix with elements", w.str());
    const std::vector<double> values =
        drawn(w, generator, [&](const Tensor& numbers) { normal_(numbers, 0, 1, generator); });
    if (values.empty()) return w.fill_(0);
    const std::int64_t rows = w.size(0), columns = w.numel() / rows;
    const Eigen::Map<const Matrix> given(values.data(), rows, columns);
    const bool wide = rows < columns;
    const Matrix tall = wide ? Matrix(given.transpose()) : Matrix(given);
    const Eigen::HouseholderQR<Matrix> qr(tall);
    Matrix q = qr.householderQ() * Matrix::Identity(tall.rows(), tall.cols());
    for (Eigen::Index k = 0; k < q.cols(); ++k) q.col(k) *= qr.matrixQR()(k, k) < 0 ? -gain : gain;
    if (wide) q.transposeInPlace();
    assign(w, std::vector<double>(q.data(), q.data() + q.size()));
}

void eye_(const Tensor& w) {
    check_floating("eye_", w);
    RADIAL_CHECK(w.rank() == 2, "eye_: {} is not a matrix", w.str());
    std::vector<double> values(static_cast<std::size_t>(w.numel()), 0.0);
    for (std::int64_t k = 0; k < std::min(w.size(0), w.size(1)); ++k)
        values[static_cast<std::size_t>(k * w.size(1) + k)] = 1;
    assign(w, values);
}

void bias_uniform_(const Tensor& bias, std::int64_t fan_in, Generator& generator) {
    RADIAL_CHECK(fan_in >= 1, "bias_uniform_: fan_in is {}, expected at least 1", fan_in);
    const double bound = 1.0 / std::sqrt(static_cast<double>(fan_in));
    uniform_(bias, -bound, bound, generator);
}

}  // namespace radial::init
