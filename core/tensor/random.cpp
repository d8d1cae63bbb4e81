// The random stream, and the functions that fill and initialise tensors from it.
#include "radial/core/tensor/random.h"

#include "radial/core/kernels/launch.h"
#include "radial/core/tensor/random_kernels.h"
#include "radial/core/tensor/types.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace radial {

namespace {

thread_local bool skip_random_fill = false;

using kernels::random_bits;
using kernels::to_unit;

template <class T>
void fill_uniform(const Tensor& x, double low, double high, std::uint64_t seed, std::uint64_t first) {
    // Rounding to T may give `high` itself, which is outside the interval.
    T most = static_cast<T>(high);
    if (static_cast<double>(most) >= high) most = std::nextafter(most, std::numeric_limits<T>::lowest());
    most = std::max(most, static_cast<T>(low));
    kernels::map(
        x.device(), x.numel(),
        kernels::Uniform<T>{x.data<T>(), low, high, static_cast<double>(most), seed, first, kernels::MemoryIndex(x)});
}

template <class T>
void fill_normal(const Tensor& x, double mean, double std, std::uint64_t seed, std::uint64_t first) {
    kernels::map(x.device(), (x.numel() + 1) / 2,
                 kernels::Normal<T>{x.data<T>(), x.numel(), mean, std, seed, first, kernels::MemoryIndex(x)});
}

// A fill recorded in a graph would repeat the same numbers at every launch.
void check_not_recorded(std::string_view who, const Tensor& x) {
    RADIAL_CHECK(x.device().kind == Device::Kind::cpu || !device::capturing(x.device().index),
                 "{}: a step that is recorded as a graph draws random numbers in dropout alone", who);
}

}  // namespace

std::uint32_t Generator::next() {
    RADIAL_CHECK(base_ == nullptr, "Generator: the host draws no numbers in a step that is recorded as a graph");
    return random_bits(seed_, counter_++);
}

float Generator::uniform() { return to_unit(next()); }

std::uint64_t Generator::below(std::uint64_t bound) {
    RADIAL_CHECK(bound > 0, "Generator::below: the bound is 0, expected at least 1");
    // The lowest 2^b mod bound values are rejected, so that the remaining range is a multiple of `bound`.
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
    check_not_recorded("uniform_", x);
    if (skip_random_fill) return x.fill_(0);
    dispatch_floating(x.dtype(), "uniform_", [&](auto zero) {
        fill_uniform<decltype(zero)>(x, low, high, generator.seed(),
                                     generator.reserve(static_cast<std::uint64_t>(x.numel())));
    });
    x.bump_version();
}

SkipRandomFill::SkipRandomFill() : previous_(std::exchange(skip_random_fill, true)) {}
SkipRandomFill::~SkipRandomFill() { skip_random_fill = previous_; }

void normal_(const Tensor& x, double mean, double std, Generator& generator) {
    RADIAL_CHECK(std >= 0 && std::isfinite(std) && std::isfinite(mean),
                 "normal_: expected a finite mean and std >= 0, got {} and {}", mean, std);
    check_not_recorded("normal_", x);
    if (skip_random_fill) return x.fill_(0);
    dispatch_floating(x.dtype(), "normal_", [&](auto zero) {
        const auto numbers = static_cast<std::uint64_t>((x.numel() + 1) / 2 * 2);
        fill_normal<decltype(zero)>(x, mean, std, generator.seed(), generator.reserve(numbers));
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

void dirac_(const Tensor& w) {
    RADIAL_CHECK(w.rank() == 4 && w.size(2) % 2 == 1 && w.size(3) % 2 == 1,
                 "dirac_: {} are not convolution weights with odd kernels", w.str());
    const std::int64_t copies = std::min(w.size(0), w.size(1)), pixels = w.size(2) * w.size(3);
    std::vector<double> values = w.to_vector<double>();
    for (std::int64_t k = 0; k < copies; ++k) {
        const auto kernel = values.begin() + k * w.size(1) * pixels;
        std::fill_n(kernel, w.size(1) * pixels, 0.0);
        kernel[k * pixels + pixels / 2] = 1;
    }
    w.copy_(Tensor::from(values, w.shape()).to(w.dtype()).to(w.device()));
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
