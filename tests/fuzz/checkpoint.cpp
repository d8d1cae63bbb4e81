// Fuzz target: opens a checkpoint with any header. The result must be a classifier or a FileError.
#include "radial/apps/train/run/weights.h"

#include "memory_file.h"

#include <cstring>

namespace radial::fuzz {

void checkpoint(Bytes bytes) {
    if (bytes.size() < 2) return;
    const std::size_t data = bytes[0] + 256U * bytes[1];
    const Bytes header = bytes.subspan(2);
    const std::uint64_t length = header.size();
    std::vector<std::uint8_t> content(sizeof length + length + data);
    std::memcpy(content.data(), &length, sizeof length);
    std::copy(header.begin(), header.end(), content.begin() + sizeof length);
    const MemoryFile file(content);
    tolerate([&] { train::open_weights(file.path(), "", ""); });
}

}  // namespace radial::fuzz
