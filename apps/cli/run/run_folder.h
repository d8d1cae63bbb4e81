// The folder of a run (settings, a log line per epoch, weights, report), and the lock that keeps other processes out of
// it.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace radial::train {

/// Locks a folder for the lifetime of this object, by flock() on the file .lock in the folder. The file stays; the lock
/// ends with the process, however the process ends. On a file system without such locks, nothing is locked.
class FolderLock {
public:
    /// Whether child processes also hold the lock, until they have ended.
    enum class Children : std::uint8_t { let_go, hold };

    /// Throws FileError when another process holds the lock, naming that process, or when .lock cannot be created.
    explicit FolderLock(const std::filesystem::path& folder, Children children = Children::let_go);
    ~FolderLock();
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;

private:
    int file_;
};

/// What to do with a run that is already in the output folder.
enum class EarlierRun : std::uint8_t { refused, replaced, resumed };

/// The output folder of a run. This object locks it against other processes from its construction on, or, if the folder
/// does not exist yet, from begin() on.
class RunFolder {
public:
    /// Locks the folder if it exists, and changes nothing else. Throws FileError when another process is using the
    /// folder. With EarlierRun::refused, also throws FileError when the folder contains files that a new run would
    /// delete; the message lists them and says how to continue.
    RunFolder(std::filesystem::path folder, EarlierRun earlier);
    ~RunFolder();
    RunFolder(const RunFolder&) = delete;
    RunFolder& operator=(const RunFolder&) = delete;

    /// Starts a new run. Call it when the run is ready to train: it creates the folder if it is missing, deletes the
    /// run that is to be replaced, and creates an empty metrics.jsonl. Throws FileError, also when another run has
    /// locked the folder in the meantime.
    void begin();
    /// Continues a run: `metrics` replaces the lines of metrics.jsonl. Throws FileError.
    void go_on(const std::vector<nlohmann::ordered_json>& metrics);

    const std::filesystem::path& path() const { return folder_; }
    std::filesystem::path checkpoint() const { return folder_ / "checkpoint.safetensors"; }
    /// The checkpoint of the epoch with the best test accuracy, the earliest if there are several.
    std::filesystem::path best() const { return folder_ / "best.safetensors"; }
    std::filesystem::path report() const { return folder_ / "report.html"; }
    /// The folder of the event files.
    std::filesystem::path events() const { return folder_ / "events"; }

    /// Writes config.json, the settings with which the run can be repeated.
    void write_config(const nlohmann::ordered_json& config) const;
    /// Appends a line to metrics.jsonl, which is on disk when this function returns. Throws FileError; then the file
    /// ends with its last complete line, and the next call also writes the missing lines.
    void append_metrics(const nlohmann::ordered_json& line);

private:
    void take();
    void open_metrics(int flags);

    std::filesystem::path folder_;
    EarlierRun earlier_;
    std::optional<FolderLock> lock_;
    int metrics_ = -1;          ///< file descriptor of metrics.jsonl
    std::int64_t written_ = 0;  ///< size of the complete lines of metrics.jsonl in bytes
    std::string waiting_;       ///< lines that are not written yet
};

}  // namespace radial::train
