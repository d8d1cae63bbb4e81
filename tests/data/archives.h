// Functions that create tar archives and gzip streams for tests.
#pragma once

#include "scratch.h"

#include <zlib.h>

#include <fmt/core.h>

#include <numeric>
#include <string>

namespace radial::test {

/// `bytes` as a gzip stream.
inline std::string gzipped(const std::string& bytes) {
    const Scratch scratch;
    const std::filesystem::path path = scratch.path() / "x.gz";
    const gzFile file = gzopen(path.c_str(), "wb");
    gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(file);
    return content_of(path);
}

/// A ustar header block for a member of this type and size, with the correct checksum.
inline std::string tar_header(const std::string& name, std::size_t size, char type = '0',
                              const std::string& prefix = "") {
    std::string block(512, '\0');
    const auto put = [&block](std::size_t at, const std::string& text) { block.replace(at, text.size(), text); };
    put(0, name);
    put(100, "0000644");
    put(124, fmt::format("{:011o}", size));
    put(136, "00000000000");
    put(148, "        ");
    block[156] = type;
    put(257, std::string("ustar\0", 6) + "00");
    put(345, prefix);
    const unsigned sum = std::accumulate(block.begin(), block.end(), 0U,
                                         [](unsigned s, char c) { return s + static_cast<unsigned char>(c); });
    put(148, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
    return block;
}

/// A member: header, content, and zeros up to a multiple of the block size.
inline std::string tar_member(const std::string& name, const std::string& content, char type = '0') {
    return tar_header(name, content.size(), type) + content + std::string((512 - content.size() % 512) % 512, '\0');
}

/// The two blocks of zeros at the end of an archive.
inline std::string tar_end() { return std::string(1024, '\0'); }

}  // namespace radial::test
