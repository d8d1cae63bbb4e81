// Fuzz target: reads any bytes as a file of MNIST, compressed or not. The result must be a tensor or a FileError.
#include "radial/data/idx.h"

#include "memory_file.h"

namespace radial::fuzz {

void idx(Bytes bytes) {
    tolerate([&] { data::read_idx(MemoryFile(bytes).path()); });
    tolerate([&] { data::read_idx(MemoryFile(gzipped(bytes)).path()); });
}

}  // namespace radial::fuzz
