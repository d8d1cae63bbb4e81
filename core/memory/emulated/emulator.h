// The emulated device's stream: submitted work is queued until something waits for it. And what tests may ask of it.
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

/// Makes the device's memory `bytes` large, 0 for its whole size.
void set_memory(std::size_t bytes);
/// Submissions that wait to be run.
std::size_t pending();
/// Times that the host waited for the device, since the process began.
std::size_t waits();

}  // namespace radial::emulated
