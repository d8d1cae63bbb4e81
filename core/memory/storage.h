// Devices; reference-counted blocks of bytes on a device, with a version that detects changes to saved tensors; and a
// limit on the memory that tensors may allocate, for building objects from untrusted descriptions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace radial {

/// The device that stores a tensor and runs its ops.
struct Device {
    /// The kind of a device.
    enum class Kind : std::uint8_t {
        cpu,  ///< the host
        cuda  ///< a CUDA device, real or emulated
    };
    Kind kind = Kind::cpu;  ///< CPU or CUDA
    int index = 0;          ///< number of the CUDA device, from 0; 0 for the CPU

    /// Parses "cpu", "cuda" or "cuda:N". Throws Error for any other text.
    static Device parse(std::string_view text);
    /// "cpu" or "cuda:N".
    std::string str() const;
    friend bool operator==(const Device&, const Device&) = default;
};

/// A block of bytes from a device's caching allocator, released together with the last tensor that shares it.
class Storage {
public:
    /// Allocates `bytes` bytes, uninitialised and aligned to 64 bytes, from `device`'s allocator. Throws OutOfMemory,
    /// or Error when this build does not support the device.
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

    /// The number of in-place writes so far. backward() compares it with the number at the time when a tensor was
    /// saved.
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

/// While the object exists, records the storages of the tensors that are written in place on this thread. Only one may
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

/// While the object exists, tensors created on this thread may allocate at most the given number of bytes in total,
/// including bytes that have been freed since; an allocation beyond the limit throws Error. For building a network from
/// a file that is not trusted. Objects can be nested; the innermost is in effect.
class MemoryLimit {
public:
    /// Starts counting from 0.
    explicit MemoryLimit(std::size_t bytes);
    ~MemoryLimit();
    MemoryLimit(const MemoryLimit&) = delete;
    MemoryLimit& operator=(const MemoryLimit&) = delete;
    /// Called with the size of every new Storage. Throws Error when the limit is exceeded.
    static void take(std::size_t bytes);

private:
    std::size_t left_;
    MemoryLimit* outer_;
};

}  // namespace radial
