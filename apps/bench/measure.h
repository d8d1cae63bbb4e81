// Times of repeated work, and memory of the process.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace radial::bench {

/// Order statistics of a set of durations, in milliseconds.
struct Times {
    double median = 0, minimum = 0, lower_quartile = 0, upper_quartile = 0;
};

/// Runs `work` `warmup` times unmeasured, then `repeats` (at least 1) times measured.
Times measure(const std::function<void()>& work, std::int64_t warmup, std::int64_t repeats);

/// Order statistics of `milliseconds` (at least one), linear between neighbours.
Times summarise(std::vector<double> milliseconds);

/// The most memory that this process ever had resident, in bytes.
std::int64_t peak_resident_bytes();

}  // namespace radial::bench
