// Fuzz target: any bytes, read as a file of MNIST, packed or not, give a tensor or a FileError.
#include "radial/data/idx.h"

#include "memory_file.h"

namespace radial::fuzz {

void idx(Bytes bytes) {
    tolerate([&] { data::read_idx(MemoryFile(bytes).path()); });
    tolerate([&] { data::read_idx(MemoryFile(gzipped(bytes)).path()); });
}

}  // namespace radial::fuzz
