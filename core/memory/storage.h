// A reference-counted run of bytes on one device, with the version that guards saved tensors.
#pragma once

#include "radial/core/memory/device.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace radial {

/// Bytes owned by one device's caching allocator and given back when the last tensor lets go.
class Storage {
public:
    /// Takes `bytes` bytes, uninitialised, aligned to 64, from `device`'s allocator.
    /// Throws OutOfMemory, or Error when the device is not in this build.
    Storage(std::size_t bytes, Device device);
    ~Storage();
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;

    void* data() const { return data_; }
    std::size_t bytes() const { return bytes_; }
    Device device() const { return device_; }

    /// Counts writes in place; a tensor saved for backward remembers it.
    std::uint64_t version() const { return version_; }
    void bump_version() { ++version_; }

    /// Something a backend derived from the bytes and keeps with them, such as packed weights.
    std::shared_ptr<void> derived;

private:
    void* data_ = nullptr;
    std::size_t bytes_ = 0;
    Device device_;
    std::uint64_t version_ = 0;
};

/// While one lives, it notes which storages tensors of this thread are written to in place. One at a time.
class WriteLog {
public:
    WriteLog();
    ~WriteLog();
    WriteLog(const WriteLog&) = delete;
    WriteLog& operator=(const WriteLog&) = delete;
    /// Each once, in the order of their first writes.
    const std::vector<std::weak_ptr<Storage>>& written() const { return written_; }
    /// Called with every write.
    static void note(const std::shared_ptr<Storage>& storage);

private:
    std::vector<std::weak_ptr<Storage>> written_;
};

}  // namespace radial
