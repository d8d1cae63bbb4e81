// A caching allocator: keeps freed blocks and reuses them, because a training step requests the same sizes every time
// and the system's allocators are slow (fresh pages, or a stall of the whole device).
#pragma once

#include "radial/core/memory/storage.h"
#include "radial/core/util/error.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

namespace radial {

/// Memory of one device, in bytes.
struct MemoryStatistics {
    std::size_t current = 0;   ///< used by tensors now
    std::size_t peak = 0;      ///< largest `current` since the last reset
    std::size_t reserved = 0;  ///< obtained from the system: used by tensors or cached
};

/// Allocates blocks from RawApi and keeps them for reuse when they are released. Thread-safe.
///
/// RawApi provides `void* allocate(std::size_t)` (null when out of memory), `void release(void*, std::size_t)`, and
/// `void hide(void*, std::size_t)` and `void show(void*, std::size_t)`, which tell a memory checker which bytes may not
/// be accessed. It may provide `std::string account()`, text about the system's memory for an error message.
///
/// Allocations made while a pool is entered use only that pool's blocks, which return to the pool: memory that a
/// recorded graph writes at every launch must not be used for anything else. Pool 0 is the shared one.
///
/// Blocks are never split, since that would leave pieces too small for any later request. A kept block serves only
/// requests of more than half its size, which bounds the waste. When memory runs out, all kept blocks of the shared
/// pool are returned to the system and the request is tried once more.
template <class RawApi>
class CachingAllocator {
public:
    /// Allocates from `raw`.
    explicit CachingAllocator(RawApi raw = {}) : raw_(std::move(raw)) {}
    CachingAllocator(const CachingAllocator&) = delete;
    CachingAllocator& operator=(const CachingAllocator&) = delete;
    /// Returns all cached blocks to the system, including those of pools. Graphs that write to them must not be
    /// launched any more.
    ~CachingAllocator() {
        for (auto& [pool, kept] : kept_) give_back(kept);
    }

    /// Allocates at least `bytes` bytes, uninitialised. Throws OutOfMemory with the sizes requested, in use and
    /// reserved.
    void* allocate(std::size_t bytes) {
        const std::size_t size = rounded(bytes);
        const std::lock_guard lock(mutex_);
        auto [block, got] = take_kept(size);
        if (block == nullptr) {
            got = size;
            block = raw_.allocate(size);
            if (block == nullptr) {
                flush_kept();
                block = raw_.allocate(size);
            }
            if (block == nullptr) throw OutOfMemory(shortage(bytes));
            statistics_.reserved += got;
        }
        live_.emplace(block, Live{got, pool_});
        statistics_.current += got;
        statistics_.peak = std::max(statistics_.peak, statistics_.current);
        raw_.show(block, bytes);
        return block;
    }

    /// Releases a block from allocate().
    void release(void* block) {
        const std::lock_guard lock(mutex_);
        const auto found = live_.find(block);
        if (found == live_.end()) return;
        const auto [size, pool] = found->second;
        live_.erase(found);
        statistics_.current -= size;
        raw_.hide(block, size);
        kept_[pool].emplace(size, block);
    }

    /// Makes allocate() use only `pool` until leave_pool().
    void enter_pool(std::uint64_t pool) {
        const std::lock_guard lock(mutex_);
        pool_ = pool;
    }
    /// Makes allocate() use the shared pool again.
    void leave_pool() { enter_pool(0); }
    /// Moves the blocks of `pool` to the shared pool; those in use follow when they are released.
    void dissolve_pool(std::uint64_t pool) {
        const std::lock_guard lock(mutex_);
        kept_[0].merge(kept_[pool]);
        kept_.erase(pool);
        for (auto& [block, live] : live_)
            if (live.pool == pool) live.pool = 0;
    }

    /// Returns every kept block to the system, except those of pools.
    void flush() {
        const std::lock_guard lock(mutex_);
        flush_kept();
    }

    /// The memory in use now, at its peak, and reserved.
    MemoryStatistics statistics() const {
        const std::lock_guard lock(mutex_);
        return statistics_;
    }

    /// Resets the peak to the memory in use now.
    void reset_peak() {
        const std::lock_guard lock(mutex_);
        statistics_.peak = statistics_.current;
    }

private:
    using Kept = std::multimap<std::size_t, void*>;

    // Small sizes are rounded up to multiples of 512 bytes, large ones to multiples of 64 KiB, so that similar sizes
    // can share blocks.
    static std::size_t rounded(std::size_t bytes) {
        const std::size_t step = bytes < (std::size_t{1} << 20) ? 512 : std::size_t{1} << 16;
        if (bytes > std::numeric_limits<std::size_t>::max() - step) return bytes;  // more than any system has
        return std::max<std::size_t>(1, (bytes + step - 1) / step) * step;
    }

    std::pair<void*, std::size_t> take_kept(std::size_t size) {
        Kept& kept = kept_[pool_];
        const auto found = kept.lower_bound(size);
        if (found == kept.end() || found->first >= 2 * size) return {nullptr, 0};
        const auto [got, block] = *found;
        kept.erase(found);
        return {block, got};
    }

    // Only the shared pool: a graph may still write to the cached blocks of its own pool.
    void flush_kept() { give_back(kept_[0]); }

    void give_back(Kept& kept) {
        for (const auto& [size, block] : kept) {
            raw_.show(block, size);
            raw_.release(block, size);
            statistics_.reserved -= size;
        }
        kept.clear();
    }

    std::string shortage(std::size_t bytes) {
        std::string system;
        if constexpr (requires { raw_.account(); }) system = raw_.account();
        return fmt::format("out of memory: asked for {} bytes; {} are in tensors, {} reserved{}. Try a smaller batch",
                           bytes, statistics_.current, statistics_.reserved, system);
    }

    struct Live {
        std::size_t size;
        std::uint64_t pool;
    };

    RawApi raw_;
    mutable std::mutex mutex_;
    std::uint64_t pool_ = 0;
    std::map<std::uint64_t, Kept> kept_;  ///< by pool
    std::unordered_map<void*, Live> live_;
    MemoryStatistics statistics_;
};

/// The statistics of `device`'s allocator. Throws Error when this build does not support the device.
MemoryStatistics memory_statistics(Device device = {});
/// Resets the peak of `device`'s allocator to the memory in use now.
void reset_peak_memory(Device device = {});
/// Returns to the system the memory of `device` that tensors no longer use, except the memory of pools.
void release_cached_memory(Device device = {});

/// A separate memory pool for tensors on one device: memory allocated between enter() and leave() is not shared with
/// other tensors until the pool is destroyed. At most one pool per device may be entered at a time.
class MemoryPool {
public:
    /// Creates an empty pool. Does not enter it.
    explicit MemoryPool(Device device);
    MemoryPool(const MemoryPool&) = delete;
    MemoryPool& operator=(const MemoryPool&) = delete;
    /// Moves the memory of this pool to the shared pool.
    ~MemoryPool();
    /// Makes tensors on the device use this pool.
    void enter();
    /// Makes tensors on the device use the shared pool again.
    void leave();

private:
    Device device_;
    std::uint64_t id_;
};

}  // namespace radial
