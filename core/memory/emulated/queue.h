// The emulated device's stream: what is submitted waits until somebody waits for it.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

namespace radial::emulated {

/// Submits `work`, which runs later with the device's memory accessible, or is recorded while capturing.
void submit(int index, std::function<void()> work);
/// Throws Error when one of the words of a kernel's functor is an address of host memory, which a device cannot read.
/// `kernel` names it.
void check_arguments(std::span<const std::byte> functor, const char* kernel);

}  // namespace radial::emulated
