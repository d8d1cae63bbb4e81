// The host's caching allocator and the storage that draws on it.
#include "radial/core/memory/storage.h"

#include "radial/core/cuda_device.h"
#include "radial/core/memory/allocator.h"

#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#include <cstdlib>

namespace radial {
namespace {

struct HostMemory {
    static void* allocate(std::size_t bytes) {
        // Large tensors on huge pages: fewer faults and fewer misses of the address cache.
        constexpr std::size_t huge_page = std::size_t{2} << 20;
        const bool large = bytes >= 2 * huge_page;
        const std::size_t alignment = large ? huge_page : 64;
        const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
        void* const block = std::aligned_alloc(alignment, rounded);
        if (block != nullptr && large) madvise(block, rounded, MADV_HUGEPAGE);
        return block;
    }
    static void release(void* block, std::size_t) { std::free(block); }  // NOLINT(*-no-malloc): this is what owns it
    // The address sanitizer then reports a use of a block that waits in the cache; without it these do nothing.
    static void hide(void* block, std::size_t bytes) { ASAN_POISON_MEMORY_REGION(block, bytes); }
    static void show(void* block, std::size_t bytes) { ASAN_UNPOISON_MEMORY_REGION(block, bytes); }
};

using HostAllocator = CachingAllocator<HostMemory>;

// Never destroyed: tensors with static lifetime may give their blocks back after any destructor here would have run.
HostAllocator& host_allocator() {
    static union Immortal {
        HostAllocator allocator;
        Immortal() : allocator() {}
        ~Immortal() {}
    } immortal;
    return immortal.allocator;
}

HostAllocator& allocator_for(Device device) {
    RADIAL_CHECK(device.kind == Device::Kind::cpu, "{}", cuda_unavailable(device.index));
    return host_allocator();
}

}  // namespace

Storage::Storage(std::size_t bytes, Device device)
    : data_(allocator_for(device).allocate(bytes)), bytes_(bytes), device_(device) {}

Storage::~Storage() {
    derived.reset();
    host_allocator().release(data_);
}

MemoryStatistics memory_statistics(Device device) { return allocator_for(device).statistics(); }
void reset_peak_memory(Device device) { allocator_for(device).reset_peak(); }
void release_cached_memory(Device device) { allocator_for(device).flush(); }

}  // namespace radial
