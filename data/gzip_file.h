// A file read front to back, gunzipped on the way when it is gzipped.
#pragma once

#include "radial/core/util/error.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

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

}  // namespace radial::data
