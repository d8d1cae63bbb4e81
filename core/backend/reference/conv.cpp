// Reference convolution, matrix product and pooling on any device, computed in double directly from their definitions.
// The convolution accesses tensors of any layout by their strides.
#include "radial/core/backend/kernels/pool.h"
#include "radial/core/backend/reference/reference_backend.h"
#include "radial/core/kernels/host_device.h"
#include "radial/core/kernels/launch.h"
#include "radial/core/kernels/values.h"
#include "radial/core/tensor/tensor.h"
#include "radial/core/tensor/types.h"

#include <cstdint>
#include <vector>

namespace radial::ref {

/// The extents, strides and elements of a tensor viewed as [N, C, H, W]; a matrix [N, C] has H = W = 1.
template <class T>
struct Strided {
    T* elements;
    std::int64_t N, C, H = 1, W = 1;
    std::int64_t stride_n, stride_c, stride_h, stride_w;

    explicit Strided(const Tensor& tensor) : elements(tensor.data<T>()), N(tensor.size(0)), C(tensor.size(1)) {
        if (tensor.rank() > 2) {
            H = tensor.size(2);
            W = tensor.size(3);
        }
        const bool channels_last = tensor.layout() == Layout::channels_last;
        stride_n = C * H * W;
        stride_c = channels_last ? 1 : H * W;
        stride_h = channels_last ? W * C : W;
        stride_w = channels_last ? C : 1;
    }
    RADIAL_HD T& operator()(std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) const {
        return elements[n * stride_n + c * stride_c + h * stride_h + w * stride_w];
    }
};

/// Whether `position` is in [0, extent).
RADIAL_HD inline bool inside(std::int64_t position, std::int64_t extent) { return position >= 0 && position < extent; }

}  // namespace radial::ref

namespace radial {
namespace {

using ref::inside;
using ref::Strided;

/// Computes row (n, i, j) of y: all output channels of one pixel.
template <class T>
struct Forward {
    Strided<T> x, w, y;
    const double* bias;  ///< may be null
    ConvGeometry g;

    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const std::int64_t j = row % y.W, i = row / y.W % y.H, n = row / y.W / y.H;
        team.each(y.C, [&](std::int64_t k) { y(n, k, i, j) = static_cast<T>(sum(n, k, i, j)); });
    }

private:
    RADIAL_HD double sum(std::int64_t n, std::int64_t k, std::int64_t i, std::int64_t j) const {
        const std::int64_t first_c = k / (y.C / g.groups) * w.C;
        double total = bias != nullptr ? bias[k] : 0.0;
        for (std::int64_t r = 0; r < w.H; ++r) {
            const std::int64_t h = i * g.stride_h - g.pad_h + r * g.dilation_h;
            if (!inside(h, x.H)) continue;
            for (std::int64_t s = 0; s < w.W; ++s) {
                const std::int64_t v = j * g.stride_w - g.pad_w + s * g.dilation_w;
                if (!inside(v, x.W)) continue;
                for (std::int64_t c = 0; c < w.C; ++c)
                    total += static_cast<double>(x(n, first_c + c, h, v)) * static_cast<double>(w(k, c, r, s));
            }
        }
        return total;
    }
};

/// The output position that reads input position `in` through tap `tap`, or -1 if the stride skips it.
RADIAL_HD inline std::int64_t output_position(std::int64_t in, std::int64_t tap, std::int64_t stride, std::int64_t pad,
                                              std::int64_t dilation) {
    const std::int64_t distance = in + pad - tap * dilation;
    return distance >= 0 && distance % stride == 0 ? distance / stride : -1;
}

/// Computes row (n, c, h) of dx.
template <class T>
struct BackwardData {
    Strided<T> dy, w, dx;
    ConvGeometry g;

    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const std::int64_t h = row % dx.H, c = row / dx.H % dx.C, n = row / dx.H / dx.C;
        team.each(dx.W, [&](std::int64_t v) { dx(n, c, h, v) = static_cast<T>(sum(n, c, h, v)); });
    }

private:
    RADIAL_HD double sum(std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t v) const {
        const std::int64_t outputs_per_group = dy.C / g.groups, group = c / w.C, channel = c - group * w.C;
        const std::int64_t first_k = group * outputs_per_group;
        double total = 0;
        for (std::int64_t r = 0; r < w.H; ++r) {
            const std::int64_t i = output_position(h, r, g.stride_h, g.pad_h, g.dilation_h);
            if (!inside(i, dy.H)) continue;
            for (std::int64_t s = 0; s < w.W; ++s) {
                const std::int64_t j = output_position(v, s, g.stride_w, g.pad_w, g.dilation_w);
                if (!inside(j, dy.W)) continue;
                for (std::int64_t k = first_k; k < first_k + outputs_per_group; ++k)
                    total += static_cast<double>(dy(n, k, i, j)) * static_cast<double>(w(k, channel, r, s));
            }
        }
        return total;
    }
};

/// Computes row (k, c, r, s) of dw: one element, summed over the rows of the images.
template <class T>
struct BackwardWeights {
    Strided<T> x, dy, dw;
    ConvGeometry g;

    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const std::int64_t s = row % dw.W, r = row / dw.W % dw.H, c = row / dw.W / dw.H % dw.C;
        const std::int64_t k = row / dw.W / dw.H / dw.C, channel = k / (dy.C / g.groups) * dw.C + c;
        // Captures by value, because a loop that accesses members through `this` is five times as slow.
        const double total = team.sum(dy.H, [=, *this](std::int64_t i) {
            const std::int64_t h = i * g.stride_h - g.pad_h + r * g.dilation_h;
            double part = 0;
            for (std::int64_t n = 0; n < dy.N && inside(h, x.H); ++n) {
                for (std::int64_t j = 0; j < dy.W; ++j) {
                    const std::int64_t v = j * g.stride_w - g.pad_w + s * g.dilation_w;
                    if (inside(v, x.W))
                        part += static_cast<double>(x(n, channel, h, v)) * static_cast<double>(dy(n, k, i, j));
                }
            }
            return part;
        });
        team.once([&] { dw(k, c, r, s) = static_cast<T>(total); });
    }
};

/// Computes row k: the sum of the gradient over output channel k.
template <class T>
struct BackwardBias {
    Strided<T> dy;
    double* dbias;

    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t k) const {
        const double total = team.sum(dy.H, [&](std::int64_t i) {
            double part = 0;
            for (std::int64_t n = 0; n < dy.N; ++n) {
                for (std::int64_t j = 0; j < dy.W; ++j) part += static_cast<double>(dy(n, k, i, j));
            }
            return part;
        });
        team.once([&] { dbias[k] = total; });
    }
};

}  // namespace

void ReferenceBackend::conv_forward(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry,
                                    const Tensor& y) {
    const Tensor b = bias.defined() ? bias.to(DType::float64) : bias;
    dispatch_activation(x.dtype(), "reference convolution", [&]<class T>(T) {
        const Forward<T> f{Strided<T>(x), Strided<T>(w), Strided<T>(y), b.defined() ? b.data<double>() : nullptr,
                           geometry};
        kernels::rows(y.device(), f.y.N * f.y.H * f.y.W, f.y.C, f, f.w.C * f.w.H * f.w.W);
    });
}

void ReferenceBackend::conv_backward_data(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry,
                                          const Tensor& dx) {
    dispatch_activation(dy.dtype(), "reference convolution", [&]<class T>(T) {
        const BackwardData<T> f{Strided<T>(dy), Strided<T>(w), Strided<T>(dx), geometry};
        kernels::rows(dx.device(), f.dx.N * f.dx.C * f.dx.H, f.dx.W, f, f.dy.C / geometry.groups * f.w.H * f.w.W);
    });
}

void ReferenceBackend::conv_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry,
                                             const Tensor& dw, const Tensor& dbias) {
    dispatch_activation(x.dtype(), "reference convolution", [&]<class T>(T) {
        const BackwardWeights<T> f{Strided<T>(x), Strided<T>(dy), Strided<T>(dw), geometry};
        kernels::rows(x.device(), dw.numel(), f.dy.H, f, f.dy.N * f.dy.W);
        if (!dbias.defined()) return;
        const Tensor total =
            dbias.dtype() == DType::float64 ? dbias : Tensor::empty(dbias.shape(), DType::float64, dbias.device());
        kernels::rows(x.device(), f.dy.C, f.dy.H, BackwardBias<T>{f.dy, total.data<double>()}, f.dy.N * f.dy.W);
        if (dbias.dtype() != DType::float64) dbias.copy_(total);
    });
}

namespace {

/// The elements of op(matrix), accessed by row and column.
template <class T>
struct Operand {
    const T* elements;
    std::int64_t rows, columns, row_stride, column_stride;
    Operand(const Tensor& matrix, bool transpose)
        : elements(matrix.data<const T>()),
          rows(matrix.size(transpose ? 1 : 0)),
          columns(matrix.size(transpose ? 0 : 1)),
          row_stride(transpose ? 1 : matrix.size(1)),
          column_stride(transpose ? matrix.size(1) : 1) {}
    RADIAL_HD double operator()(std::int64_t row, std::int64_t column) const {
        return static_cast<double>(elements[row * row_stride + column * column_stride]);
    }
};

/// Computes alpha op(a) op(b) + beta c, one element at a time.
template <class T, class R>
struct Product {
    Operand<T> a, b;
    double alpha, beta;
    R* result;

    RADIAL_HD void operator()(std::int64_t m, std::int64_t n) const {
        double sum = 0;
        for (std::int64_t k = 0; k < a.columns; ++k) sum += a(m, k) * b(k, n);
        store(m, n, sum);
    }
    RADIAL_HD void store(std::int64_t m, std::int64_t n, double sum) const {
        R* const at = result + m * b.columns + n;
        // If beta is 0, the old elements must not be read, because they may be uninitialised.
        const double old = beta == 0 ? 0.0 : beta * static_cast<double>(*at);
        *at = static_cast<R>(alpha * sum + old);
    }
};

/// Computes the product on the CPU, one row at a time, so that b is read in memory order.
template <class T, class R>
void multiply_on_host(const Product<T, R>& p) {
#pragma omp parallel for schedule(static)
    for (std::int64_t m = 0; m < p.a.rows; ++m) {
        std::vector<double> sums(static_cast<std::size_t>(p.b.columns), 0.0);
        for (std::int64_t k = 0; k < p.a.columns; ++k) {
            for (std::int64_t n = 0; n < p.b.columns; ++n) sums[static_cast<std::size_t>(n)] += p.a(m, k) * p.b(k, n);
        }
        for (std::int64_t n = 0; n < p.b.columns; ++n) p.store(m, n, sums[static_cast<std::size_t>(n)]);
    }
}

}  // namespace

std::string ReferenceBackend::describe() const { return "CPU: reference loops"; }

Backend& reference_backend() {
    static ReferenceBackend backend;
    return backend;
}

void ReferenceBackend::gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b,
                            double beta, const Tensor& c) {
    dispatch_activation(a.dtype(), "reference gemm", [&](auto zero) {
        using T = decltype(zero);
        dispatch_activation(c.dtype(), "reference gemm", [&](auto result_zero) {
            using R = decltype(result_zero);
            const Product<T, R> product{Operand<T>(a, transpose_a), Operand<T>(b, transpose_b), alpha, beta,
                                        c.data<R>()};
            if (c.device().kind == Device::Kind::cpu) return multiply_on_host(product);
            kernels::map2(c.device(), product.a.rows, product.b.columns, product);
        });
    });
}

namespace {

template <class P>
P* packs(const Tensor& tensor) {
    return static_cast<P*>(tensor.raw());
}

/// The number of channels per lane: as many as fill 16 bytes if the number of channels and the addresses allow it, else
/// 1.
template <class T>
int width_for(const Tensor& a, const Tensor& b) {
    constexpr std::uintptr_t unit = 16;
    const auto aligned = [](const Tensor& t) { return reinterpret_cast<std::uintptr_t>(t.raw()) % unit == 0; };
    return a.size(1) % kernels::pack_width<T> == 0 && aligned(a) && aligned(b) ? kernels::pack_width<T> : 1;
}

/// Calls f(std::integral_constant<int, V>), where V is the number of channels per lane.
template <class T, class F>
void with_width(const Tensor& a, const Tensor& b, const F& f) {
    if (width_for<T>(a, b) == 1) return f(std::integral_constant<int, 1>{});
    f(std::integral_constant<int, kernels::pack_width<T>>{});
}

/// Calls f(Tap{}) with the type that stores the index of a tap in its window.
template <class F>
void with_tap(DType dtype, const F& f) {
    if (dtype == DType::uint8) return f(std::uint8_t{});
    f(std::int32_t{});
}
DType tap_dtype(const PoolGeometry& g) { return g.window_h * g.window_w <= 256 ? DType::uint8 : DType::int32; }

/// Runs f with one lane per pack of channels of each pixel of `target`.
template <class F>
void for_each_pixel(const Tensor& target, const kernels::Pooling& pooling, const F& f) {
    kernels::map2(target.device(), target.size(0) * target.size(2) * target.size(3), pooling.packs, f);
}

template <class T>
void max_forward(const Tensor& x, const PoolGeometry& g, const Tensor& y, const Tensor& taps) {
    with_width<T>(x, y, [&](auto width) {
        constexpr int V = width;
        with_tap(tap_dtype(g), [&](auto tap) {
            using Tap = decltype(tap);
            using kernels::Pack;
            const kernels::MaxPool<T, Tap, V> f{packs<const Pack<T, V>>(x), packs<Pack<T, V>>(y),
                                                taps.defined() ? packs<Pack<Tap, V>>(taps) : nullptr,
                                                kernels::Pooling(g, x, y, V)};
            for_each_pixel(y, f.p, f);
        });
    });
}

template <class T>
void max_backward(const Tensor& dy, const Tensor& taps, const PoolGeometry& g, const Tensor& dx) {
    with_width<T>(dx, dy, [&](auto width) {
        constexpr int V = width;
        with_tap(taps.dtype(), [&](auto tap) {
            using Tap = decltype(tap);
            using kernels::Pack;
            const kernels::MaxPoolGradient<T, Tap, V> f{packs<const Pack<T, V>>(dy), packs<const Pack<Tap, V>>(taps),
                                                        packs<Pack<T, V>>(dx), kernels::Pooling(g, dx, dy, V)};
            for_each_pixel(dx, f.p, f);
        });
    });
}

template <class T>
void average_forward(const Tensor& x, const PoolGeometry& g, const Tensor& y) {
    with_width<T>(x, y, [&](auto width) {
        constexpr int V = width;
        using kernels::Pack;
        const kernels::AveragePool<T, V> f{packs<const Pack<T, V>>(x), packs<Pack<T, V>>(y),
                                           kernels::Pooling(g, x, y, V)};
        for_each_pixel(y, f.p, f);
    });
}

template <class T>
void average_backward(const Tensor& dy, const PoolGeometry& g, const Tensor& dx) {
    with_width<T>(dx, dy, [&](auto width) {
        constexpr int V = width;
        using kernels::Pack;
        const kernels::AveragePoolGradient<T, V> f{packs<const Pack<T, V>>(dy), packs<Pack<T, V>>(dx),
                                                   kernels::Pooling(g, dx, dy, V)};
        for_each_pixel(dx, f.p, f);
    });
}

}  // namespace

Tensor ReferenceBackend::pool_forward(PoolKind kind, const Tensor& x, const PoolGeometry& geometry, const Tensor& y,
                                      bool training) {
    const bool keeps = kind == PoolKind::max && training;
    const Tensor taps = keeps ? Tensor::empty(y.shape(), tap_dtype(geometry), y.device(), y.layout()) : Tensor{};
    dispatch_activation(x.dtype(), "reference pooling", [&]<class T>(T) {
        if (kind == PoolKind::max) {
            max_forward<T>(x, geometry, y, taps);
        } else {
            average_forward<T>(x, geometry, y);
        }
    });
    return taps;
}

void ReferenceBackend::pool_backward(PoolKind kind, const Tensor& dy, const Tensor& workspace,
                                     const PoolGeometry& geometry, const Tensor& dx) {
    dispatch_activation(dy.dtype(), "reference pooling", [&]<class T>(T) {
        if (kind == PoolKind::max) {
            max_backward<T>(dy, workspace, geometry, dx);
        } else {
            average_backward<T>(dy, geometry, dx);
        }
    });
}

}  // namespace radial
