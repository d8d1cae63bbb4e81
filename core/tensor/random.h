// Random numbers as a function of (seed, counter): the same on every device, whatever the number of threads.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <vector>

namespace radial {

/// A stream of Philox 4x32-10 numbers (Salmon et al. 2011). Its whole state is two integers: seed and counter.
class Generator {
public:
    explicit Generator(std::uint64_t seed = 0) : seed_(seed) {}
    std::uint64_t seed() const { return seed_; }
    std::uint64_t counter() const { return counter_; }
    /// Continues from a saved state.
    void restore(std::uint64_t seed, std::uint64_t counter) {
        seed_ = seed;
        counter_ = counter;
    }
    /// Takes the next `count` numbers for the caller and returns the index of the first. While a graph is being
    /// recorded the index is relative to *base().
    std::uint64_t reserve(std::uint64_t count) {
        const std::uint64_t first = counter_;
        counter_ += count;
        return first;
    }
    /// What kernels add to an index from reserve(): null, which is nothing, except while a step is being recorded as a
    /// graph. It is then on the device and moves on before each launch, so that every launch draws other numbers.
    const std::uint64_t* base() const { return base_; }
    /// Counts from 0 on top of *base; null ends that. For StepGraph.
    void count_from(const std::uint64_t* base) {
        base_ = base;
        counter_ = 0;
    }
    /// Next 32 random bits.
    std::uint32_t next();
    /// Next number in [0, 1), with 24 random bits.
    float uniform();
    /// Next integer in [0, bound), without bias. Throws Error when bound is 0.
    std::uint64_t below(std::uint64_t bound);

private:
    std::uint64_t seed_;
    std::uint64_t counter_ = 0;
    const std::uint64_t* base_ = nullptr;
};

/// The stream that layers take their first weights and dropout masks from. One a process.
Generator& default_generator();
/// Restarts default_generator() at `seed`.
void manual_seed(std::uint64_t seed);

// Both fillers take a float32 or float64 tensor in either layout. Element i in logical row-major order comes from
// number i after the generator's counter, so every dtype, layout and number of threads gives the same values up to
// rounding. They throw Error for an integer tensor and for bounds or a deviation that make no sense.

/// Fills x in place with numbers from [low, high), with 24 random bits each. Takes numel() numbers.
void uniform_(const Tensor& x, double low, double high, Generator& generator = default_generator());
/// Fills x in place with normal numbers (Box-Muller: elements 2k and 2k + 1 share their two numbers, so numel() rounded
/// up to even are taken). With 24 bits a number, none is further than 5.8 deviations from the mean.
void normal_(const Tensor& x, double mean, double deviation, Generator& generator = default_generator());
/// While one lives, uniform_() and normal_() on this thread, and what is built on them, write zeros and take no
/// numbers: for networks whose weights are about to be read, or that are only to be counted. They can be nested.
class SkipRandomFill {
public:
    SkipRandomFill();
    ~SkipRandomFill();
    SkipRandomFill(const SkipRandomFill&) = delete;
    SkipRandomFill& operator=(const SkipRandomFill&) = delete;

private:
    bool previous_;
};
/// 0 .. count-1 in random order (Fisher-Yates). Throws Error when count is negative.
std::vector<std::int64_t> permutation(std::int64_t count, Generator& generator);

/// Initial weights. fan_in is the product of all extents but the first, fan_out of all but the second.
/// All throw Error for a tensor of rank below 2, which has no fans, and for one without elements.
namespace init {
enum class Fan : std::uint8_t { in, out };
/// U(-b, b), b = gain * sqrt(3 / fan) (He et al. 2015). gain sqrt(2) suits ReLU.
void kaiming_uniform_(const Tensor& w, double gain = 1.4142135623730951, Fan fan = Fan::in,
                      Generator& generator = default_generator());
/// N(0, gain^2 / fan).
void kaiming_normal_(const Tensor& w, double gain = 1.4142135623730951, Fan fan = Fan::in,
                     Generator& generator = default_generator());
/// U(-b, b), b = gain * sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010).
void xavier_uniform_(const Tensor& w, double gain = 1.0, Generator& generator = default_generator());
/// N(0, 2 gain^2 / (fan_in + fan_out)).
void xavier_normal_(const Tensor& w, double gain = 1.0, Generator& generator = default_generator());
}  // namespace init

}  // namespace radial
