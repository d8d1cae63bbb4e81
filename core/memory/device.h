// Identifies the device that a tensor is stored on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

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

}  // namespace radial
