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

/// The descriptor of no tensor at all (an absent bias).
inline Desc no_tensor() { return Desc(); }

/// How a 2-D window moves; dilation counts the gaps, 0 for none, as oneDNN does.
struct Window {
    Dims stride, dilation, pad;
};

#if DNNL_VERSION_MAJOR >= 3

inline void append_eltwise(dnnl::post_ops& ops, algorithm what, float alpha) { ops.append_eltwise(what, alpha, 0); }

inline auto convolution_forward(const engine& e, algorithm how, const Desc& x, const Desc& w, const Desc& b,
                                const Desc& y, const Window& v, const dnnl::primitive_attr& attributes = {}) {
    return dnnl::convolution_forward::primitive_desc(e, prop_kind::forward_training, how, x, w, b, y, v.stride,
                                                     v.dilation, v.pad, v.pad, attributes);
}
inline auto convolution_backward_data(const engine& e, algorithm how, const Desc& x, const Desc& w, const Desc& y,
                                      const Window& v, const dnnl::convolution_forward::primitive_desc& hint) {
    return dnnl::convolution_backward_data::primitive_desc(e, how, x, w, y, v.stride, v.dilation, v.pad, v.pad, hint);
}
inline auto convolution_backward_weights(const engine& e, algorithm how, const Desc& x, const Desc& w, const Desc& b,
                                         const Desc& y, const Window& v,
                                         const dnnl::convolution_forward::primitive_desc& hint) {
    return dnnl::convolution_backward_weights::primitive_desc(e, how, x, w, b, y, v.stride, v.dilation, v.pad, v.pad,
                                                              hint);
}

#else

inline void append_eltwise(dnnl::post_ops& ops, algorithm what, float alpha) { ops.append_eltwise(1, what, alpha, 0); }

inline auto convolution_forward(const engine& e, algorithm how, const Desc& x, const Desc& w, const Desc& b,
                                const Desc& y, const Window& v, const dnnl::primitive_attr& attributes = {}) {
    return dnnl::convolution_forward::primitive_desc(
        {prop_kind::forward_training, how, x, w, b, y, v.stride, v.dilation, v.pad, v.pad}, attributes, e);
}
inline auto convolution_backward_data(const engine& e, algorithm how, const Desc& x, const Desc& w, const Desc& y,
                                      const Window& v, const dnnl::convolution_forward::primitive_desc& hint) {
    return dnnl::convolution_backward_data::primitive_desc({how, x, w, y, v.stride, v.dilation, v.pad, v.pad}, e, hint);
}
inline auto convolution_backward_weights(const engine& e, algorithm how, const Desc& x, const Desc& w, const Desc& b,
                                         const Desc& y, const Window& v,
                                         const dnnl::convolution_forward::primitive_desc& hint) {
    return dnnl::convolution_backward_weights::primitive_desc({how, x, w, b, y, v.stride, v.dilation, v.pad, v.pad}, e,
                                                              hint);
}

#endif

}  // namespace radial::onednn
