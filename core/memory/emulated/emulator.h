// What tests may ask of the emulated device.
#pragma once

#include <cstddef>

namespace radial::emulated {

/// Makes the device's memory `bytes` large, 0 for its whole size.
void set_memory(std::size_t bytes);
/// Submissions that wait to be run.
std::size_t pending();
/// Times that the host waited for the device, since the process began.
std::size_t waits();

}  // namespace radial::emulated
