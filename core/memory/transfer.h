// Copies bytes between the host and a device.
#pragma once

#include "radial/core/memory/storage.h"

#include <cstddef>

namespace radial {

/// Copies `bytes` bytes. A copy to a device goes through pinned memory and returns before it has run; `from` may be
/// modified immediately. A copy from a device waits, and throws Error if earlier work on the device has failed. Throws
/// Error while a graph is being captured, because the host side of a copy cannot be part of a graph.
void transfer(Device to_device, void* to, Device from_device, const void* from, std::size_t bytes);

/// Waits until everything submitted to `device` has run. Does nothing on the CPU. Throws Error if any of that work
/// failed.
void synchronize(Device device);

}  // namespace radial
