// Reads whole files through stdio, and writes files under a temporary name that is then renamed.
#include "radial/core/io/files.h"

#include "radial/core/util/error.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <system_error>

namespace radial {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, int error) {
    throw FileError(fmt::format("{}: cannot be written: {}", path.string(), std::generic_category().message(error)));
}

/// A file with a unique name beside `target`. It is removed in the destructor unless it has been renamed to `target`.
class TemporaryFile {
public:
    explicit TemporaryFile(const std::filesystem::path& target) : target_(target) {
        for (int attempt = 0; descriptor_ < 0; ++attempt) {
            name_ = fmt::format("{}.{}.{}.tmp", target.string(), getpid(), attempt);
            descriptor_ = open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
            if (descriptor_ < 0 && errno != EEXIST) fail(target_, errno);
        }
    }
    ~TemporaryFile() {
        if (descriptor_ >= 0) close(descriptor_);
        if (!renamed_) unlink(name_.c_str());
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;

    void write(std::span<const std::byte> bytes) {
        while (!bytes.empty()) {
            const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) fail(target_, errno);
            bytes = bytes.subspan(static_cast<std::size_t>(written));
        }
    }

    void rename_to_target() {
        if (fsync(descriptor_) != 0) fail(target_, errno);
        const int closed = close(descriptor_);
        descriptor_ = -1;
        if (closed != 0 || std::rename(name_.c_str(), target_.c_str()) != 0) fail(target_, errno);
        renamed_ = true;
    }

private:
    std::filesystem::path target_;
    std::string name_;
    int descriptor_ = -1;
    bool renamed_ = false;
};

/// Makes the rename durable. The new file is already in place, and some file systems cannot sync a folder, so a failure
/// is not an error.
void sync_folder(const std::filesystem::path& folder) {
    const int descriptor = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    fsync(descriptor);
    close(descriptor);
}

}  // namespace

namespace fs = std::filesystem;

void check_regular_file(const fs::path& path) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (status.type() == fs::file_type::not_found) throw FileError(path.string() + ": no such file");
    if (error) throw FileError(fmt::format("{}: cannot open: {}", path.string(), error.message()));
    if (!fs::is_regular_file(status)) throw FileError(path.string() + ": not a regular file");
}

std::string read_file(const fs::path& path, std::size_t most) {
    check_regular_file(path);
    const auto close = [](std::FILE* file) { std::fclose(file); };
    const std::unique_ptr<std::FILE, decltype(close)> file(std::fopen(path.c_str(), "rb"), close);
    if (file == nullptr) throw FileError(fmt::format("{}: cannot open: {}", path.string(), std::strerror(errno)));
    // Files in /proc report a size of 0, so the size is only a first guess.
    std::error_code unknown;
    const auto size = fs::file_size(path, unknown);
    std::string content;
    const auto too_long = [&] { return FileError(fmt::format("{}: longer than {} bytes", path.string(), most)); };
    if (!unknown && size > most) throw too_long();
    std::size_t step = unknown ? 4096 : static_cast<std::size_t>(size) + 1;
    while (content.size() <= most) {
        const std::size_t held = content.size();
        content.resize(std::min(held + step, most + 1));
        const std::size_t got = std::fread(content.data() + held, 1, content.size() - held, file.get());
        const bool ended = held + got < content.size();
        content.resize(held + got);
        if (std::ferror(file.get()) != 0)
            throw FileError(fmt::format("{}: cannot read: {}", path.string(), std::strerror(errno)));
        if (ended) return content;
        step = content.size() + 4096;
    }
    throw too_long();
}

void write_file(const std::filesystem::path& path, std::span<const std::span<const std::byte>> parts) {
    // The rename would replace a device or a pipe by a regular file. (If `path` is a folder, the rename fails.)
    std::error_code ignored;
    const auto type = std::filesystem::status(path, ignored).type();
    using enum std::filesystem::file_type;
    if (type == character || type == block || type == fifo || type == socket)
        throw FileError(path.string() + ": cannot be written: it is not a regular file");
    TemporaryFile file(path);
    for (const std::span<const std::byte> part : parts) file.write(part);
    file.rename_to_target();
    sync_folder(path.parent_path());
}

void write_file(const std::filesystem::path& path, std::string_view text) {
    const std::span<const std::byte> part = std::as_bytes(std::span(text));
    write_file(path, std::span(&part, 1));
}

}  // namespace radial
