// Checks shared by the tests: exact error messages, tensors that agree.
#pragma once

#include "catch.h"
#include "radial/core/memory/transfer.h"
#include "radial/core/tensor.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace radial::test {

/// Runs `f`, which must throw an E (any radial::Error by default), and returns its message.
template <class E = Error, class F>
std::string error_of(F&& f) {
    try {
        f();
    } catch (const E& error) {
        return error.what();
    }
    return "(no error was thrown)";
}

/// As error_of, for what a device notices only while it runs.
template <class F>
std::string error_after(F&& f) {
    return error_of([&] {
        f();
        synchronize(default_device());
    });
}

/// The error for index `value` of `sample` outside [0, limit): the op's own on the CPU; a device's names the device.
inline std::string bad_index(const std::string& on_cpu, std::int64_t value, std::int64_t sample, std::int64_t limit) {
    const Device device = default_device();
    if (device.kind == Device::Kind::cpu) return on_cpu;
    return fmt::format("{}: index {} of sample {} is outside [0, {})", device.str(), value, sample, limit);
}

/// Largest |a - b| over the largest |b| (at least `floor`): the difference relative to the tensor's own scale.
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
