// The function that libFuzzer calls; it runs the target that RADIAL_FUZZ_TARGET names.
#include "../targets.h"

#include <cstddef>

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
    radial::fuzz::RADIAL_FUZZ_TARGET({bytes, count});
    return 0;
}
