// libFuzzer target: any bytes, read as a picture, become pixels or give a FileError.
//
// clang++ -fsanitize=fuzzer,address,undefined; a good first corpus is what tests/golden/images.safetensors holds.
#include "radial/data/image.h"

#include <cstddef>
#include <cstdint>

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
    try {
        radial::data::decode_image({bytes, count}, "input", {.shorter_side = 16, .max_pixels = 1 << 20});
    } catch (const radial::FileError&) {
    }
    return 0;
}
