// The folder a run writes to: settings, a log line an epoch, weights, report.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace radial::apps {

/// A run's output folder, made and tried before anything long begins.
class RunFolder {
public:
    /// Creates the folder, proves that it can be written and removes an earlier run's files. Throws FileError.
    explicit RunFolder(std::filesystem::path folder);
    ~RunFolder();
    RunFolder(const RunFolder&) = delete;
    RunFolder& operator=(const RunFolder&) = delete;
    /// The folder of a run that goes on, whose metrics.jsonl becomes `metrics`. Throws FileError.
    RunFolder(std::filesystem::path folder, const std::vector<nlohmann::ordered_json>& metrics);

    const std::filesystem::path& path() const { return folder_; }
    std::filesystem::path checkpoint() const { return folder_ / "checkpoint.safetensors"; }
    std::filesystem::path report() const { return folder_ / "report.html"; }
    /// The folder of the event files.
    std::filesystem::path events() const { return folder_ / "events"; }

    /// config.json: how to repeat the run.
    void write_config(const nlohmann::ordered_json& config) const;
    /// One more line of metrics.jsonl, on disk when this returns. Throws FileError; then the file ends with its last
    /// whole line, and the next call writes what is missing too.
    void append_metrics(const nlohmann::ordered_json& line);

private:
    void open_metrics(int flags);

    std::filesystem::path folder_;
    int metrics_ = -1;          ///< file descriptor of metrics.jsonl
    std::int64_t written_ = 0;  ///< bytes of whole lines in it
    std::string waiting_;       ///< lines that are not there yet
};

}  // namespace radial::apps
