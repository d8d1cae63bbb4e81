// Fuzz target: reads any bytes as an image. The result must be pixels or a FileError.
#include "radial/data/images/image.h"

#include "memory_file.h"

namespace radial::fuzz {

void image(Bytes bytes) {
    tolerate([&] { data::decode_image(bytes, "input", {.shorter_side = 16, .max_pixels = 1 << 20}); });
}

}  // namespace radial::fuzz
