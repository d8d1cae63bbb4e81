// Checks for all tests: exact error messages, and equality of tensors.
#pragma once

#include "catch.h"
#include "radial/core/memory/transfer.h"
#include "radial/core/tensor/tensor.h"
#include "radial/losses/loss.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <type_traits>

namespace radial::test {

/// Runs `f`, which must throw an E (radial::Error by default), and returns the error's message.
template <class E = Error, class F>
std::string error_of(F&& f) {
    try {
        f();
    } catch (const E& error) {
        return error.what();
    }
    return "(no error was thrown)";
}

/// Like error_of, for errors that a device detects only while it runs the kernel.
template <class F>
std::string error_after(F&& f) {
    return error_of([&] {
        f();
        synchronize(default_device());
    });
}

/// The expected message for index `value` of sample `sample`, which is outside [0, limit): on the CPU `on_cpu`, the
/// message of the op; on a device a message that names the device.
inline std::string bad_index(const std::string& on_cpu, std::int64_t value, std::int64_t sample, std::int64_t limit) {
    const Device device = default_device();
    if (device.kind == Device::Kind::cpu) return on_cpu;
    return fmt::format("{}: index {} of sample {} is outside [0, {})", device.str(), value, sample, limit);
}

/// Compares long vectors or the bytes of files; tests check that the result is "". Otherwise the result contains the
/// number of elements in which `a` and `b` differ, the first of them, and the one with the largest difference: "2 of
/// 4096 differ: [7] 1 and 1.5, the first; [9] 2 and 5, the most". A NaN differs from every number and from NaN, and
/// counts as the largest difference.
template <class Values>
std::string differences(const Values& a, const std::type_identity_t<Values>& b) {
    if (a.size() != b.size()) return fmt::format("{} and {} elements", a.size(), b.size());
    std::size_t count = 0, first = 0, most = 0;
    double largest = -1;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i] == b[i]) continue;
        const double difference = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
        if (count++ == 0) first = i;
        if (difference > largest || (std::isnan(difference) && !std::isnan(largest))) {
            largest = difference;
            most = i;
        }
    }
    if (count == 0) return "";
    const auto at = [&](std::size_t i) { return fmt::format("[{}] {} and {}", i, +a[i], +b[i]); };
    return fmt::format("{} of {} differ: {}, the first; {}, the most", count, a.size(), at(first), at(most));
}

/// The metric that `loss` reports under this name; undefined if there is none.
inline Tensor metric_of(const Loss& loss, std::string_view name) {
    for (const LossMetric& metric : loss.metrics())
        if (metric.name == name) return metric.value;
    return {};
}

/// The largest |a - b| divided by the largest |b| (or by `floor` if that is larger): the difference relative to the
/// tensor's scale.
inline double relative_difference(const Tensor& a, const Tensor& b, double floor = 1e-12) {
    if (a.shape() != b.shape()) return INFINITY;
    const auto x = a.to_vector<double>(), y = b.to_vector<double>();
    double difference = 0, scale = floor;
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (!std::isfinite(x[i]) || !std::isfinite(y[i])) {
            if (x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]))) continue;
            return INFINITY;
        }
        difference = std::max(difference, std::abs(x[i] - y[i]));
        scale = std::max(scale, std::abs(y[i]));
    }
    return difference / scale;
}

}  // namespace radial::test
