// The files of a tar archive, plain or gzipped, one after the other.
#pragma once

#include "radial/data/gzip_file.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace radial::data {

/// A regular file in an archive.
struct TarEntry {
    std::string name;  ///< as the archive has it, folders included
    std::uint64_t bytes = 0;
};

/// Walks an archive in the ustar format (POSIX.1-1988) or GNU's or pax's, whose extensions for long names are passed
/// over: an entry then has the short name of its plain header. Never holds more in memory than has arrived.
class TarReader {
public:
    /// Throws FileError as GzipFile does.
    explicit TarReader(const std::filesystem::path& path) : file_(path) {}

    /// The next regular file, or nothing at the archive's end. Throws FileError naming the archive when it is no tar
    /// archive, damaged or truncated.
    std::optional<TarEntry> next();
    /// The content of the file that next() gave, once. Throws FileError when the archive is truncated.
    std::vector<std::uint8_t> read();

private:
    void skip(std::uint64_t count);

    GzipFile file_;
    std::uint64_t left_ = 0;     ///< bytes of the present file that have not been read
    std::uint64_t padding_ = 0;  ///< after it, up to a whole block
    std::uint64_t entries_ = 0;
};

}  // namespace radial::data
