// libFuzzer target: any bytes, read as a safetensors file, parse or give a FileError.
//
// clang++ -fsanitize=fuzzer,address,undefined; a good first corpus is tests/golden/*.safetensors.
#include "radial/core/checkpoint.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
    const int file = memfd_create("input.safetensors", MFD_CLOEXEC);
    if (file < 0 || write(file, bytes, count) != static_cast<ssize_t>(count)) std::abort();
    try {
        radial::read_safetensors("/proc/self/fd/" + std::to_string(file));
    } catch (const radial::FileError&) {
    }
    close(file);
    return 0;
}
