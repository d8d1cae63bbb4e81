// Fuzz target: reads any bytes as a safetensors file. The result must be tensors or a FileError.
#include "radial/core/io/safetensors.h"

#include "memory_file.h"

namespace radial::fuzz {

void safetensors(Bytes bytes) {
    const MemoryFile file(bytes);
    tolerate([&] { read_safetensors(file.path()); });
}

}  // namespace radial::fuzz
