// Files read front to back: plain, gzipped, and those within a tar archive.
#pragma once

#include "radial/core/util/error.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

struct gzFile_s;

namespace radial::data {

/// Throws a FileError that begins with the file's path.
template <class... Args>
[[noreturn]] void fail_at(const std::filesystem::path& path, fmt::format_string<Args...> format, Args&&... args) {
    throw FileError(path.string() + ": " + fmt::format(format, std::forward<Args>(args)...));
}

/// A regular file, plain or gzipped, which its first bytes tell.
class GzipFile {
public:
    /// Throws FileError when it is missing, no regular file or cannot be opened.
    explicit GzipFile(std::filesystem::path path);
    ~GzipFile();
    GzipFile(const GzipFile&) = delete;
    GzipFile& operator=(const GzipFile&) = delete;

    const std::filesystem::path& path() const { return path_; }
    /// True when the bytes are as in the file. Known after the first read.
    bool plain() const;
    /// Bytes of the file itself.
    std::uintmax_t size() const { return size_; }
    /// Reads up to `count` bytes; fewer only at the end. Throws FileError when the file cannot be read, its gzip stream
    /// is cut short or damaged, or more than 256 MB have come out of it and more than 200 times its size: images do not
    /// shrink like that, files that are made to fill the memory do.
    std::size_t read(std::uint8_t* to, std::size_t count);

private:
    void check_stream() const;

    std::filesystem::path path_;
    std::uintmax_t size_ = 0, read_ = 0;
    gzFile_s* file_ = nullptr;
};

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
