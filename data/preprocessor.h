// From bytes to the normalised, transformed floats of a batch.
#pragma once

#include "radial/core/tensor.h"
#include "radial/data/transforms.h"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace radial::data {

/// The stream that a sample's transforms draw from in `epoch`: a function of these three numbers.
Generator sample_stream(std::uint64_t seed, std::int64_t epoch, std::int64_t sample);

/// Prepares samples for a Loader. Its functions may be called by several threads at once.
class Preprocessor {
public:
    /// `images` is uint8 [N, C, H, W]. Throws Error (as the Loader, whose options these are) when the number of means
    /// or deviations does not fit the channels, or one makes no sense.
    Preprocessor(const Tensor& images, const std::vector<float>& mean, const std::vector<float>& deviation,
                 Transforms transforms, std::uint64_t seed);

    /// The samples as float32 [samples, C, height, width]. Throws Error when transforms leave images of different
    /// sizes, and what a transform throws.
    Tensor batch(std::span<const std::int64_t> samples, std::int64_t epoch) const;

private:
    /// What each of the 256 bytes becomes.
    using Table = std::array<float, 256>;

    void write(const std::vector<Table>& tables, std::int64_t sample, float* to) const;
    void normalise(Image& image) const;
    Image transformed(std::int64_t sample, std::int64_t epoch) const;

    Tensor images_;
    std::vector<float> mean_, deviation_;  ///< one a channel
    Transforms transforms_;
    std::uint64_t seed_;
    std::vector<Table> unit_, normalised_;  ///< one a channel: byte / 255, and that normalised
};

}  // namespace radial::data
