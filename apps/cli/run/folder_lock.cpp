// flock() on a file that names its holder.
#include "radial/apps/cli/run/folder_lock.h"

#include "radial/core/util/error.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

namespace radial::train {
namespace {

/// "process 4711 on a-host".
std::string this_process() {
    std::array<char, 256> host{};
    const bool named = gethostname(host.data(), host.size() - 1) == 0 && host[0] != '\0';
    return fmt::format("process {} on {}", getpid(), named ? host.data() : "localhost");
}

std::string content(int file) {
    std::array<char, 512> text{};
    const ssize_t count = pread(file, text.data(), text.size(), 0);
    return {text.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder, Children children)
    : file_(open((folder / ".lock").c_str(), O_RDWR | O_CREAT | (children == Children::hold ? 0 : O_CLOEXEC), 0666)) {
    if (file_ < 0)
        throw FileError(fmt::format("{}: the folder cannot be written: {}", folder.string(), std::strerror(errno)));
    if (flock(file_, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return;  // no locks on this file system
        const std::string holder = content(file_);
        close(file_);
        throw FileError(fmt::format("{}: another process is at work there{}", folder.string(),
                                    holder.empty() ? "" : " (" + holder + ")"));
    }
    const std::string holder = this_process() + (children == Children::hold ? ", or one that it has started" : "");
    // For people to read alone: a disk that is too full for it is no reason to end.
    [[maybe_unused]] const bool written =
        ftruncate(file_, 0) == 0 && pwrite(file_, holder.data(), holder.size(), 0) >= 0;
}

FolderLock::~FolderLock() { close(file_); }

}  // namespace radial::train
