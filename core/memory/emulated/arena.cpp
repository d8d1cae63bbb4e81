// The emulated device's memory.
#include "radial/core/memory/emulated/arena.h"

#include "radial/core/util/error.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace radial::emulated {
namespace {

constexpr std::size_t alignment = 512, page = 4096, huge_page = std::size_t{2} << 20;

// A gap after each block, so that a kernel that runs over its end does not meet another block at once.
std::size_t footprint(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment + alignment; }

/// The huge page's bound at or below, at or above an address.
std::uintptr_t down(std::uintptr_t address) { return address / huge_page * huge_page; }
std::uintptr_t up(std::uintptr_t address) { return down(address + huge_page - 1); }

}  // namespace

Arena::Arena(std::size_t capacity) : capacity_((capacity + page - 1) / page * page), limit_(capacity_) {
    void* const range = mmap(nullptr, capacity_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    RADIAL_CHECK(range != MAP_FAILED, "emulated device: {} bytes of addresses could not be reserved", capacity_);
    // On huge pages, of which there are few enough to lock and unlock often.
    madvise(range, capacity_, MADV_HUGEPAGE);
    base_ = static_cast<std::byte*>(range);
    free_.emplace(0, capacity_);
}

Arena::~Arena() { munmap(base_, capacity_); }

void* Arena::allocate(std::size_t bytes) {
    const std::size_t size = footprint(bytes);
    if (used_ + size > limit_) return nullptr;
    const auto found = std::find_if(free_.begin(), free_.end(), [&](const auto& run) { return run.second >= size; });
    if (found == free_.end()) return nullptr;
    const auto [offset, length] = *found;
    free_.erase(found);
    if (length > size) free_.emplace(offset + size, length - size);
    used_ += size;
    return base_ + offset;
}

void Arena::release(void* block, std::size_t bytes) {
    const std::size_t size = footprint(bytes);
    used_ -= size;
    const auto offset = static_cast<std::size_t>(static_cast<std::byte*>(block) - base_);
    auto run = free_.emplace(offset, size).first;
    if (run != free_.begin()) {
        const auto before = std::prev(run);
        if (before->first + before->second == run->first) {
            before->second += run->second;
            free_.erase(run);
            run = before;
        }
    }
    const auto after = std::next(run);
    if (after != free_.end() && run->first + run->second == after->first) {
        run->second += after->second;
        free_.erase(after);
    }
    // Huge pages that held a part of the block and are free now go back to the system.
    const auto base = reinterpret_cast<std::uintptr_t>(base_);
    const std::uintptr_t first = std::max(up(base + run->first), down(base + offset));
    const std::uintptr_t last = std::min(down(base + run->first + run->second), up(base + offset + size));
    if (first < last) madvise(base_ + (first - base), last - first, MADV_DONTNEED);
}

void Arena::set_limit(std::size_t bytes) { limit_ = std::min(bytes, capacity_); }

bool Arena::contains(const void* address) const { return address >= base_ && address < base_ + capacity_; }

void Arena::unlock() { mprotect(base_, capacity_, PROT_READ | PROT_WRITE); }
void Arena::lock() { mprotect(base_, capacity_, PROT_NONE); }

}  // namespace radial::emulated
