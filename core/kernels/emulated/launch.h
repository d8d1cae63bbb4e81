// Kernel launches on the emulated device, with the same partial sums as on a real one. Blocks run in reverse order.
#pragma once

#include "radial/core/kernels/device_launch.h"
#include "radial/core/kernels/host.h"
#include "radial/core/kernels/team.h"
#include "radial/core/memory/emulated/emulator.h"

#include <memory>
#include <type_traits>
#include <typeinfo>
#include <vector>

namespace radial::kernels::emulated {

struct Launcher {
    template <class F>
    static void map(int index, std::int64_t count, const F& f) {
        check(f);
        radial::emulated::submit(index, [=] {
            const std::int64_t blocks = (count + block_lanes - 1) / block_lanes;
#pragma omp parallel for schedule(static) if (count >= host::parallel_threshold)
            for (std::int64_t b = blocks - 1; b >= 0; --b) {
                const std::int64_t end = std::min(count, (b + 1) * block_lanes);
                for (std::int64_t i = b * block_lanes; i < end; ++i) f(i);
            }
        });
    }
    template <int W, class F>
    static void rows(int index, std::int64_t count, const F& f) {
        check(f);
        radial::emulated::submit(index, [=] {
            for (std::int64_t row = count - 1; row >= 0; --row) f(HostTeam<W>{}, row);
        });
    }
    template <int MostLanes, class F, class S>
    static void columns(int index, std::int64_t rows, std::int64_t columns, const ColumnPlan& plan, const F& f,
                        const S& store) {
        check(f);
        check(store);
        radial::emulated::submit(index, [=] {
            for (std::int64_t chunk = plan.chunks - 1; chunk >= 0; --chunk)
                for (std::int64_t c = 0; c < columns; ++c) store(chunk, c, column_sum(rows, c, chunk, plan, f));
        });
    }
    template <class Item, class F>
    static void list(int index, const ItemList<Item>& items, std::int32_t blocks, const F& f) {
        check(f);
        check_items(items);
        const auto list = std::make_shared<ItemList<Item>>(items);
        radial::emulated::submit(index, [=] {
            for (std::int32_t block = blocks - 1; block >= 0; --block) {
                const auto [item, begin, end] = part(*list, block);
                for (std::int64_t i = begin; i < end; ++i) f(*item, i);
            }
        });
    }
    template <class Item, class F>
    static void list_sums(int index, const ItemList<Item>& items, std::int32_t blocks, const F& f, double* partial) {
        check(f);
        check_items(items);
        const auto list = std::make_shared<ItemList<Item>>(items);
        radial::emulated::submit(index, [=] {
            for (std::int32_t block = blocks - 1; block >= 0; --block) {
                const auto where = part(*list, block);
                partial[block] = HostTeam<block_lanes>{}.sum(where.end - where.begin, [&](std::int64_t i) {
                    return static_cast<double>(f(*where.item, where.begin + i));
                });
            }
        });
    }

private:
    template <class Item>
    struct Part {
        const Item* item;
        std::int64_t begin, end;
    };
    template <class Item>
    static Part<Item> part(const ItemList<Item>& list, std::int32_t block) {
        int k = 0;
        while (block >= list.ends[k]) ++k;
        const std::int64_t begin = (block - (k == 0 ? 0 : list.ends[k - 1])) * list_chunk;
        return {&list.items[k], begin, std::min(begin + list_chunk, list.items[k].count)};
    }

    /// The sum that a block of column_kernel computes for one column, added in the same order.
    template <class F>
    static auto column_sum(std::int64_t rows, std::int64_t c, std::int64_t chunk, const ColumnPlan& plan, const F& f) {
        using V = decltype(f(std::int64_t{}, std::int64_t{}));
        std::vector<V> lanes(static_cast<std::size_t>(plan.lanes_y), V{});
        const std::int64_t end = std::min(rows, (chunk + 1) * plan.chunk);
        for (int y = 0; y < plan.lanes_y; ++y)
            for (std::int64_t r = chunk * plan.chunk + y; r < end; r += plan.lanes_y)
                lanes[static_cast<std::size_t>(y)] += f(r, c);
        for (int half = plan.lanes_y / 2; half > 0; half /= 2)
            for (int y = 0; y < half; ++y)
                lanes[static_cast<std::size_t>(y)] +=
                    lanes[static_cast<std::size_t>(y) + static_cast<std::size_t>(half)];
        return lanes.front();
    }

    template <class F>
    static void check([[maybe_unused]] const F& f) {
        static_assert(std::is_trivially_copy_constructible_v<F> && std::is_trivially_destructible_v<F>,
                      "a kernel's functor holds pointers and numbers only");
#if __has_builtin(__builtin_clear_padding)
        // Padding bytes between the members of a functor could contain stale data that looks like an address.
        F plain = f;
        __builtin_clear_padding(&plain);
        radial::emulated::check_arguments(std::as_bytes(std::span(&plain, 1)), typeid(F).name());
#endif
    }
    template <class Item>
    static void check_items(const ItemList<Item>& list) {
        for (int k = 0; k < list.size; ++k) check(list.items[k]);
    }
};

}  // namespace radial::kernels::emulated
