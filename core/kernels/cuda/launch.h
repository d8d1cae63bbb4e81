// Kernel launches on a CUDA device. Included by nvcc only.
#pragma once

#include "radial/core/kernels/device_launch.h"
#include "radial/core/kernels/team.h"
#include "radial/core/memory/cuda/stream.h"
#include "radial/core/util/error.h"

#include <cuda_runtime.h>

#include <typeinfo>

namespace radial::kernels::cuda {

/// A team of W lanes that form one block.
template <int W>
struct BlockTeam {
    unsigned char* scratch;  // shared memory, 16 bytes per lane

    template <class G>
    RADIAL_HD Returned<G> sum(std::int64_t n, const G& g) const {
        Returned<G> mine{};
        for (std::int64_t i = lane(); i < n; i += W) mine += g(i);
        return combine(mine, [](Returned<G> a, const Returned<G>& b) {
            a += b;
            return a;
        });
    }
    template <class G>
    RADIAL_HD Returned<G> max(std::int64_t n, const G& g) const {
        Returned<G> top = -infinity<Returned<G>>;
        for (std::int64_t i = lane(); i < n; i += W) top = larger(top, g(i));
        return combine(top, [](Returned<G> a, Returned<G> b) { return larger(a, b); });
    }
    template <class G>
    RADIAL_HD void each(std::int64_t n, const G& g) const {
        barrier();  // other lanes may still be reading what g overwrites
        for (std::int64_t i = lane(); i < n; i += W) g(i);
        barrier();
    }
    template <class G>
    RADIAL_HD void once(const G& g) const {
        barrier();
        if (lane() == 0) g();
        barrier();
    }

private:
    // RADIAL_HD, because row kernels are compiled for host and device; only called on a device.
    RADIAL_HD static int lane() {
#ifdef __CUDA_ARCH__
        return static_cast<int>(threadIdx.x);
#else
        return 0;
#endif
    }
    RADIAL_HD static void barrier() {
#ifdef __CUDA_ARCH__
        __syncthreads();
#endif
    }
    template <class V, class Join>
    RADIAL_HD V combine(V mine, const Join& join) const {
        static_assert(sizeof(V) <= 16, "a lane has 16 bytes of scratch");
        V* const lanes = reinterpret_cast<V*>(scratch);
        barrier();  // all lanes have read the previous content of the scratch
        lanes[lane()] = mine;
        barrier();
        for (int half = W / 2; half > 0; half /= 2) {
            if (lane() < half) lanes[lane()] = join(lanes[lane()], lanes[lane() + half]);
            barrier();
        }
        return lanes[0];
    }
};

template <class F>
__global__ void map_kernel(std::int64_t count, F f) {
    const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < count) f(i);
}

template <int W, class F>
__global__ void row_kernel(F f) {
    __shared__ alignas(16) unsigned char scratch[W * 16];
    f(BlockTeam<W>{scratch}, static_cast<std::int64_t>(blockIdx.x));
}

template <int MostLanes, class V, class F, class S>
__global__ void __launch_bounds__(MostLanes)
    column_kernel(std::int64_t rows, std::int64_t columns, ColumnPlan plan, F f, S store) {
    extern __shared__ __align__(16) unsigned char shared[];
    V* const lanes = reinterpret_cast<V*>(shared);
    const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y);
    const std::int64_t c = static_cast<std::int64_t>(blockIdx.x) * plan.lanes_x + x;
    const std::int64_t begin = static_cast<std::int64_t>(blockIdx.y) * plan.chunk;
    const std::int64_t end = begin + plan.chunk < rows ? begin + plan.chunk : rows;
    V mine{};
    if (c < columns)
        for (std::int64_t r = begin + y; r < end; r += plan.lanes_y) mine += f(r, c);
    lanes[y * plan.lanes_x + x] = mine;
    __syncthreads();
    for (int half = plan.lanes_y / 2; half > 0; half /= 2) {
        if (y < half) lanes[y * plan.lanes_x + x] += lanes[(y + half) * plan.lanes_x + x];
        __syncthreads();
    }
    if (y == 0 && c < columns) store(static_cast<std::int64_t>(blockIdx.y), c, lanes[x]);
}

/// Returns the index of the item that block `block` processes, and sets `begin` to the element at which the block
/// begins.
template <class Item>
__device__ int find_item(const ItemList<Item>& list, int block, std::int64_t* begin) {
    int low = 0, high = list.size - 1;
    while (low < high) {
        const int middle = (low + high) / 2;
        if (block < list.ends[middle])
            high = middle;
        else
            low = middle + 1;
    }
    *begin = static_cast<std::int64_t>(block - (low == 0 ? 0 : list.ends[low - 1])) * list_chunk;
    return low;
}

template <class Item, class F>
__global__ void list_kernel(const __grid_constant__ ItemList<Item> list, F f) {
    std::int64_t begin = 0;
    const Item& item = list.items[find_item(list, static_cast<int>(blockIdx.x), &begin)];
    const std::int64_t end = begin + list_chunk < item.count ? begin + list_chunk : item.count;
    for (std::int64_t i = begin + threadIdx.x; i < end; i += blockDim.x) f(item, i);
}

template <class Item, class F>
__global__ void list_sum_kernel(const __grid_constant__ ItemList<Item> list, F f, double* partial) {
    __shared__ alignas(16) unsigned char scratch[block_lanes * 16];
    std::int64_t begin = 0;
    const Item& item = list.items[find_item(list, static_cast<int>(blockIdx.x), &begin)];
    const std::int64_t end = begin + list_chunk < item.count ? begin + list_chunk : item.count;
    const double total = BlockTeam<block_lanes>{scratch}.sum(
        end - begin, [&](std::int64_t i) { return static_cast<double>(f(item, begin + i)); });
    if (threadIdx.x == 0) partial[blockIdx.x] = total;
}

template <class F>
void check_launch(std::int64_t blocks) {
    radial::cuda::check_launch(typeid(F).name(), blocks);
}

struct Launcher {
    template <class F>
    static void map(int index, std::int64_t count, const F& f) {
        if (count == 0) return;
        const std::int64_t blocks = (count + block_lanes - 1) / block_lanes;
        map_kernel<<<grid(blocks), block_lanes, 0, stream(index)>>>(count, f);
        check_launch<F>(blocks);
    }
    template <int W, class F>
    static void rows(int index, std::int64_t count, const F& f) {
        if (count == 0) return;
        row_kernel<W><<<grid(count), W, 0, stream(index)>>>(f);
        check_launch<F>(count);
    }
    template <int MostLanes, class F, class S>
    static void columns(int index, std::int64_t rows, std::int64_t columns, const ColumnPlan& plan, const F& f,
                        const S& store) {
        using V = decltype(f(std::int64_t{}, std::int64_t{}));
        const dim3 blocks(grid(plan.column_blocks), grid(plan.chunks));
        const dim3 lanes(static_cast<unsigned>(plan.lanes_x), static_cast<unsigned>(plan.lanes_y));
        const std::size_t shared = sizeof(V) * static_cast<std::size_t>(plan.lanes_x * plan.lanes_y);
        column_kernel<MostLanes, V><<<blocks, lanes, shared, stream(index)>>>(rows, columns, plan, f, store);
        check_launch<F>(plan.column_blocks * plan.chunks);
    }
    template <class Item, class F>
    static void list(int index, const ItemList<Item>& items, std::int32_t blocks, const F& f) {
        list_kernel<<<grid(blocks), block_lanes, 0, stream(index)>>>(items, f);
        check_launch<F>(blocks);
    }
    template <class Item, class F>
    static void list_sums(int index, const ItemList<Item>& items, std::int32_t blocks, const F& f, double* partial) {
        list_sum_kernel<<<grid(blocks), block_lanes, 0, stream(index)>>>(items, f, partial);
        check_launch<F>(blocks);
    }

private:
    static unsigned grid(std::int64_t blocks) {
        RADIAL_CHECK(blocks <= std::numeric_limits<std::int32_t>::max(), "CUDA launch: {} blocks are too many", blocks);
        return static_cast<unsigned>(blocks);
    }
    static cudaStream_t stream(int index) { return radial::cuda::stream_of(index); }
};

}  // namespace radial::kernels::cuda
