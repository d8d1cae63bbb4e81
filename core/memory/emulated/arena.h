// The emulated device's memory: a range of addresses that the host may touch only while kernels run.
#pragma once

#include <cstddef>
#include <map>

namespace radial::emulated {

/// Hands out parts of one reserved range, which is inaccessible unless unlocked. Not thread-safe.
class Arena {
public:
    /// Reserves addresses for `capacity` bytes.
    explicit Arena(std::size_t capacity);
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;
    ~Arena();

    /// Null when there is no room.
    void* allocate(std::size_t bytes);
    void release(void* block, std::size_t bytes);
    std::size_t free_bytes() const { return limit_ - used_; }
    std::size_t limit() const { return limit_; }
    /// Makes the device smaller (or as large as it was), for tests of what happens when memory runs out.
    void set_limit(std::size_t bytes);
    bool contains(const void* address) const;

    void unlock();
    void lock();

private:
    std::byte* base_ = nullptr;
    std::size_t capacity_, limit_, used_ = 0;
    std::map<std::size_t, std::size_t> free_;  ///< runs by offset
};

}  // namespace radial::emulated
