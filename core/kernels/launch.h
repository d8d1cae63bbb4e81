// Runs functors on any device. On the CPU these calls are the loops of host.h; on a CUDA device each call is one or
// more launches, submitted without waiting.
//
// A functor holds only pointers and numbers, is a named type (not a lambda), and marks its call operator RADIAL_HD; see
// docs/kernels.md. In a CUDA build, nvcc compiles the sources that include this header.
#pragma once

#include "radial/core/kernels/device_launch.h"
#include "radial/core/kernels/host.h"
#include "radial/core/memory/device_runtime.h"
#include "radial/core/memory/storage.h"

namespace radial::kernels {
/// Not defined in a CUDA build, so that a source file that launches kernels but was not compiled by nvcc fails to link.
extern const bool sources_that_launch_need_no_nvcc;
}  // namespace radial::kernels

#if defined(__CUDACC__)
#include "radial/core/kernels/cuda/launch.h"
#define RADIAL_ON_DEVICE(device, call, ...) \
    if (device.kind == Device::Kind::cuda) return on_device::call<cuda::Launcher>(device.index, __VA_ARGS__)
#elif defined(RADIAL_EMULATED_CUDA)
#include "radial/core/kernels/emulated/launch.h"
#define RADIAL_ON_DEVICE(device, call, ...) \
    if (device.kind == Device::Kind::cuda) return on_device::call<emulated::Launcher>(device.index, __VA_ARGS__)
#else
/// Running kernels on any device, and the functors and values to write them with.
namespace radial::kernels {
/// Refers to the symbol above, so that linking fails if it is not defined.
[[gnu::used]] inline const bool* const launches_checked = &sources_that_launch_need_no_nvcc;
}  // namespace radial::kernels
#define RADIAL_ON_DEVICE(device, call, ...) static_cast<void>(device)  // no tensors exist on other devices
#endif

namespace radial::kernels {

/// Calls f(i) for i in [0, count). The calls must be independent.
template <class F>
void map(Device device, std::int64_t count, const F& f) {
    RADIAL_ON_DEVICE(device, map, count, f);
    host::map(count, f);
}

/// Calls f(o, i) for o in [0, outer), i in [0, inner). Consecutive i should access consecutive memory.
template <class F>
void map2(Device device, std::int64_t outer, std::int64_t inner, const F& f) {
    RADIAL_ON_DEVICE(device, map2, outer, inner, f);
    host::map2(outer, inner, f);
}

namespace host {
/// Calls a row kernel with the team of the CPU.
template <class F>
struct SerialRow {
    const F& f;                                                        ///< the row kernel
    void operator()(std::int64_t row) const { f(SerialTeam{}, row); }  ///< for row `row`
};
}  // namespace host

/// Calls f(team, row) for row in [0, count); see team.h. A row has about `length` elements, each of which costs about
/// `cost` arithmetic operations.
template <class F>
void rows(Device device, std::int64_t count, std::int64_t length, const F& f, std::int64_t cost = 1) {
    RADIAL_ON_DEVICE(device, rows, count, length, f);
    host::rows(count, length * cost, host::SerialRow<F>{f});
}

/// *out = factor * the sum of f(i) over [0, count), accumulated in double. `out` is on `device`.
template <class T, class F>
void reduce(Device device, std::int64_t count, const F& f, double factor, T* out) {
    RADIAL_ON_DEVICE(device, reduce, count, f, factor, out);
    *out = static_cast<T>(factor * host::reduce(count, f));
}

/// Calls store(c, sum over r in [0, count) of f(r, c)) for c in [0, columns). f is called once for each (r, c), so it
/// may also write an element. It returns a float, double, Pair or Pack; store receives the Wide of that type.
template <class F, class S>
void reduce_columns(Device device, std::int64_t count, std::int64_t columns, const F& f, const S& store) {
    RADIAL_ON_DEVICE(device, reduce_columns, count, columns, f, store);
    host::reduce_columns(count, columns, f, store);
}

/// Calls f(item, i) for i in [0, item.count) and every item. A device processes many tensors in one launch. An Item is
/// a struct of pointers and numbers with a member `count`.
template <class Item, class F>
void map_list(Device device, std::span<const Item> items, const F& f) {
    RADIAL_ON_DEVICE(device, map_list, items, f);
    for (const Item& item : items) host::map_item(item, f);
}

/// *out = the sum of f(item, i) over i in [0, item.count) and all items, in double. `out` is on `device`.
template <class Item, class F>
void reduce_list(Device device, std::span<const Item> items, const F& f, double* out) {
    RADIAL_ON_DEVICE(device, reduce_list, items, f, out);
    double total = 0;
    for (const Item& item : items) total += host::reduce(item.count, host::OneItem<Item, F>{item, f});
    *out = total;
}

#undef RADIAL_ON_DEVICE

/// A `store` for reduce_columns() that writes the sums as T.
template <class T>
struct StoreSum {
    T* out;  ///< one element per column
    RADIAL_HD void operator()(std::int64_t c, double total) const { out[c] = static_cast<T>(total); }  ///< for column c
};

}  // namespace radial::kernels
