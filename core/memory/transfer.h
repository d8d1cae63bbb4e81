// Bytes between the host and a device.
#pragma once

#include "radial/core/memory/storage.h"

#include <cstddef>

namespace radial {

/// Copies `bytes` bytes. To a device, it goes through pinned memory and returns before the copy has run; `from` may be
/// changed at once. From a device it waits, and throws Error for what failed there meanwhile. Throws Error while a
/// graph is being captured: the host's side of a copy cannot be part of one.
void transfer(Device to_device, void* to, Device from_device, const void* from, std::size_t bytes);

/// Waits until everything submitted to `device` has run (nothing to do on the CPU). Throws Error for what failed.
void synchronize(Device device);

}  // namespace radial
