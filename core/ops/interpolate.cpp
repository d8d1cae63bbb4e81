// Interpolation and pixel shuffling: checks, tables of positions and weights, and launches.
#include "radial/core/ops/interpolate.h"

#include "radial/core/ops/common.h"
#include "radial/core/ops/kernels/interpolate.h"

#include <cmath>
#include <limits>
#include <type_traits>

namespace radial {
namespace {

/// The tables of one dimension (kernels/interpolate.h) on the device of the images.
struct AxisTable {
    Tensor index, weight, range;

    template <class C>
    kernels::Table<C> view() const {
        return {index.data<std::int32_t>(), weight.data<const C>(),
                range.defined() ? range.data<std::int32_t>() : nullptr};
    }
};

/// One dimension of an interpolation: the extents of the input and of the result.
struct Axis {
    std::int64_t extent, result;
    double scale;  ///< the scale given for the result; 0 if a size was given
};

int taps_of(Interpolation mode) { return mode == Interpolation::nearest ? 1 : mode == Interpolation::bilinear ? 2 : 4; }

kernels::Position position_of(const Axis& axis, bool align_corners) {
    if (align_corners) {
        const double steps = static_cast<double>(axis.result - 1);
        return {axis.result > 1 ? static_cast<double>(axis.extent - 1) / steps : 0, true};
    }
    const double ratio = static_cast<double>(axis.extent) / static_cast<double>(axis.result);
    return {axis.scale > 0 ? 1 / axis.scale : ratio, false};
}

template <class C>
AxisTable make_table(Device device, const Axis& axis, const InterpolateOptions& options) {
    const int taps = taps_of(options.mode);
    AxisTable table{.index = Tensor::empty({axis.result, taps}, DType::int32, device),
                    .weight = Tensor::empty({axis.result, taps}, dtype_of<C>, device),
                    .range = {}};
    auto* const index = table.index.data<std::int32_t>();
    C* const weight = table.weight.data<C>();
    const kernels::Position position = position_of(axis, options.align_corners);
    if (options.mode == Interpolation::nearest) {
        const float scale = axis.scale > 0 ? static_cast<float>(1 / axis.scale)
                                           : static_cast<float>(axis.extent) / static_cast<float>(axis.result);
        kernels::map(device, axis.result, kernels::NearestTable<C>{index, weight, axis.extent, axis.result, scale});
    } else if (options.mode == Interpolation::bilinear) {
        kernels::map(device, axis.result, kernels::LinearTable<C>{index, weight, axis.extent, axis.result, position});
    } else {
        kernels::map(device, axis.result, kernels::CubicTable<C>{index, weight, axis.extent, position});
    }
    return table;
}

/// Adds the inverse table, which backward needs.
void add_ranges(AxisTable& table, std::int64_t extent) {
    table.range = Tensor::empty({extent, 2}, DType::int32, table.index.device());
    kernels::map(table.index.device(), extent,
                 kernels::ReadersTable{table.index.data<std::int32_t>(), table.index.size(1), table.index.size(0),
                                       table.range.data<std::int32_t>()});
}

kernels::Resized extents(const Tensor& x, const Tensor& y) {
    return {x.size(1), x.size(2), x.size(3), y.size(2), y.size(3)};
}

/// Calls f(std::integral_constant<int, taps>) with the taps of `mode`.
template <class F>
void with_taps(Interpolation mode, const F& f) {
    if (mode == Interpolation::nearest) return f(std::integral_constant<int, 1>{});
    if (mode == Interpolation::bilinear) return f(std::integral_constant<int, 2>{});
    f(std::integral_constant<int, 4>{});
}

template <class T, int taps>
void forward(const Tensor& x, const Tensor& y, const AxisTable& down, const AxisTable& across) {
    using C = Compute<T>;
    const kernels::Resized e = extents(x, y);
    const std::int64_t batch = x.size(0), lines = batch * e.out_h;
    if (x.layout() == Layout::channels_last) {
        kernels::rows(
            x.device(), lines * e.out_w, e.channels,
            kernels::InterpolatePixels<T, taps>{x.data<const T>(), y.data<T>(), down.view<C>(), across.view<C>(), e},
            taps * taps);
    } else {
        kernels::rows(
            x.device(), lines * e.channels, e.out_w,
            kernels::InterpolatePlanes<T, taps>{x.data<const T>(), y.data<T>(), down.view<C>(), across.view<C>(), e},
            taps * taps);
    }
}

template <class T, int taps>
void backward_pass(const Tensor& dy, const Tensor& dx, const AxisTable& down, const AxisTable& across) {
    using C = Compute<T>;
    const kernels::Resized e = extents(dx, dy);
    const std::int64_t batch = dx.size(0), lines = batch * e.in_h;
    const std::int64_t cost = 1 + taps * taps * e.out_h * e.out_w / (e.in_h * e.in_w);
    if (dx.layout() == Layout::channels_last) {
        kernels::rows(dx.device(), lines * e.in_w, e.channels,
                      kernels::InterpolatePixelsBackward<T, taps>{dy.data<const T>(), dx.data<T>(), down.view<C>(),
                                                                  across.view<C>(), e},
                      cost);
    } else {
        kernels::rows(dx.device(), lines * e.channels, e.in_w,
                      kernels::InterpolatePlanesBackward<T, taps>{dy.data<const T>(), dx.data<T>(), down.view<C>(),
                                                                  across.view<C>(), e},
                      cost);
    }
}

void check(const Tensor& x, const InterpolateOptions& o) {
    ops::check_floating("interpolate2d", "the input", x);
    ops::check_rank("interpolate2d", "input", x, 4, "[N, C, H, W]");
    const bool sized = o.height != 0 || o.width != 0, scaled = o.scale_h != 0 || o.scale_w != 0;
    RADIAL_CHECK(sized != scaled, "interpolate2d: size {} x {} and scale {} x {} are given, expected one of them",
                 o.height, o.width, o.scale_h, o.scale_w);
    RADIAL_CHECK(!sized || (o.height > 0 && o.width > 0), "interpolate2d: size is {} x {}, expected at least 1 x 1",
                 o.height, o.width);
    RADIAL_CHECK(!scaled || (o.scale_h > 0 && o.scale_w > 0 && std::isfinite(o.scale_h) && std::isfinite(o.scale_w)),
                 "interpolate2d: scale is {} x {}, expected finite numbers above 0", o.scale_h, o.scale_w);
    RADIAL_CHECK(!o.align_corners || o.mode != Interpolation::nearest,
                 "interpolate2d: align_corners is for bilinear and bicubic, not for nearest");
    RADIAL_CHECK(x.size(2) > 0 && x.size(3) > 0, "interpolate2d: input {} has no pixels", x.shape().str());
}

/// The extent of the result. Throws Error if it is 0 or too large for the tables.
std::int64_t resized(std::int64_t extent, std::int64_t given, double scale) {
    const double wanted = given > 0 ? static_cast<double>(given) : std::floor(static_cast<double>(extent) * scale);
    RADIAL_CHECK(wanted >= 1 && wanted <= std::numeric_limits<std::int32_t>::max(),
                 "interpolate2d: scale {} makes {} pixels to {}, expected at least 1", scale, extent, wanted);
    return static_cast<std::int64_t>(wanted);
}

}  // namespace

Tensor interpolate2d(const Tensor& x, const InterpolateOptions& options) {
    check(x, options);
    const Axis rows{x.size(2), resized(x.size(2), options.height, options.scale_h), options.scale_h};
    const Axis columns{x.size(3), resized(x.size(3), options.width, options.scale_w), options.scale_w};
    const Tensor y =
        Tensor::empty({x.size(0), x.size(1), rows.result, columns.result}, x.dtype(), x.device(), x.layout());
    AxisTable down, across;
    dispatch_activation(x.dtype(), "interpolate2d", [&](auto zero) {
        using T = decltype(zero);
        down = make_table<Compute<T>>(x.device(), rows, options);
        across = make_table<Compute<T>>(x.device(), columns, options);
        with_taps(options.mode, [&](auto taps) { forward<T, taps>(x, y, down, across); });
    });
    return record("interpolate2d", y, {x},
                  [down, across, mode = options.mode, from = x.shape(), layout = x.layout()](const Tensor& dy,
                                                                                             Needs) mutable -> Grads {
                      add_ranges(down, from[2]);
                      add_ranges(across, from[3]);
                      const Tensor grad = dy.to(layout), dx = Tensor::empty(from, dy.dtype(), dy.device(), layout);
                      dispatch_activation(dy.dtype(), "interpolate2d", [&](auto zero) {
                          with_taps(mode,
                                    [&](auto taps) { backward_pass<decltype(zero), taps>(grad, dx, down, across); });
                      });
                      return {dx};
                  },
                  {{"height", rows.result},
                   {"width", columns.result},
                   {"scale_h", options.scale_h},
                   {"scale_w", options.scale_w},
                   {"mode", static_cast<int>(options.mode)},
                   {"align_corners", options.align_corners}});
}

namespace {

/// Copies `in` to `out`, one of which is [N, C r^2, H, W] and the other [N, C, H r, W r], in one layout.
template <bool shuffle>
void exchange(std::string_view op, const Tensor& in, const Tensor& out, std::int64_t factor) {
    const Tensor &many = shuffle ? in : out, &few = shuffle ? out : in;
    const std::int64_t channels = few.size(1), height = many.size(2), width = many.size(3);
    const bool last = in.layout() == Layout::channels_last;
    const std::int64_t count = last ? channels : width, rows = count == 0 ? 0 : in.numel() / count;
    dispatch_activation(in.dtype(), op, [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(in.device(), rows, count,
                      kernels::ShufflePixels<T, shuffle>{in.data<const T>(), out.data<T>(), channels, height, width,
                                                         factor, last});
    });
}

}  // namespace

Tensor pixel_shuffle(const Tensor& x, std::int64_t factor) {
    ops::check_floating("pixel_shuffle", "the input", x);
    ops::check_rank("pixel_shuffle", "input", x, 4, "[N, C r^2, H, W]");
    RADIAL_CHECK(factor >= 1, "pixel_shuffle: factor is {}, expected at least 1", factor);
    RADIAL_CHECK(x.size(1) % (factor * factor) == 0, "pixel_shuffle: input has {} channels, expected a multiple of {}",
                 x.size(1), factor * factor);
    const Shape shape{x.size(0), x.size(1) / (factor * factor), x.size(2) * factor, x.size(3) * factor};
    const Tensor y = Tensor::empty(shape, x.dtype(), x.device(), x.layout());
    exchange<true>("pixel_shuffle", x, y, factor);
    return record("pixel_shuffle", y, {x},
                  [factor](const Tensor& dy, Needs) -> Grads {
                      const NoGrad guard;
                      return {pixel_unshuffle(dy, factor)};
                  },
                  {{"factor", factor}});
}

Tensor pixel_unshuffle(const Tensor& x, std::int64_t factor) {
    ops::check_floating("pixel_unshuffle", "the input", x);
    ops::check_rank("pixel_unshuffle", "input", x, 4, "[N, C, H r, W r]");
    RADIAL_CHECK(factor >= 1, "pixel_unshuffle: factor is {}, expected at least 1", factor);
    RADIAL_CHECK(x.size(2) % factor == 0 && x.size(3) % factor == 0,
                 "pixel_unshuffle: input is {}, expected a height and width that are multiples of {}", x.shape().str(),
                 factor);
    const Shape shape{x.size(0), x.size(1) * factor * factor, x.size(2) / factor, x.size(3) / factor};
    const Tensor y = Tensor::empty(shape, x.dtype(), x.device(), x.layout());
    exchange<false>("pixel_unshuffle", x, y, factor);
    return record("pixel_unshuffle", y, {x},
                  [factor](const Tensor& dy, Needs) -> Grads {
                      const NoGrad guard;
                      return {pixel_shuffle(dy, factor)};
                  },
                  {{"factor", factor}});
}

}  // namespace radial
