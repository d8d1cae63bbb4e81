// Views: the part of an image that a network sees, and its size. Resizing to a view, and decoding only what it needs.
#pragma once

#include "radial/core/tensor/random.h"
#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

/// Data sets, images, transforms and the loader.
namespace radial::data {

/// A rectangle of pixels.
struct Region {
    std::int64_t top = 0, left = 0, height = 0, width = 0;  ///< position and extents, in pixels
    friend bool operator==(const Region&, const Region&) = default;
};

/// The index of the first of the middle `part` pixels out of `whole`: (whole - part) / 2, rounded half to even as in
/// Python.
std::int64_t middle(std::int64_t whole, std::int64_t part);

/// A view of an image: `box` is resized to [height, width], and `kept` is the part of the result that is used.
struct View {
    Region box;                          ///< part of the image
    std::int64_t height = 0, width = 0;  ///< size that `box` is resized to
    Region kept;                         ///< part of the resized box
};

/// The resizing and cropping of images of any size in evaluation: the shorter side is resized to `resize` pixels, and
/// the centre `crop` x `crop` is used.
struct EvaluationView {
    std::int64_t resize = 256, crop = 224;  ///< in pixels
};

/// The evaluation view of an image of [height, width], rounded as torchvision's Resize and CenterCrop do. Throws Error
/// when the image has no pixels, or unless 1 <= crop <= resize.
View evaluation_view(std::int64_t height, std::int64_t width, const EvaluationView& options);

/// Options of random_region().
struct RandomRegionOptions {
    double min_area = 0.08, max_area = 1;               ///< area of the region, as a fraction of the image's
    double min_aspect = 3.0 / 4, max_aspect = 4.0 / 3;  ///< width / height; its logarithm is uniform
};

/// Throws Error unless 0 < min_area <= max_area <= 1 and 0 < min_aspect <= max_aspect.
void check(const RandomRegionOptions& options);

/// A region of random area, shape and position (Szegedy et al. 2015, "Going Deeper with Convolutions", Sec. 6), drawn
/// as by torchvision's RandomResizedCrop: if ten attempts give no region that fits, it is the centre with the nearest
/// allowed shape.
Region random_region(std::int64_t height, std::int64_t width, const RandomRegionOptions& options, Generator& random);

/// The whole of `region` resized to [height, width].
View resized(const Region& region, std::int64_t height, std::int64_t width);

/// Resizes uint8 [H, W, C] on the CPU to [height, width, C] by the triangle ("bilinear") filter, which is widened by
/// the ratio of sizes when the image gets smaller, so that every pixel contributes. The result has the same bytes as
/// that of resize(BILINEAR) of Pillow 13, which resizes the height before the width when a tall image is reduced (see
/// Resampler); in this case, the results of older versions differ by 1 in some bytes. Throws Error when the image is
/// not uint8 [H, W, C] with at least one pixel, or a size is below 1.
Tensor resize_bilinear(const Tensor& image, std::int64_t height, std::int64_t width);

/// Resizes so that the shorter side has `side` pixels and the longer side has side * longer / shorter pixels, rounded
/// down. Throws as resize_bilinear() does.
Tensor resize_shorter_side(const Tensor& image, std::int64_t side);

/// The centre [height, width, C] of uint8 [H, W, C], positioned by middle(). Throws Error when the image is smaller.
Tensor center_crop(const Tensor& image, std::int64_t height, std::int64_t width);

/// The view on which networks are evaluated: center_crop(resize_shorter_side(image, side), crop, crop), without
/// computing the pixels that are cropped away. The result is planar: uint8 [C, crop, crop]. Throws as these functions
/// do, and Error when crop is above side.
Tensor evaluation_view(const Tensor& image, std::int64_t side, std::int64_t crop);

// For internal use: the resizing that the functions above and ViewReader are based on.

/// A range of rows or columns.
struct Range {
    std::int64_t begin = 0, end = 0;  ///< first, and one past the last
    /// The number of rows or columns.
    std::int64_t size() const { return end - begin; }
};

/// One axis of a resize: `length` source pixels, beginning at `offset`, become `to` pixels. Only the range `wanted` is
/// computed. Offset and length are whole numbers unless the image was decoded at a reduced size. Source indices are
/// below `limit`.
struct Axis {
    double offset = 0, length = 0;   ///< in source pixels
    std::int64_t limit = 0, to = 0;  ///< number of source and of target pixels
    Range wanted;                    ///< target pixels to compute
};

/// Resizes bytes [H, W, C] by the triangle ("bilinear") filter, which is widened by the ratio of sizes when the image
/// gets smaller. There are two passes, each rounded to bytes, with weights of 22 fractional bits; the result has the
/// same bytes as that of Pillow 13. The width is resized first, unless the height is reduced by more than twice as many
/// pixels as the width, as in Pillow since 13.0. Older versions of Pillow always resize the width first, which changes
/// some bytes by 1. Memory is reused from one image to the next.
class Resampler {
public:
    /// Prepares a resize. rows() and columns() then return the source pixels that the resize needs.
    void plan(const Axis& down, const Axis& across);
    /// The source rows needed.
    Range rows() const { return needed(down_); }
    /// The source columns needed.
    Range columns() const { return needed(across_); }
    /// Runs the resize. `from` is the pixel (rows().begin, columns().begin), with `channels` (1 or 3) bytes per pixel
    /// and rows `stride` bytes apart. Writes [down.wanted, across.wanted, channels] to `to`.
    void run(const std::uint8_t* from, std::int64_t stride, std::int64_t channels, std::uint8_t* to);

private:
    /// The source pixels that each target pixel averages, and their weights.
    struct Weights {
        std::vector<Range> sources;        ///< one range per target pixel
        std::vector<std::int32_t> values;  ///< `stride` per target pixel i; only the first sources[i].size() are used
        std::int64_t stride = 0;
    };
    static Range needed(const Weights& weights) { return {weights.sources.front().begin, weights.sources.back().end}; }
    void weigh(const Axis& axis, Weights& weights);
    void columns_first(const std::uint8_t* from, std::int64_t stride, std::int64_t channels, std::uint8_t* to);
    void rows_first(const std::uint8_t* from, std::int64_t stride, std::int64_t channels, std::uint8_t* to);
    /// Computes row `target` of the vertical resize from bytes whose rows are `length` long and `stride` apart.
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

/// Reads views of JPEG and PNG files and reuses its memory from one view to the next. Not thread-safe.
class ViewReader {
public:
    /// Chooses the view of an image of [height, width], after rotation.
    using Choice = std::function<View(std::int64_t height, std::int64_t width)>;

    /// If `scaled` is set, a JPEG may be decoded at a reduced size: the smallest of 1/2, 1/4 and 1/8 at which the
    /// view's box still has at least as many rows and columns as it is resized to. Otherwise views are exactly those of
    /// the full image.
    explicit ViewReader(bool scaled = false) : scaled_(scaled) {}

    /// Returns the view as bytes [view.kept.height, view.kept.width, 3], valid until the next call. Throws FileError as
    /// read_image() does.
    std::span<const std::uint8_t> read(const std::filesystem::path& file, const Choice& choose);
    /// Like read(), for the content of a file. Error messages begin with `name`.
    std::span<const std::uint8_t> decode(std::span<const std::uint8_t> content, std::string_view name,
                                         const Choice& choose);
    /// Like read(), for an image in memory, given as planes [3, height, width] or [1, height, width]. The result has as
    /// many channels as the image.
    std::span<const std::uint8_t> resize(const std::uint8_t* planes, std::int64_t channels, std::int64_t height,
                                         std::int64_t width, const Choice& choose);

private:
    int plan(const View& view, bool may_scale);
    std::span<const std::uint8_t> finish(const View& view, const std::uint8_t* from, std::int64_t stride,
                                         std::int64_t channels, bool as_rgb);

    bool scaled_;
    Resampler resampler_;
    std::int64_t top_ = 0, left_ = 0;  ///< origin of the resampler's source coordinates, in the decoded picture
    std::vector<std::uint8_t> content_, pixels_, view_;
};

}  // namespace radial::data
