// The folder a run writes to (settings, a log line an epoch, weights, report), and keeping a second process out of it.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

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

/// What to do with a run that is already in the output folder.
enum class EarlierRun : std::uint8_t { refused, replaced, resumed };

/// A run's output folder, which no other process gets while this lives.
class RunFolder {
public:
    /// Changes nothing but the lock, and where there is no folder yet, not even that. Throws FileError when another
    /// process is at work in the folder, and, where an earlier run is `refused`, when it holds anything of one that a
    /// new run would delete: what it is and how else to go on.
    RunFolder(std::filesystem::path folder, EarlierRun earlier);
    ~RunFolder();
    RunFolder(const RunFolder&) = delete;
    RunFolder& operator=(const RunFolder&) = delete;

    /// For a new run that is ready to start: makes the folder where it is missing, deletes the run that is to be
    /// replaced, and begins metrics.jsonl. Throws FileError, also when another run has taken the folder meanwhile.
    void begin();
    /// For a run that goes on: its metrics.jsonl becomes `metrics`. Throws FileError.
    void go_on(const std::vector<nlohmann::ordered_json>& metrics);

    const std::filesystem::path& path() const { return folder_; }
    std::filesystem::path checkpoint() const { return folder_ / "checkpoint.safetensors"; }
    /// The checkpoint of the epoch with the best test accuracy, the earliest of several.
    std::filesystem::path best() const { return folder_ / "best.safetensors"; }
    std::filesystem::path report() const { return folder_ / "report.html"; }
    /// The folder of the event files.
    std::filesystem::path events() const { return folder_ / "events"; }

    /// config.json: how to repeat the run.
    void write_config(const nlohmann::ordered_json& config) const;
    /// One more line of metrics.jsonl, on disk when this returns. Throws FileError; then the file ends with its last
    /// whole line, and the next call writes what is missing too.
    void append_metrics(const nlohmann::ordered_json& line);

private:
    void take();
    void open_metrics(int flags);

    std::filesystem::path folder_;
    EarlierRun earlier_;
    std::optional<FolderLock> lock_;
    int metrics_ = -1;          ///< file descriptor of metrics.jsonl
    std::int64_t written_ = 0;  ///< bytes of whole lines in it
    std::string waiting_;       ///< lines that are not there yet
};

}  // namespace radial::train
