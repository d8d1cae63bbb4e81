// Reference convolution: the sums of its definition, in double, on any device, by strides whatever the layout.
#include "radial/core/backend/reference/reference_backend.h"
#include "radial/core/kernels/host_device.h"
#include "radial/core/kernels/launch.h"
#include "radial/core/tensor/tensor.h"
#include "radial/core/tensor/types.h"

#include <cstdint>

namespace radial::ref {

/// Extents and elements of a tensor read as [N, C, H, W]; a matrix [N, C] counts as H = W = 1.
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

/// Whether `position` lies in [0, extent).
RADIAL_HD inline bool inside(std::int64_t position, std::int64_t extent) { return position >= 0 && position < extent; }

}  // namespace radial::ref

namespace radial {
namespace {

using ref::inside;
using ref::Strided;

/// Row (n, i, j) of y: every output channel there.
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

/// The output position that reads input position `in` through tap `tap`, or -1 where the stride steps over it.
RADIAL_HD inline std::int64_t output_position(std::int64_t in, std::int64_t tap, std::int64_t stride, std::int64_t pad,
                                              std::int64_t dilation) {
    const std::int64_t distance = in + pad - tap * dilation;
    return distance >= 0 && distance % stride == 0 ? distance / stride : -1;
}

/// Row (n, c, h) of dx.
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

/// Row (k, c, r, s) of dw: one element, summed over the rows of the images.
template <class T>
struct BackwardWeights {
    Strided<T> x, dy, dw;
    ConvGeometry g;

    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t row) const {
        const std::int64_t s = row % dw.W, r = row / dw.W % dw.H, c = row / dw.W / dw.H % dw.C;
        const std::int64_t k = row / dw.W / dw.H / dw.C, channel = k / (dy.C / g.groups) * dw.C + c;
        // By value: a loop over members that are reached through `this` is five times as slow.
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

/// Row k: the sum of one output channel's gradient.
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

}  // namespace radial
