// A caching allocator: freed blocks are kept and handed out again, because a training step asks for the same sizes
// every time and the system's answer (fresh pages, or a device-wide stall) is slow.
#pragma once

#include "radial/core/memory/device.h"
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

/// Bytes of one device's memory.
struct MemoryStatistics {
    std::size_t current = 0;   ///< in tensors now
    std::size_t peak = 0;      ///< most ever in tensors since the last reset
    std::size_t reserved = 0;  ///< taken from the system: in tensors, or kept for later
};

/// Hands out blocks of RawApi's memory and keeps them when they come back. Thread-safe.
///
/// RawApi has `void* allocate(std::size_t)` (null when there is none), `void release(void*, std::size_t)`, and
/// `void hide(void*, std::size_t)` / `void show(void*, std::size_t)`, which tell a memory checker what nobody may
/// touch. It may have `std::string account()`, what an error says of the system's side.
///
/// What is allocated while a pool is entered comes from that pool's blocks alone and returns to them: memory that a
/// recorded graph writes whenever it is launched must not serve anybody else. Pool 0 is everybody's.
///
/// Blocks are never split: that would strand pieces that no later request fits. A kept block serves a request only when
/// it is less than twice its size, which bounds the waste. When memory runs out, the kept blocks are returned to the
/// system and the request is tried once more.
template <class RawApi>
class CachingAllocator {
public:
    explicit CachingAllocator(RawApi raw = {}) : raw_(std::move(raw)) {}
    CachingAllocator(const CachingAllocator&) = delete;
    CachingAllocator& operator=(const CachingAllocator&) = delete;
    /// Returns every kept block to the system, the pools' too: nothing can be launched any more that writes to them.
    ~CachingAllocator() {
        for (auto& [pool, kept] : kept_) give_back(kept);
    }

    /// At least `bytes` bytes, uninitialised. Throws OutOfMemory saying what was asked, held and kept.
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

    /// Takes back a block from allocate().
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

    /// Allocates from `pool` alone until leave_pool().
    void enter_pool(std::uint64_t pool) {
        const std::lock_guard lock(mutex_);
        pool_ = pool;
    }
    void leave_pool() { enter_pool(0); }
    /// Hands the blocks of `pool` to everybody, those in use when they come back.
    void dissolve_pool(std::uint64_t pool) {
        const std::lock_guard lock(mutex_);
        kept_[0].merge(kept_[pool]);
        kept_.erase(pool);
        for (auto& [block, live] : live_)
            if (live.pool == pool) live.pool = 0;
    }

    /// Returns every kept block to the system, but for the pools'.
    void flush() {
        const std::lock_guard lock(mutex_);
        flush_kept();
    }

    MemoryStatistics statistics() const {
        const std::lock_guard lock(mutex_);
        return statistics_;
    }

    /// Peak starts again from what is held now.
    void reset_peak() {
        const std::lock_guard lock(mutex_);
        statistics_.peak = statistics_.current;
    }

private:
    using Kept = std::multimap<std::size_t, void*>;

    // Small sizes in steps of 512 bytes, large ones of 64 KiB: near sizes share blocks.
    static std::size_t rounded(std::size_t bytes) {
        const std::size_t step = bytes < (std::size_t{1} << 20) ? 512 : std::size_t{1} << 16;
        if (bytes > std::numeric_limits<std::size_t>::max() - step) return bytes;  // more than there is, anyway
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

    // Everybody's only: a graph may still write to the kept blocks of its pool.
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

/// What `device`'s allocator holds. Throws Error when the device is not in this build.
MemoryStatistics memory_statistics(Device device = {});
/// Starts the peak again from what is held now.
void reset_peak_memory(Device device = {});
/// Returns the memory that tensors no longer use to the system.
void release_cached_memory(Device device = {});

/// While one lives, tensors on its device come from memory that no other tensor ever gets, until the pool itself goes.
/// One at a time for a device.
class MemoryPool {
public:
    explicit MemoryPool(Device device);
    MemoryPool(const MemoryPool&) = delete;
    MemoryPool& operator=(const MemoryPool&) = delete;
    /// Hands the memory to everybody.
    ~MemoryPool();
    void enter();
    void leave();

private:
    Device device_;
    std::uint64_t id_;
};

}  // namespace radial
