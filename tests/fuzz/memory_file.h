// Files in memory, for readers that need a path.
#pragma once

#include "radial/core/util/error.h"

#include "targets.h"

#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace radial::fuzz {

/// A file with the content `bytes`, which exists during this object's lifetime.
class MemoryFile {
public:
    explicit MemoryFile(Bytes bytes) : descriptor_(memfd_create("input", MFD_CLOEXEC)) {
        const auto count = static_cast<ssize_t>(bytes.size());
        if (descriptor_ < 0 || write(descriptor_, bytes.data(), bytes.size()) != count) std::abort();
    }
    ~MemoryFile() { close(descriptor_); }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

private:
    int descriptor_;
};

/// `bytes` compressed to a gzip stream, so that mutations change the content of the stream.
inline std::vector<std::uint8_t> gzipped(Bytes bytes) {
    z_stream stream{};
    constexpr int level = 1, window_of_gzip = 15 + 16, memory = 8;
    if (deflateInit2(&stream, level, Z_DEFLATED, window_of_gzip, memory, Z_DEFAULT_STRATEGY) != Z_OK) std::abort();
    std::vector<std::uint8_t> packed(deflateBound(&stream, bytes.size()));
    stream.next_in = const_cast<Bytef*>(bytes.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast): zlib's way
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = packed.data();
    stream.avail_out = static_cast<uInt>(packed.size());
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END) std::abort();
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

/// Runs `f` and ignores exceptions of type E.
template <class E = FileError, class F>
void tolerate(F&& f) {
    try {
        f();
    } catch (const E&) {  // NOLINT(bugprone-empty-catch): the correct result for damaged input
    }
}

}  // namespace radial::fuzz
