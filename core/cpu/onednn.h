// The one place that knows how oneDNN 2.x and 3.x differ: primitive descriptors made from the same arguments.
#pragma once

#include <dnnl.hpp>

namespace radial::onednn {

using dnnl::algorithm;
using dnnl::engine;
using dnnl::memory;
using dnnl::prop_kind;
using Dims = memory::dims;
using Desc = memory::desc;
using Flags = dnnl::normalization_flags;

/// The descriptor of no tensor at all (an absent bias).
inline Desc no_tensor() { return Desc(); }

/// Extents of a 2-D window; dilation counts the gaps, 0 for none, as oneDNN does.
struct Window {
    Dims size, stride, dilation, pad;
};

#if DNNL_VERSION_MAJOR >= 3

inline auto convolution_forward(const engine& e, const Desc& x, const Desc& w, const Desc& b, const Desc& y,
                                const Window& v) {
    return dnnl::convolution_forward::primitive_desc(e, prop_kind::forward_training, algorithm::convolution_direct, x,
                                                     w, b, y, v.stride, v.dilation, v.pad, v.pad);
}
inline auto convolution_backward_data(const engine& e, const Desc& x, const Desc& w, const Desc& y, const Window& v,
                                      const dnnl::convolution_forward::primitive_desc& hint) {
    return dnnl::convolution_backward_data::primitive_desc(e, algorithm::convolution_direct, x, w, y, v.stride,
                                                           v.dilation, v.pad, v.pad, hint);
}
inline auto convolution_backward_weights(const engine& e, const Desc& x, const Desc& w, const Desc& b, const Desc& y,
                                         const Window& v, const dnnl::convolution_forward::primitive_desc& hint) {
    return dnnl::convolution_backward_weights::primitive_desc(e, algorithm::convolution_direct, x, w, b, y, v.stride,
                                                              v.dilation, v.pad, v.pad, hint);
}
inline auto pooling_forward(const engine& e, prop_kind kind, algorithm how, const Desc& x, const Desc& y,
                            const Window& v) {
    return dnnl::pooling_forward::primitive_desc(e, kind, how, x, y, v.stride, v.size, Dims{0, 0}, v.pad, v.pad);
}
inline auto pooling_backward(const engine& e, algorithm how, const Desc& x, const Desc& y, const Window& v,
                             const dnnl::pooling_forward::primitive_desc& hint) {
    return dnnl::pooling_backward::primitive_desc(e, how, x, y, v.stride, v.size, Dims{0, 0}, v.pad, v.pad, hint);
}
inline auto batch_norm_forward(const engine& e, prop_kind kind, const Desc& x, float epsilon, Flags flags) {
    return dnnl::batch_normalization_forward::primitive_desc(e, kind, x, x, epsilon, flags);
}
inline auto batch_norm_backward(const engine& e, const Desc& x, float epsilon, Flags flags,
                                const dnnl::batch_normalization_forward::primitive_desc& hint) {
    return dnnl::batch_normalization_backward::primitive_desc(e, prop_kind::backward, x, x, x, epsilon, flags, hint);
}

#else

inline auto convolution_forward(const engine& e, const Desc& x, const Desc& w, const Desc& b, const Desc& y,
                                const Window& v) {
    return dnnl::convolution_forward::primitive_desc(
        {prop_kind::forward_training, algorithm::convolution_direct, x, w, b, y, v.stride, v.dilation, v.pad, v.pad},
        e);
}
inline auto convolution_backward_data(const engine& e, const Desc& x, const Desc& w, const Desc& y, const Window& v,
                                      const dnnl::convolution_forward::primitive_desc& hint) {
    return dnnl::convolution_backward_data::primitive_desc(
        {algorithm::convolution_direct, x, w, y, v.stride, v.dilation, v.pad, v.pad}, e, hint);
}
inline auto convolution_backward_weights(const engine& e, const Desc& x, const Desc& w, const Desc& b, const Desc& y,
                                         const Window& v, const dnnl::convolution_forward::primitive_desc& hint) {
    return dnnl::convolution_backward_weights::primitive_desc(
        {algorithm::convolution_direct, x, w, b, y, v.stride, v.dilation, v.pad, v.pad}, e, hint);
}
inline auto pooling_forward(const engine& e, prop_kind kind, algorithm how, const Desc& x, const Desc& y,
                            const Window& v) {
    return dnnl::pooling_forward::primitive_desc({kind, how, x, y, v.stride, v.size, v.pad, v.pad}, e);
}
inline auto pooling_backward(const engine& e, algorithm how, const Desc& x, const Desc& y, const Window& v,
                             const dnnl::pooling_forward::primitive_desc& hint) {
    return dnnl::pooling_backward::primitive_desc({how, x, y, v.stride, v.size, v.pad, v.pad}, e, hint);
}
inline auto batch_norm_forward(const engine& e, prop_kind kind, const Desc& x, float epsilon, Flags flags) {
    return dnnl::batch_normalization_forward::primitive_desc({kind, x, epsilon, flags}, e);
}
inline auto batch_norm_backward(const engine& e, const Desc& x, float epsilon, Flags flags,
                                const dnnl::batch_normalization_forward::primitive_desc& hint) {
    return dnnl::batch_normalization_backward::primitive_desc({prop_kind::backward, x, x, epsilon, flags}, e, hint);
}

#endif

/// oneDNN 2.x names the averaging that leaves padding out as 3.x does.
inline constexpr algorithm average = algorithm::pooling_avg_exclude_padding;

}  // namespace radial::onednn
