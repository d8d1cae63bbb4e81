// The stream of the emulated device, whose work is queued until the host waits for it or the queue is full, and hooks
// for tests.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

/// The CUDA device that is emulated on the host.
namespace radial::emulated {

/// Submits `work`, which runs later with access to the device's memory, or is recorded while capturing.
void submit(int index, std::function<void()> work);
/// Throws Error when `functor`, the bytes of a kernel's functor, contains the address of host memory, which a device
/// could not read. `kernel` names the kernel in the message.
void check_arguments(std::span<const std::byte> functor, const char* kernel);

/// Sets the size of the device's memory to `bytes`; 0 restores the full size.
void set_memory(std::size_t bytes);
/// The number of submissions that have not run yet.
std::size_t pending();
/// The number of times that the host has waited for the device since the process began.
std::size_t waits();

}  // namespace radial::emulated
