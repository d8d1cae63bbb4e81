// Wall-clock timing and resident memory.
#include "radial/apps/bench/measure.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>

namespace radial::bench {
namespace {

double quantile(const std::vector<double>& sorted, double q) {
    const double place = q * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

Times summarise(std::vector<double> milliseconds) {
    std::sort(milliseconds.begin(), milliseconds.end());
    return {.median = quantile(milliseconds, 0.5),
            .minimum = milliseconds.front(),
            .lower_quartile = quantile(milliseconds, 0.25),
            .upper_quartile = quantile(milliseconds, 0.75)};
}

Times measure(const std::function<void()>& work, std::int64_t warmup, std::int64_t repeats) {
    for (std::int64_t i = 0; i < warmup; ++i) work();
    std::vector<double> milliseconds;
    for (std::int64_t i = 0; i < repeats; ++i) {
        const auto start = std::chrono::steady_clock::now();
        work();
        const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
        milliseconds.push_back(elapsed.count());
    }
    return summarise(std::move(milliseconds));
}

std::int64_t peak_resident_bytes() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss * std::int64_t{1024};
}

}  // namespace radial::bench
