// Random numbers as a function of seed and counter: the same on every device and for any number of threads.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <vector>

namespace radial {

/// A stream of Philox 4x32-10 random numbers (Salmon et al. 2011). Its state consists of two integers: seed and
/// counter.
class Generator {
public:
    /// Starts at counter 0.
    explicit Generator(std::uint64_t seed = 0) : seed_(seed) {}
    /// The seed.
    std::uint64_t seed() const { return seed_; }
    /// The number of random numbers taken so far.
    std::uint64_t counter() const { return counter_; }
    /// Continues from a saved state.
    void restore(std::uint64_t seed, std::uint64_t counter) {
        seed_ = seed;
        counter_ = counter;
    }
    /// Reserves the next `count` numbers for the caller and returns the index of the first. While a graph is being
    /// recorded, the index is relative to *base().
    std::uint64_t reserve(std::uint64_t count) {
        const std::uint64_t first = counter_;
        counter_ += count;
        return first;
    }
    /// The address of an offset that kernels must add to an index from reserve(), or null for no offset. It is null
    /// except while a step is being recorded as a graph. The offset is in device memory and is advanced before each
    /// launch of the graph, so that every launch draws different numbers.
    const std::uint64_t* base() const { return base_; }
    /// Restarts the counter at 0, relative to *base; null ends this mode. Used by StepGraph.
    void count_from(const std::uint64_t* base) {
        base_ = base;
        counter_ = 0;
    }
    /// The next 32 random bits.
    std::uint32_t next();
    /// The next number in [0, 1), with 24 random bits.
    float uniform();
    /// The next integer in [0, bound), uniformly distributed. Throws Error when bound is 0.
    std::uint64_t below(std::uint64_t bound);

private:
    std::uint64_t seed_;
    std::uint64_t counter_ = 0;
    const std::uint64_t* base_ = nullptr;
};

/// The stream that layers draw initial weights and dropout masks from. There is one per process.
Generator& default_generator();
/// Restarts default_generator() with `seed`.
void manual_seed(std::uint64_t seed);

/// Fills x in place with uniform numbers from [low, high), with 24 random bits each. x is float32 or float64 in either
/// layout. Element i in logical row-major order is number i after the generator's counter, so every dtype, layout and
/// number of threads gives the same values up to rounding. Uses numel() numbers of the generator. Throws Error for a
/// tensor of another type, for invalid bounds, and while a graph is being recorded on x's device.
void uniform_(const Tensor& x, double low, double high, Generator& generator = default_generator());
/// Fills x in place with normally distributed numbers, as uniform_() does (Box-Muller: elements 2k and 2k + 1 share two
/// numbers of the generator, so numel() rounded up to even are used). With 24 bits per number, no element deviates from
/// the mean by more than 5.8 standard deviations. Throws Error for a tensor of another type, for an invalid mean or
/// std, and while a graph is being recorded.
void normal_(const Tensor& x, double mean, double std, Generator& generator = default_generator());
/// While the object exists, uniform_() and normal_() on this thread, and all functions that use them, write zeros and
/// draw no numbers. For networks whose weights are about to be loaded or whose operations are only counted. Objects can
/// be nested.
class SkipRandomFill {
public:
    SkipRandomFill();
    ~SkipRandomFill();
    SkipRandomFill(const SkipRandomFill&) = delete;
    SkipRandomFill& operator=(const SkipRandomFill&) = delete;

private:
    bool previous_;
};
/// The numbers 0 to count - 1 in random order (Fisher-Yates). Throws Error when count is negative.
std::vector<std::int64_t> permutation(std::int64_t count, Generator& generator);

/// Initial weights. fan_in is the product of all extents but the first, fan_out of all but the second. The functions
/// that use a fan throw Error for a tensor without elements and for one of rank below 2, which has no fans.
namespace init {
/// The fan by which an initialisation divides: fan_in or fan_out.
enum class Fan : std::uint8_t {
    in,  ///< fan_in, which preserves the variance of activations in the forward pass
    out  ///< fan_out, which preserves the variance of gradients in the backward pass
};
/// Fills w from U(-b, b), b = gain * sqrt(3 / fan) (He et al. 2015). A gain of sqrt(2) suits ReLU.
void kaiming_uniform_(const Tensor& w, double gain = 1.4142135623730951, Fan fan = Fan::in,
                      Generator& generator = default_generator());
/// Fills w from N(0, gain^2 / fan) (He et al. 2015).
void kaiming_normal_(const Tensor& w, double gain = 1.4142135623730951, Fan fan = Fan::in,
                     Generator& generator = default_generator());
/// Fills w from U(-b, b), b = gain * sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010).
void xavier_uniform_(const Tensor& w, double gain = 1.0, Generator& generator = default_generator());
/// Fills w from N(0, 2 gain^2 / (fan_in + fan_out)) (Glorot & Bengio 2010).
void xavier_normal_(const Tensor& w, double gain = 1.0, Generator& generator = default_generator());
/// Makes the first min(K, C) kernels of convolution weights w [K, C, R, S] copy the first channels: element (k, k, R /
/// 2, S / 2) is 1 and the other elements of these kernels are 0, as after PyTorch's dirac_. The remaining kernels keep
/// their values. Throws Error when w is not of rank 4 or a side of the kernels is even.
void dirac_(const Tensor& w);
}  // namespace init

}  // namespace radial
