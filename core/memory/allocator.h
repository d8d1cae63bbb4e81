// A caching allocator: freed blocks are kept and handed out again, because a training step asks for the same sizes
// every time and the system's answer (fresh pages, or a device-wide stall) is slow.
#pragma once

#include "radial/core/error.h"
#include "radial/core/types.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <map>
#include <mutex>
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
/// touch.
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
    ~CachingAllocator() { flush(); }

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
            if (block == nullptr) {
                throw OutOfMemory(fmt::format(
                    "out of memory: asked for {} bytes; {} are in tensors, {} reserved. Try a smaller batch", bytes,
                    statistics_.current, statistics_.reserved));
            }
            statistics_.reserved += got;
        }
        live_.emplace(block, got);
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
        const std::size_t size = found->second;
        live_.erase(found);
        statistics_.current -= size;
        raw_.hide(block, size);
        kept_.emplace(size, block);
    }

    /// Returns every kept block to the system.
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
    // Small sizes in steps of 512 bytes, large ones of 64 KiB: near sizes share blocks.
    static std::size_t rounded(std::size_t bytes) {
        const std::size_t step = bytes < (std::size_t{1} << 20) ? 512 : std::size_t{1} << 16;
        if (bytes > std::numeric_limits<std::size_t>::max() - step) return bytes;  // more than there is, anyway
        return std::max<std::size_t>(1, (bytes + step - 1) / step) * step;
    }

    std::pair<void*, std::size_t> take_kept(std::size_t size) {
        const auto found = kept_.lower_bound(size);
        if (found == kept_.end() || found->first >= 2 * size) return {nullptr, 0};
        const auto [got, block] = *found;
        kept_.erase(found);
        return {block, got};
    }

    void flush_kept() {
        for (const auto& [size, block] : kept_) {
            raw_.show(block, size);
            raw_.release(block, size);
            statistics_.reserved -= size;
        }
        kept_.clear();
    }

    RawApi raw_;
    mutable std::mutex mutex_;
    std::multimap<std::size_t, void*> kept_;
    std::unordered_map<void*, std::size_t> live_;
    MemoryStatistics statistics_;
};

/// What `device`'s allocator holds. Throws Error when the device is not in this build.
MemoryStatistics memory_statistics(Device device = {});
/// Starts the peak again from what is held now.
void reset_peak_memory(Device device = {});
/// Returns the memory that tensors no longer use to the system.
void release_cached_memory(Device device = {});

}  // namespace radial
