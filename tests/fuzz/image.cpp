// Fuzz target: any bytes, read as a picture, become pixels or give a FileError.
#include "radial/data/images/image.h"

#include "memory_file.h"

namespace radial::fuzz {

void image(Bytes bytes) {
    tolerate([&] { data::decode_image(bytes, "input", {.shorter_side = 16, .max_pixels = 1 << 20}); });
}

}  // namespace radial::fuzz
