// Fuzz target: reads any bytes as a tar archive, compressed or not. The result must be files or a FileError.
#include "radial/data/archive.h"

#include "memory_file.h"

namespace radial::fuzz {
namespace {

/// Reads every second file and skips the others.
void walk(const std::filesystem::path& path) {
    tolerate([&] {
        data::TarReader reader(path);
        for (bool odd = false; reader.next(); odd = !odd)
            if (odd) reader.read();
    });
}

}  // namespace

void tar_gz(Bytes bytes) {
    const MemoryFile plain(bytes);
    walk(plain.path());
    const std::vector<std::uint8_t> packed = gzipped(bytes);
    walk(MemoryFile(packed).path());
    // Also a truncated stream, and one with a wrong checksum.
    if (packed.size() < 2) return;
    walk(MemoryFile(Bytes(packed).first(packed.size() / 2)).path());
    std::vector<std::uint8_t> damaged = packed;
    damaged[damaged.size() - 5] ^= 1U;
    walk(MemoryFile(damaged).path());
}

}  // namespace radial::fuzz
