// Copies bytes within and between the host and devices, and waits for a device.
#pragma once

#include "radial/core/memory/storage.h"

#include <cstddef>

namespace radial {

/// Copies `bytes` bytes. For a copy from the host to a device, the function returns before the copy has run; the bytes
/// go through pinned memory, so `from` may be modified immediately. A copy from a device to the host waits, and throws
/// Error if earlier work on the device has failed. Both throw Error while a graph is being captured, because the host
/// side of a copy cannot be part of a graph. A copy within a device is only submitted.
void transfer(Device to_device, void* to, Device from_device, const void* from, std::size_t bytes);

/// Waits until everything submitted to `device` has run. Does nothing on the CPU. Throws Error if any of that work
/// failed.
void synchronize(Device device);

}  // namespace radial
