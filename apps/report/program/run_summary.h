// What a run's folder says of the run.
#pragma once

#include "radial/apps/train/trainer.h"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace radial::report {

struct RunSummary {
    std::string name;                             ///< the folder's, or its path where another run has that name too
    std::map<std::string, std::string> settings;  ///< every option, and what the run was made with and on
    std::int64_t epochs_planned = 0;
    std::vector<train::EpochResult> epochs;  ///< those that are done, at least one; NaN for what was not finite

    const train::EpochResult& last() const { return epochs.back(); }
    /// Of the epochs that are done.
    double seconds() const;
    /// The middle one of the epochs' speeds.
    double images_per_second() const;
};

/// Reads config.json and metrics.jsonl of each folder. A last line that is still being written is left out. Throws
/// FileError naming the folder or the file, and the line, where one is no run's or no epoch is done.
std::vector<RunSummary> read_runs(const std::vector<std::filesystem::path>& folders);

}  // namespace radial::report
