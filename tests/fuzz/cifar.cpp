// Fuzz target: reads any bytes as CIFAR's archive. The result must be images or a FileError.
#include "radial/data/cifar.h"

#include "memory_file.h"

namespace radial::fuzz {

void cifar(Bytes bytes) {
    const MemoryFile file(bytes);
    tolerate([&] { data::read_cifar10(file.path(), false); });
    tolerate([&] { data::read_cifar100(file.path(), true); });
}

}  // namespace radial::fuzz
