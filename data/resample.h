// The separable triangle filter that resizes pictures. Not for users: see resize.h.
#pragma once

#include <cstdint>
#include <vector>

namespace radial::data {

/// A stretch of rows or columns.
struct Range {
    std::int64_t begin = 0, end = 0;
    std::int64_t size() const { return end - begin; }
};

/// One axis of a resize: `length` source pixels from `offset` on become `to`, of which `wanted` are computed. Offset
/// and length are whole numbers unless a picture was decoded at a reduced size. Sources are below `limit`.
struct Axis {
    double offset = 0, length = 0;
    std::int64_t limit = 0, to = 0;
    Range wanted;
};

/// Resizes bytes [H, W, C] by the triangle ("bilinear") filter, widened by the ratio where the picture gets smaller, in
/// two passes, each rounded to bytes from weights of 22 bits after the point: the same bytes as Pillow 13's. Columns
/// come first, but rows where the height is reduced, and by more than twice as many pixels as the width, as in Pillow
/// from 13.0 on. Older ones begin with the columns, which changes some bytes by 1. Keeps its memory from one picture to
/// the next.
class Resampler {
public:
    /// Says what is to be made; then rows() and columns() are the source pixels that it takes.
    void plan(const Axis& down, const Axis& across);
    Range rows() const { return needed(down_); }
    Range columns() const { return needed(across_); }
    /// `from` is the pixel (rows().begin, columns().begin) of `channels` (1 or 3) bytes, its rows are `stride` bytes
    /// apart; writes [down.wanted, across.wanted, channels].
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
