// Keeping a second process out of a folder that one is at work in.
#pragma once

#include <cstdint>
#include <filesystem>

namespace radial::train {

/// Holds a folder for as long as it lives, by flock() on the file .lock in it. The file stays, the lock goes with the
/// process, however that ends. On a file system without such locks nothing is held.
class FolderLock {
public:
    /// Whether processes that this one starts hold the folder, too, until they have ended.
    enum class Children : std::uint8_t { let_go, hold };

    /// Throws FileError when another process holds the folder, naming that process, or when .lock cannot be made.
    explicit FolderLock(const std::filesystem::path& folder, Children children = Children::let_go);
    ~FolderLock();
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;

private:
    int file_;
};

}  // namespace radial::train
