// Reference convolution: the sums of its definition, one output element at a time.
#include "radial/core/dispatch.h"
#include "radial/core/ref/reference_backend.h"
#include "radial/core/ref/strided.h"

namespace radial {
namespace {

using ref::inside;
using ref::Strided;

template <class T>
void forward(const Tensor& input, const Tensor& weight, const Tensor& bias, const ConvGeometry& g,
             const Tensor& output) {
    const Strided<T> x(input), w(weight), y(output);
    const T* const b = bias.defined() ? bias.data<T>() : nullptr;
    const std::int64_t outputs_per_group = y.C / g.groups;
#pragma omp parallel for collapse(2) schedule(static)
    for (std::int64_t n = 0; n < y.N; ++n) {
        for (std::int64_t k = 0; k < y.C; ++k) {
            const std::int64_t first_c = k / outputs_per_group * w.C;
            for (std::int64_t i = 0; i < y.H; ++i) {
                for (std::int64_t j = 0; j < y.W; ++j) {
                    double total = b != nullptr ? b[k] : 0.0;
                    for (std::int64_t r = 0; r < w.H; ++r) {
                        const std::int64_t h = i * g.stride_h - g.pad_h + r * g.dilation_h;
                        if (!inside(h, x.H)) continue;
                        for (std::int64_t s = 0; s < w.W; ++s) {
                            const std::int64_t v = j * g.stride_w - g.pad_w + s * g.dilation_w;
                            if (!inside(v, x.W)) continue;
                            for (std::int64_t c = 0; c < w.C; ++c)
                                total += double{x(n, first_c + c, h, v)} * w(k, c, r, s);
                        }
                    }
                    y(n, k, i, j) = static_cast<T>(total);
                }
            }
        }
    }
}

/// The output position that reads input position `in` through tap `tap`, or -1 where the stride steps over it.
std::int64_t output_position(std::int64_t in, std::int64_t tap, std::int64_t stride, std::int64_t pad,
                             std::int64_t dilation) {
    const std::int64_t distance = in + pad - tap * dilation;
    return distance >= 0 && distance % stride == 0 ? distance / stride : -1;
}

template <class T>
void backward_data(const Tensor& grad, const Tensor& weight, const ConvGeometry& g, const Tensor& result) {
    const Strided<T> dy(grad), w(weight), dx(result);
    const std::int64_t outputs_per_group = dy.C / g.groups;
#pragma omp parallel for collapse(2) schedule(static)
    for (std::int64_t n = 0; n < dx.N; ++n) {
        for (std::int64_t c = 0; c < dx.C; ++c) {
            const std::int64_t first_k = c / w.C * outputs_per_group;
            for (std::int64_t h = 0; h < dx.H; ++h) {
                for (std::int64_t v = 0; v < dx.W; ++v) {
                    double total = 0;
                    for (std::int64_t r = 0; r < w.H; ++r) {
                        const std::int64_t i = output_position(h, r, g.stride_h, g.pad_h, g.dilation_h);
                        if (!inside(i, dy.H)) continue;
                        for (std::int64_t s = 0; s < w.W; ++s) {
                            const std::int64_t j = output_position(v, s, g.stride_w, g.pad_w, g.dilation_w);
                            if (!inside(j, dy.W)) continue;
                            for (std::int64_t k = first_k; k < first_k + outputs_per_group; ++k)
                                total += double{dy(n, k, i, j)} * w(k, c % w.C, r, s);
                        }
                    }
                    dx(n, c, h, v) = static_cast<T>(total);
                }
            }
        }
    }
}

/// dL/dw[k, c, r, s], where `channel` is the channel of x that this tap reads.
template <class T>
double weight_gradient(const Strided<T>& x, const Strided<T>& dy, const ConvGeometry& g, std::int64_t k,
                       std::int64_t channel, std::int64_t r, std::int64_t s) {
    double total = 0;
    for (std::int64_t n = 0; n < dy.N; ++n) {
        for (std::int64_t i = 0; i < dy.H; ++i) {
            const std::int64_t h = i * g.stride_h - g.pad_h + r * g.dilation_h;
            if (!inside(h, x.H)) continue;
            for (std::int64_t j = 0; j < dy.W; ++j) {
                const std::int64_t v = j * g.stride_w - g.pad_w + s * g.dilation_w;
                if (inside(v, x.W)) total += double{x(n, channel, h, v)} * dy(n, k, i, j);
            }
        }
    }
    return total;
}

template <class T>
void backward_weights(const Tensor& input, const Tensor& grad, const ConvGeometry& g, const Tensor& result) {
    const Strided<T> x(input), dy(grad), dw(result);
    const std::int64_t outputs_per_group = dy.C / g.groups;
#pragma omp parallel for collapse(2) schedule(static)
    for (std::int64_t k = 0; k < dw.N; ++k) {
        for (std::int64_t c = 0; c < dw.C; ++c) {
            const std::int64_t channel = k / outputs_per_group * dw.C + c;
            for (std::int64_t r = 0; r < dw.H; ++r) {
                for (std::int64_t s = 0; s < dw.W; ++s)
                    dw(k, c, r, s) = static_cast<T>(weight_gradient<T>(x, dy, g, k, channel, r, s));
            }
        }
    }
}

template <class T>
void backward_bias(const Tensor& grad, const Tensor& result) {
    const Strided<T> dy(grad);
    T* const dbias = result.data<T>();
#pragma omp parallel for schedule(static)
    for (std::int64_t k = 0; k < dy.C; ++k) {
        double total = 0;
        for (std::int64_t n = 0; n < dy.N; ++n) {
            for (std::int64_t i = 0; i < dy.H; ++i) {
                for (std::int64_t j = 0; j < dy.W; ++j) total += dy(n, k, i, j);
            }
        }
        dbias[k] = static_cast<T>(total);
    }
}

}  // namespace

void ReferenceBackend::conv_forward(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry,
                                    const Tensor& y) {
    dispatch_floating(x.dtype(), "reference convolution", [&]<class T>(T) { forward<T>(x, w, bias, geometry, y); });
}

void ReferenceBackend::conv_backward_data(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry,
                                          const Tensor& dx) {
    dispatch_floating(dy.dtype(), "reference convolution", [&]<class T>(T) { backward_data<T>(dy, w, geometry, dx); });
}

void ReferenceBackend::conv_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry,
                                             const Tensor& dw, const Tensor& dbias) {
    dispatch_floating(x.dtype(), "reference convolution", [&]<class T>(T) {
        backward_weights<T>(x, dy, geometry, dw);
        if (dbias.defined()) backward_bias<T>(dy, dbias);
    });
}

}  // namespace radial
