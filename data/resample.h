// The separable triangle filter that resizes images. For internal use: see resize.h.
#pragma once

#include <cstdint>
#include <vector>

namespace radial::data {

/// A range of rows or columns.
struct Range {
    std::int64_t begin = 0, end = 0;  ///< first, and one past the last
    /// The number of rows or columns.
    std::int64_t size() const { return end - begin; }
};

/// One axis of a resize: `length` source pixels from `offset` on become `to` pixels, of which `wanted` are computed.
/// Offset and length are whole numbers unless the image was decoded at a reduced size. Source indices are below
/// `limit`.
struct Axis {
    double offset = 0, length = 0;   ///< in source pixels
    std::int64_t limit = 0, to = 0;  ///< number of source and of target pixels
    Range wanted;                    ///< target pixels to compute
};

/// Resizes bytes [H, W, C] by the triangle ("bilinear") filter, which is widened by the ratio of sizes when the image
/// gets smaller. There are two passes, each rounded to bytes, with weights of 22 fractional bits; the result has the
/// same bytes as that of Pillow 13. Columns are resized first, unless the height is reduced by more than twice as many
/// pixels as the width, as in Pillow since 13.0. Older versions always begin with the columns, which changes some bytes
/// by 1. Memory is reused from one image to the next.
class Resampler {
public:
    /// Prepares a resize. rows() and columns() are then the source pixels that it needs.
    void plan(const Axis& down, const Axis& across);
    /// The source rows needed.
    Range rows() const { return needed(down_); }
    /// The source columns needed.
    Range columns() const { return needed(across_); }
    /// Runs the resize. `from` is the pixel (rows().begin, columns().begin), with `channels` (1 or 3) bytes per pixel
    /// and rows `stride` bytes apart. Writes [down.wanted, across.wanted, channels] to `to`.
    void run(const std::uint8_t* from, std::int64_t stride, std::int64_t channels, std::uint8_t* to);

private:
    /// Which source pixels each target pixel is a mean of, and with what weights.
    struct Weights {
        std::vector<Range> sources;        ///< of each target pixel
        std::vector<std::int32_t> values;  ///< `stride` for each target pixel, as many as its sources used
        std::int64_t stride = 0;
    };
    static Range needed(const Weights& weights) { return {weights.sources.front().begin, weights.sources.back().end}; }
    void weigh(const Axis& axis, Weights& weights);
    void columns_first(const std::uint8_t* from, std::int64_t stride, std::int64_t channels, std::uint8_t* to);
    void rows_first(const std::uint8_t* from, std::int64_t stride, std::int64_t channels, std::uint8_t* to);
    /// Row `target` of what down_ makes of bytes whose rows are `stride` apart and `length` long.
    void shorten(std::int64_t target, const std::uint8_t* from, std::int64_t stride, std::int64_t length,
                 std::uint8_t* to);
    void narrow(const std::uint8_t* row, std::int64_t channels, std::uint8_t* to) const;
    template <int C>
    void narrow(const std::uint8_t* row, std::uint8_t* to) const;

    Weights down_, across_;
    bool rows_first_ = false;
    std::vector<double> exact_;
    std::vector<std::uint8_t> row_, narrowed_;
    std::vector<std::int32_t> sums_;
};

}  // namespace radial::data
