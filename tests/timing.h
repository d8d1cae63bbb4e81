// Measures the time of a call for the lists that radial-tests "[speed]" prints. No test depends on it.
#pragma once

#include "radial/core/memory/transfer.h"
#include "radial/core/tensor/tensor.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace radial::test {

/// Microseconds of one call of f(): the smallest mean of three rounds of about 20 ms. Each round ends by waiting for
/// the device.
template <class F>
double microseconds(const F& f) {
    using Clock = std::chrono::steady_clock;
    const auto time_of = [&](std::int64_t calls) {
        synchronize(default_device());
        const auto start = Clock::now();
        for (std::int64_t i = 0; i < calls; ++i) f();
        synchronize(default_device());
        return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
    };
    time_of(1);  // so that plans and caches exist before the measurement
    const auto calls = static_cast<std::int64_t>(std::clamp(20'000 / std::max(time_of(1), 1.0), 1.0, 1000.0));
    double least = time_of(calls);
    for (int round = 0; round < 2; ++round) least = std::min(least, time_of(calls));
    return least / static_cast<double>(calls);
}

}  // namespace radial::test
