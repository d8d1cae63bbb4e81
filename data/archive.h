// Sequential reading of files: plain files, gzipped files, and the members of a tar archive.
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

/// A regular file, plain or gzipped. The first bytes of the file determine which.
class GzipFile {
public:
    /// Throws FileError when the file is missing, is not a regular file or cannot be opened.
    explicit GzipFile(std::filesystem::path path);
    ~GzipFile();
    GzipFile(const GzipFile&) = delete;
    GzipFile& operator=(const GzipFile&) = delete;

    const std::filesystem::path& path() const { return path_; }
    /// Whether the file is not compressed. Valid after the first read.
    bool plain() const;
    /// The size of the file on disk in bytes.
    std::uintmax_t size() const { return size_; }
    /// Reads up to `count` bytes, and fewer only at the end of the file. Returns the number of bytes read. Throws
    /// FileError when the file cannot be read or its gzip stream is truncated or damaged. Also throws if decompression
    /// has produced more than 256 MB and more than 200 times the size of the file: images never compress that well,
    /// unlike files made to exhaust memory.
    std::size_t read(std::uint8_t* to, std::size_t count);

private:
    void check_stream() const;

    std::filesystem::path path_;
    std::uintmax_t size_ = 0, read_ = 0;
    gzFile_s* file_ = nullptr;
};

/// A regular file in an archive.
struct TarEntry {
    std::string name;  ///< name in the archive, including folders
    std::uint64_t bytes = 0;
};

/// Iterates over the regular files of an archive in ustar format (POSIX.1-1988) or in the formats of GNU and pax. Their
/// extensions for long names are ignored: an entry has the short name that its plain header contains. Memory use never
/// exceeds the data read so far.
class TarReader {
public:
    /// Throws FileError as GzipFile does.
    explicit TarReader(const std::filesystem::path& path) : file_(path) {}

    /// The next regular file, or nothing at the end of the archive. Throws FileError naming the archive when it is
    /// damaged, truncated or not a tar archive at all.
    std::optional<TarEntry> next();
    /// The content of the file that next() returned. Call it at most once per file. Throws FileError when the archive
    /// is truncated.
    std::vector<std::uint8_t> read();

private:
    void skip(std::uint64_t count);

    GzipFile file_;
    std::uint64_t left_ = 0;     ///< unread bytes of the current file
    std::uint64_t padding_ = 0;  ///< bytes after the current file, up to the next block boundary
    std::uint64_t entries_ = 0;
};

}  // namespace radial::data
