// Which device something lies on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace radial {

/// Where a tensor lives and its ops run.
struct Device {
    enum class Kind : std::uint8_t { cpu, cuda };
    Kind kind = Kind::cpu;
    int index = 0;

    /// Reads "cpu", "cuda" or "cuda:N". Throws Error for anything else.
    static Device parse(std::string_view text);
    std::string str() const;
    friend bool operator==(const Device&, const Device&) = default;
};

}  // namespace radial
