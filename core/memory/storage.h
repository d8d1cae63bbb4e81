// A reference-counted block of bytes on one device, with a version that detects changes to saved tensors.
#pragma once

#include "radial/core/memory/device.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace radial {

/// A block of bytes from a device's caching allocator, released with the last tensor that shares it.
class Storage {
public:
    /// Allocates `bytes` bytes, uninitialised and aligned to 64, from `device`'s allocator. Throws OutOfMemory, or
    /// Error when this build does not support the device.
    Storage(std::size_t bytes, Device device);
    ~Storage();
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;

    /// The first byte. It must not be accessed from the host for memory on a device.
    void* data() const { return data_; }
    /// Size in bytes.
    std::size_t bytes() const { return bytes_; }
    /// The device that the bytes are on.
    Device device() const { return device_; }

    /// The number of in-place writes so far. A tensor saved for backward compares it.
    std::uint64_t version() const { return version_; }
    /// Counts an in-place write.
    void bump_version() { ++version_; }

    /// Data that a backend derived from the bytes and stores with them, such as packed weights.
    std::shared_ptr<void> derived;

private:
    void* data_ = nullptr;
    std::size_t bytes_ = 0;
    Device device_;
    std::uint64_t version_ = 0;
};

/// While the object exists, records the storages that tensors are written to in place on this thread. Only one may
/// exist at a time per thread.
class WriteLog {
public:
    WriteLog();
    ~WriteLog();
    WriteLog(const WriteLog&) = delete;
    WriteLog& operator=(const WriteLog&) = delete;
    /// The storages written to, each once, in the order of their first writes.
    const std::vector<std::weak_ptr<Storage>>& written() const { return written_; }
    /// Called for every in-place write.
    static void note(const std::shared_ptr<Storage>& storage);

private:
    std::vector<std::weak_ptr<Storage>> written_;
};

}  // namespace radial
