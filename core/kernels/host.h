// The loops that run kernels on the CPU, with OpenMP.
//
// Sums are computed from partial sums over chunks whose bounds depend only on the sizes, so results do not depend on
// the number of threads.
#pragma once

#include "radial/core/kernels/team.h"
#include "radial/core/kernels/values.h"

#include <algorithm>
#include <cstdint>
#include <vector>

/// The loops that run kernels on the CPU.
namespace radial::kernels::host {

/// Loops over fewer elements than this run on one thread.
inline constexpr std::int64_t parallel_threshold = 16384;

/// Calls f(i) for i in [0, count). The calls must be independent.
template <class F>
void map(std::int64_t count, const F& f) {
#pragma omp parallel for simd schedule(static) if (count >= parallel_threshold)
    for (std::int64_t i = 0; i < count; ++i) f(i);
}

/// Calls f(item, i) for i in [0, item.count). The calls must be independent.
template <class Item, class F>
void map_item(const Item& item, const F& f) {
    const std::int64_t count = item.count;
#pragma omp parallel if (count >= parallel_threshold)
    {
        // Thread-local copies, which nothing else can access, so that the compiler keeps their members in registers.
        const Item own_item = item;
        const F own = f;
#pragma omp for simd schedule(static)
        for (std::int64_t i = 0; i < count; ++i) own(own_item, i);
    }
}

/// Binds a function f(item, i) to its item, so that reduce() can call it with an index alone.
template <class Item, class F>
struct OneItem {
    Item item;  ///< first argument of f
    F f;        ///< the function
    /// The value of f for index `i`.
    auto operator()(std::int64_t i) const { return f(item, i); }
};

/// Calls f(o, i) for o in [0, outer), i in [0, inner), vectorised over i.
template <class F>
void map2(std::int64_t outer, std::int64_t inner, const F& f) {
#pragma omp parallel for schedule(static) if (outer * inner >= parallel_threshold)
    for (std::int64_t o = 0; o < outer; ++o) {
#pragma omp simd
        for (std::int64_t i = 0; i < inner; ++i) f(o, i);
    }
}

/// Calls f(row) for row in [0, count). `work` is the cost of one row, expressed as a number of elements.
template <class F>
void rows(std::int64_t count, [[maybe_unused]] std::int64_t work, const F& f) {
#pragma omp parallel for schedule(static) if (count > 1 && count * work >= parallel_threshold)
    for (std::int64_t row = 0; row < count; ++row) f(row);
}

/// The sum of f(i) over [0, count), accumulated in double.
template <class F>
double reduce(std::int64_t count, const F& f) {
    constexpr std::int64_t chunk = 4096;
    const std::int64_t chunks = (count + chunk - 1) / chunk;
    std::vector<double> partial(static_cast<std::size_t>(chunks));
#pragma omp parallel for schedule(static) if (count >= parallel_threshold)
    for (std::int64_t c = 0; c < chunks; ++c) {
        double total = 0;
        const std::int64_t end = std::min(count, (c + 1) * chunk);
#pragma omp simd reduction(+ : total)
        for (std::int64_t i = c * chunk; i < end; ++i) total += static_cast<double>(f(i));
        partial[static_cast<std::size_t>(c)] = total;
    }
    double total = 0;
    for (const double p : partial) total += p;
    return total;
}

/// Calls store(c, sum over r in [0, count) of f(r, c)) for c in [0, columns). The sum within a chunk has the type that
/// f returns.
template <class F, class S>
void reduce_columns(std::int64_t count, std::int64_t columns, const F& f, const S& store) {
    using V = decltype(f(std::int64_t{}, std::int64_t{}));
    constexpr std::int64_t max_chunks = 64, min_rows = 64;
    const std::int64_t chunk = std::max(min_rows, (count + max_chunks - 1) / max_chunks);
    const std::int64_t chunks = std::max<std::int64_t>(1, (count + chunk - 1) / chunk);
    std::vector<V> partial(static_cast<std::size_t>(chunks * columns), V{});
    V* const sums = partial.data();
#pragma omp parallel for schedule(static) if (count * columns >= parallel_threshold)
    for (std::int64_t k = 0; k < chunks; ++k) {
        V* const mine = sums + k * columns;
        const std::int64_t end = std::min(count, (k + 1) * chunk);
        for (std::int64_t r = k * chunk; r < end; ++r) {
#pragma omp simd
            for (std::int64_t c = 0; c < columns; ++c) mine[c] += f(r, c);
        }
    }
    for (std::int64_t c = 0; c < columns; ++c) {
        Wide<V> total{};
        for (std::int64_t k = 0; k < chunks; ++k) total += WideOf<V>::widen(sums[k * columns + c]);
        store(c, total);
    }
}

}  // namespace radial::kernels::host
