// Copies between the host and devices, through a ring of pinned buffers.
#include "radial/core/memory/transfer.h"

#include "radial/core/memory/device_runtime.h"
#include "radial/core/util/error.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

namespace radial {
namespace {

/// Pinned buffers. Each is free again once the copy that reads it has run.
class Staging {
public:
    /// Copies host bytes to device `index` through a pinned buffer.
    void send(int index, void* to, const void* from, std::size_t bytes) {
        const std::lock_guard lock(mutex_);
        Buffer& buffer = free_buffer(bytes);
        std::memcpy(buffer.memory.get(), from, bytes);
        device::copy(index, to, buffer.memory.get(), bytes);
        buffer.read = device::mark(index);
    }

private:
    struct Release {
        void operator()(void* block) const { device::release_pinned(block); }
    };
    struct Buffer {
        std::unique_ptr<void, Release> memory;
        std::size_t bytes = 0;
        std::unique_ptr<device::Event> read;
    };

    Buffer& free_buffer(std::size_t bytes) {
        const auto fits = [&](const Buffer& b) { return b.bytes >= bytes && b.bytes < 4 * bytes + 4096; };
        const auto found = std::find_if(buffers_.begin(), buffers_.end(),
                                        [&](const Buffer& b) { return fits(b) && b.read->reached(); });
        if (found != buffers_.end()) return *found;
        // Drops buffers of sizes that are no longer requested.
        std::erase_if(buffers_, [&](const Buffer& b) { return buffers_.size() > most_buffers && b.read->reached(); });
        return buffers_.emplace_back(Buffer{std::unique_ptr<void, Release>(device::allocate_pinned(bytes)), bytes, {}});
    }

    static constexpr std::size_t most_buffers = 16;
    std::mutex mutex_;
    std::vector<Buffer> buffers_;
};

// Never destroyed: copies may still read its buffers when the process ends.
Staging& staging() {
    static auto* const instance = new Staging;  // NOLINT(cppcoreguidelines-owning-memory)
    return *instance;
}

/// Copies device bytes to the host through one pinned buffer, in pieces, and waits for each piece.
void receive(int index, void* to, const void* from, std::size_t bytes) {
    constexpr std::size_t piece = std::size_t{4} << 20;
    static std::mutex mutex;
    static void* const buffer = device::allocate_pinned(piece);
    const std::lock_guard lock(mutex);
    for (std::size_t done = 0; done < bytes; done += piece) {
        const std::size_t length = std::min(piece, bytes - done);
        device::copy(index, buffer, static_cast<const std::byte*>(from) + done, length);
        synchronize({Device::Kind::cuda, index});
        std::memcpy(static_cast<std::byte*>(to) + done, buffer, length);
    }
}

}  // namespace

void synchronize(Device device) {
    if (device.kind == Device::Kind::cpu) return;
    device::synchronize(device.index);
    device::Fault& fault = *device::fault(device.index);
    if (fault.raised == 0) return;
    const device::Fault seen = fault;
    fault.raised = 0;
    throw Error(
        fmt::format("{}: index {} of sample {} is outside [0, {})", device.str(), seen.value, seen.sample, seen.limit));
}

void transfer(Device to_device, void* to, Device from_device, const void* from, std::size_t bytes) {
    if (bytes == 0) return;
    const bool to_host = to_device.kind == Device::Kind::cpu, from_host = from_device.kind == Device::Kind::cpu;
    if (to_host && from_host) {
        std::memcpy(to, from, bytes);
        return;
    }
    if (to_device == from_device) return device::copy(to_device.index, to, from, bytes);
    const int index = to_host ? from_device.index : to_device.index;
    RADIAL_CHECK(!device::capturing(index),
                 "cuda:{}: {} bytes cannot be copied {} the device while a graph is captured", index, bytes,
                 to_host ? "from" : "to");
    if (from_host) return staging().send(index, to, from, bytes);
    if (to_host) return receive(index, to, from, bytes);
    // Copies between devices go through the host.
    std::vector<std::byte> between(bytes);
    receive(from_device.index, between.data(), from, bytes);
    staging().send(to_device.index, to, between.data(), bytes);
}

}  // namespace radial
