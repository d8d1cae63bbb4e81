// Creates, caches and runs oneDNN primitives, and creates copies of weights in the format that a primitive needs. Only
// this file depends on the differences between oneDNN 2.x and 3.x: its functions create primitive descriptors from the
// same arguments in both versions.
#pragma once

#include "radial/core/tensor/tensor.h"
#include "radial/core/util/lru_cache.h"

#include <dnnl.hpp>

#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace radial::onednn {

using dnnl::algorithm;
using dnnl::engine;
using dnnl::memory;
using dnnl::prop_kind;
using Dims = memory::dims;
using Desc = memory::desc;

/// The descriptor of an absent tensor, such as an absent bias.
inline Desc no_tensor() { return Desc(); }

/// The stride, padding and dilation of a 2-D window. As in oneDNN, dilation is the number of gaps, 0 for none.
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

inline auto matmul(const engine& e, const Desc& a, const Desc& b, const Desc& c,
                   const dnnl::primitive_attr& attributes) {
    return dnnl::matmul::primitive_desc(e, a, b, c, attributes);
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

inline auto matmul(const engine& e, const Desc& a, const Desc& b, const Desc& c,
                   const dnnl::primitive_attr& attributes) {
    return dnnl::matmul::primitive_desc({a, b, c}, attributes, e);
}

#endif

/// The only CPU engine, and a stream on it.
engine& cpu_engine();
dnnl::stream& cpu_stream();

/// The key of a primitive: its kind, extents, geometry, and the number of threads it was created for.
using Key = std::vector<std::int64_t>;
struct KeyHash {
    std::size_t operator()(const Key& key) const;
};
/// The capacity of a cache of primitives: enough for the shapes of a few networks in training and evaluation. When a
/// cache is full, the least recently used primitive is dropped.
inline constexpr std::size_t plan_capacity = 1024;

/// Returns a key that contains `kind` and the number of threads, then the length and the numbers of each part.
Key make_key(int kind, std::initializer_list<std::span<const std::int64_t>> parts);
inline std::span<const std::int64_t> extents(const Tensor& tensor) {
    return {tensor.shape().begin(), tensor.shape().end()};
}

/// oneDNN's name of a type. Throws Error unless it is float32 or bfloat16.
memory::data_type type_of(DType dtype);
/// The descriptor of a float32 or bfloat16 tensor in its memory layout.
Desc desc_of(const Tensor& tensor);
/// The memory of `tensor`, described by `desc`.
inline memory bind(const Tensor& tensor, const Desc& desc) { return memory(desc, cpu_engine(), tensor.raw()); }
/// An uninitialised buffer for a tensor of `desc`, from the caching allocator.
Tensor buffer_for(const Desc& desc);
/// Copies between two memory formats with the same extents.
void reorder(const memory& from, const memory& to);
/// Runs a primitive and waits for it. Throws Error with `what` and oneDNN's message when the primitive fails.
void execute(const dnnl::primitive& primitive, const std::unordered_map<int, memory>& arguments, const char* what);

/// Returns a copy of `w` in the format `desc`, created by fill(buffer). The copy is kept with w's storage only when it
/// is requested a second time for the same version of w, because weights in training change before a copy could be
/// reused.
Tensor packed_copy(const Tensor& w, const Desc& desc, const std::function<void(const Tensor& buffer)>& fill);

}  // namespace radial::onednn
