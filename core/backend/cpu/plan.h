// Making, keeping and running oneDNN primitives.
#pragma once

#include "radial/core/backend/cpu/onednn.h"
#include "radial/core/tensor/tensor.h"
#include "radial/core/util/lru_cache.h"

#include <unordered_map>
#include <utility>
#include <vector>

namespace radial::onednn {

/// The one CPU engine, and a stream on it.
engine& cpu_engine();
dnnl::stream& cpu_stream();

/// What a primitive is found by: its kind, extents, geometry and the number of threads it was made for.
using Key = std::vector<std::int64_t>;
struct KeyHash {
    std::size_t operator()(const Key& key) const;
};
/// Shapes of a few networks in training and evaluation; the least recently used is dropped.
inline constexpr std::size_t plan_capacity = 1024;

/// A key that begins with `kind` and the number of threads, then the given extents.
Key make_key(int kind, std::initializer_list<std::span<const std::int64_t>> parts);
inline std::span<const std::int64_t> extents(const Tensor& tensor) {
    return {tensor.shape().begin(), tensor.shape().end()};
}

/// The descriptor of a float32 tensor as it lies in memory.
Desc desc_of(const Tensor& tensor);
/// `tensor`'s bytes seen through `desc`.
inline memory bind(const Tensor& tensor, const Desc& desc) { return memory(desc, cpu_engine(), tensor.raw()); }
/// Uninitialised bytes to hold a tensor of `desc`, from the caching allocator.
Tensor buffer_for(const Desc& desc);
/// Copies between two memory formats of the same extents.
void reorder(const memory& from, const memory& to);
/// Runs and waits. Throws Error naming `what` with oneDNN's own message.
void execute(const dnnl::primitive& primitive, const std::unordered_map<int, memory>& arguments, const char* what);

}  // namespace radial::onednn
