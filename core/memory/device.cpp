// Names of devices.
#include "radial/core/memory/device.h"

#include "radial/core/util/error.h"

#include <fmt/format.h>

#include <charconv>

namespace radial {

Device Device::parse(std::string_view text) {
    if (text == "cpu") return {};
    if (text == "cuda") return {Kind::cuda, 0};
    constexpr std::string_view prefix = "cuda:";
    if (text.starts_with(prefix)) {
        int index = -1;
        const char* const last = text.data() + text.size();
        const auto [end, status] = std::from_chars(text.data() + prefix.size(), last, index);
        if (status == std::errc{} && end == last && index >= 0) return {Kind::cuda, index};
    }
    throw Error(fmt::format("device: '{}' is not one of cpu, cuda, cuda:N", text));
}

std::string Device::str() const { return kind == Kind::cpu ? "cpu" : fmt::format("cuda:{}", index); }

}  // namespace radial
