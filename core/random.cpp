// The random stream, and the fillers and initialisers that draw from it.
#include "radial/core/random.h"

#include "radial/core/dispatch.h"
#include "radial/core/kernels/launch.h"
#include "radial/core/kernels/memory_index.h"
#include "radial/core/kernels/philox.h"

#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <utility>

namespace radial {

namespace {

using kernels::MemoryIndex;
using kernels::random_bits;
using kernels::to_unit;

template <class T>
void fill_uniform(const Tensor& x, double low, double high, std::uint64_t seed, std::uint64_t first) {
    // Rounding to T may reach `high` itself, which the interval leaves out.
    T most = static_cast<T>(high);
    if (static_cast<double>(most) >= high) most = std::nextafter(most, std::numeric_limits<T>::lowest());
    most = std::max(most, static_cast<T>(low));
    T* const out = x.data<T>();
    const MemoryIndex at(x);
    kernels::map(x.numel(), [=](std::int64_t i) {
        const double unit = to_unit(random_bits(seed, first + static_cast<std::uint64_t>(i)));
        out[at(i)] = std::min(static_cast<T>(low + (high - low) * unit), most);
    });
}

template <class T>
void fill_normal(const Tensor& x, double mean, double deviation, std::uint64_t seed, std::uint64_t first) {
    T* const out = x.data<T>();
    const std::int64_t count = x.numel();
    const MemoryIndex at(x);
    kernels::map((count + 1) / 2, [=](std::int64_t pair) {
        const std::uint64_t index = first + 2 * static_cast<std::uint64_t>(pair);
        const double positive = 1.0 - static_cast<double>(to_unit(random_bits(seed, index)));  // (0, 1]: log is finite
        const double angle = 2 * std::numbers::pi * static_cast<double>(to_unit(random_bits(seed, index + 1)));
        const double radius = deviation * std::sqrt(-2 * std::log(positive));
        out[at(2 * pair)] = static_cast<T>(mean + radius * std::cos(angle));
        if (2 * pair + 1 < count) out[at(2 * pair + 1)] = static_cast<T>(mean + radius * std::sin(angle));
    });
}

}  // namespace

std::uint32_t Generator::next() { return random_bits(seed_, counter_++); }

float Generator::uniform() { return to_unit(next()); }

std::uint64_t Generator::below(std::uint64_t bound) {
    RADIAL_CHECK(bound > 0, "Generator::below: the bound is 0, expected at least 1");
    // The lowest 2^b mod bound values are thrown away, which leaves a whole number of turns of `bound`.
    if (bound <= std::numeric_limits<std::uint32_t>::max()) {
        const auto small = static_cast<std::uint32_t>(bound);
        const std::uint32_t rejected = (0U - small) % small;
        std::uint32_t bits = next();
        while (bits < rejected) bits = next();
        return bits % small;
    }
    const std::uint64_t rejected = (std::uint64_t{0} - bound) % bound;
    const auto draw = [this] {
        const std::uint64_t high = next();
        return high << 32 | next();
    };
    std::uint64_t bits = draw();
    while (bits < rejected) bits = draw();
    return bits % bound;
}

Generator& default_generator() {
    static Generator generator;
    return generator;
}

void manual_seed(std::uint64_t seed) { default_generator().restore(seed, 0); }

void uniform_(const Tensor& x, double low, double high, Generator& generator) {
    RADIAL_CHECK(low <= high && std::isfinite(high - low), "uniform_: expected finite low <= high, got {} and {}", low,
                 high);
    dispatch_floating(x.dtype(), "uniform_", [&](auto zero) {
        fill_uniform<decltype(zero)>(x, low, high, generator.seed(),
                                     generator.reserve(static_cast<std::uint64_t>(x.numel())));
    });
    x.bump_version();
}

void normal_(const Tensor& x, double mean, double deviation, Generator& generator) {
    RADIAL_CHECK(deviation >= 0 && std::isfinite(deviation) && std::isfinite(mean),
                 "normal_: expected a finite mean and deviation >= 0, got {} and {}", mean, deviation);
    dispatch_floating(x.dtype(), "normal_", [&](auto zero) {
        const auto numbers = static_cast<std::uint64_t>((x.numel() + 1) / 2 * 2);
        fill_normal<decltype(zero)>(x, mean, deviation, generator.seed(), generator.reserve(numbers));
    });
    x.bump_version();
}

std::vector<std::int64_t> permutation(std::int64_t count, Generator& generator) {
    RADIAL_CHECK(count >= 0, "permutation: the count is {}, expected at least 0", count);
    std::vector<std::int64_t> order(static_cast<std::size_t>(count));
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t left = order.size(); left > 1; --left) std::swap(order[left - 1], order[generator.below(left)]);
    return order;
}

namespace init {

namespace {

struct Fans {
    double in, out;
};

Fans fans_of(const Tensor& w, std::string_view who) {
    RADIAL_CHECK(w.rank() >= 2, "{}: {} has no fans, expected rank 2 or more", who, w.str());
    RADIAL_CHECK(w.numel() > 0, "{}: {} has no elements", who, w.str());
    const auto count = static_cast<double>(w.numel());
    return {count / static_cast<double>(w.shape()[0]), count / static_cast<double>(w.shape()[1])};
}

double choose(const Fans& fans, Fan fan) { return fan == Fan::in ? fans.in : fans.out; }

}  // namespace

void kaiming_uniform_(const Tensor& w, double gain, Fan fan, Generator& generator) {
    const double bound = gain * std::sqrt(3 / choose(fans_of(w, "kaiming_uniform_"), fan));
    uniform_(w, -bound, bound, generator);
}

void kaiming_normal_(const Tensor& w, double gain, Fan fan, Generator& generator) {
    normal_(w, 0, gain / std::sqrt(choose(fans_of(w, "kaiming_normal_"), fan)), generator);
}

void xavier_uniform_(const Tensor& w, double gain, Generator& generator) {
    const Fans fans = fans_of(w, "xavier_uniform_");
    const double bound = gain * std::sqrt(6 / (fans.in + fans.out));
    uniform_(w, -bound, bound, generator);
}

void xavier_normal_(const Tensor& w, double gain, Generator& generator) {
    const Fans fans = fans_of(w, "xavier_normal_");
    normal_(w, 0, gain * std::sqrt(2 / (fans.in + fans.out)), generator);
}

}  // namespace init

}  // namespace radial
