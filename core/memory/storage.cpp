// Names of devices, the caching allocators of the host and of each device, and Storage, which allocates from them.
#include "radial/core/memory/storage.h"

#include "radial/core/memory/allocator.h"
#include "radial/core/memory/device_runtime.h"
#include "radial/core/util/error.h"

#include <fmt/format.h>

#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <memory>

namespace radial {
namespace {

struct HostMemory {
    static void* allocate(std::size_t bytes) {
        // Large tensors use huge pages, which cause fewer page faults and TLB misses.
        constexpr std::size_t huge_page = std::size_t{2} << 20;
        const bool large = bytes >= 2 * huge_page;
        const std::size_t alignment = large ? huge_page : 64;
        const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
        void* const block = std::aligned_alloc(alignment, rounded);
        if (block != nullptr && large) madvise(block, rounded, MADV_HUGEPAGE);
        return block;
    }
    static void release(void* block, std::size_t) { std::free(block); }  // NOLINT(*-no-malloc): this is what owns it
    // Makes AddressSanitizer report accesses to cached blocks. Without it these do nothing.
    static void hide(void* block, std::size_t bytes) { ASAN_POISON_MEMORY_REGION(block, bytes); }
    static void show(void* block, std::size_t bytes) { ASAN_UNPOISON_MEMORY_REGION(block, bytes); }
};

// Freed blocks can be reused immediately, because the stream runs the next work that uses a block after the last work
// that used it.
struct DeviceMemory {
    int index;
    void* allocate(std::size_t bytes) const { return device::allocate(index, bytes); }
    void release(void* block, std::size_t bytes) const { device::release(index, block, bytes); }
    static void hide(void*, std::size_t) {}
    static void show(void*, std::size_t) {}
    std::string account() const {
        const device::Memory memory = device::memory(index);
        return fmt::format("; cuda:{} has {} free of {}", index, memory.free, memory.total);
    }
};

using HostAllocator = CachingAllocator<HostMemory>;
using DeviceAllocator = CachingAllocator<DeviceMemory>;

// Never destroyed: tensors with static lifetime may release their blocks after any destructor here would have run.
HostAllocator& host_allocator() {
    static union Immortal {
        HostAllocator allocator;
        Immortal() : allocator() {}
        ~Immortal() {}
    } immortal;
    return immortal.allocator;
}

DeviceAllocator& device_allocator(int index) {
    constexpr int most_devices = 16;
    static std::array<std::atomic<DeviceAllocator*>, most_devices> allocators{};
    static std::mutex mutex;
    const std::string reason = index < most_devices ? std::string() : device::unavailable(index);
    RADIAL_CHECK(reason.empty(), "{}", reason);
    std::atomic<DeviceAllocator*>& slot = allocators[static_cast<std::size_t>(index)];
    if (DeviceAllocator* const there = slot.load(std::memory_order_acquire)) return *there;
    const std::lock_guard lock(mutex);
    if (slot.load() == nullptr) {
        const std::string why = device::unavailable(index);
        RADIAL_CHECK(why.empty(), "{}", why);
        // Never destroyed, like the host's allocator.
        slot.store(new DeviceAllocator(DeviceMemory{index}));  // NOLINT(cppcoreguidelines-owning-memory)
    }
    return *slot.load();
}

/// Calls f with the allocator of `device`.
template <class F>
decltype(auto) with_allocator(Device device, const F& f) {
    return device.kind == Device::Kind::cpu ? f(host_allocator()) : f(device_allocator(device.index));
}

}  // namespace

Device Device::parse(std::string_view text) {
    if (text == "cpu") return {};
    if (text == "cuda") return {Kind::cuda, 0};
    constexpr std::string_view prefix = "cuda:";
    if (text.starts_with(prefix)) {
        int index = -1;
        const char* const last = text.data() + text.size();
        const auto [end, status] = std::from_chars(text.data() + prefix.size(), last, index);
        if (status == std::errc{} && end == last && index >= 0) return {Kind::cuda, index};
    }
    throw Error(fmt::format("device: '{}' is not one of cpu, cuda, cuda:N", text));
}

std::string Device::str() const { return kind == Kind::cpu ? "cpu" : fmt::format("cuda:{}", index); }

Storage::Storage(std::size_t bytes, Device device)
    : data_(with_allocator(device,
                           [&](auto& allocator) {
                               MemoryLimit::take(bytes);
                               return allocator.allocate(bytes);
                           })),
      bytes_(bytes),
      device_(device) {}

Storage::~Storage() {
    derived.reset();
    with_allocator(device_, [&](auto& allocator) { allocator.release(data_); });
}

namespace {
thread_local MemoryLimit* memory_limit = nullptr;
}

MemoryLimit::MemoryLimit(std::size_t bytes) : left_(bytes), outer_(std::exchange(memory_limit, this)) {}
MemoryLimit::~MemoryLimit() { memory_limit = outer_; }

void MemoryLimit::take(std::size_t bytes) {
    if (memory_limit == nullptr) return;
    RADIAL_CHECK(bytes <= memory_limit->left_, "memory limit: {} bytes asked for, {} left", bytes, memory_limit->left_);
    memory_limit->left_ -= bytes;
}

namespace {
thread_local WriteLog* write_log = nullptr;
}

WriteLog::WriteLog() { write_log = this; }
WriteLog::~WriteLog() { write_log = nullptr; }

void WriteLog::note(const std::shared_ptr<Storage>& storage) {
    if (write_log == nullptr) return;
    std::vector<std::weak_ptr<Storage>>& written = write_log->written_;
    const auto same = [&](const std::weak_ptr<Storage>& other) {
        return !other.owner_before(storage) && !storage.owner_before(other);
    };
    if (std::none_of(written.begin(), written.end(), same)) written.push_back(storage);
}

MemoryStatistics memory_statistics(Device device) {
    return with_allocator(device, [](auto& allocator) { return allocator.statistics(); });
}
void reset_peak_memory(Device device) {
    with_allocator(device, [](auto& allocator) { allocator.reset_peak(); });
}
void release_cached_memory(Device device) {
    with_allocator(device, [](auto& allocator) { allocator.flush(); });
}

MemoryPool::MemoryPool(Device device)
    : device_(device), id_([] {
          static std::atomic<std::uint64_t> next{1};
          return next++;
      }()) {}
MemoryPool::~MemoryPool() {
    with_allocator(device_, [&](auto& allocator) { allocator.dissolve_pool(id_); });
}
void MemoryPool::enter() {
    with_allocator(device_, [&](auto& allocator) { allocator.enter_pool(id_); });
}
void MemoryPool::leave() {
    with_allocator(device_, [](auto& allocator) { allocator.leave_pool(); });
}

}  // namespace radial
