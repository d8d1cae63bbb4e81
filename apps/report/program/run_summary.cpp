// Reading config.json and metrics.jsonl.
#include "radial/apps/report/program/run_summary.h"

#include "radial/apps/train/console/safe_text.h"
#include "radial/apps/train/run/json_numbers.h"
#include "radial/apps/train/run/json_text.h"
#include "radial/core/io/files.h"
#include "radial/core/util/error.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace radial::report {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string read_text(const fs::path& folder, const char* name) {
    const fs::path path = folder / name;
    if (!fs::exists(path))
        throw FileError(fmt::format("{}: not the folder of a run: it has no {}", folder.string(), name));
    constexpr std::size_t most = std::size_t{256} << 20U;  // half a million epochs
    return read_file(path, most);
}

std::vector<train::EpochResult> read_epochs(const fs::path& folder) {
    std::vector<train::EpochResult> epochs;
    const std::string text = read_text(folder, "metrics.jsonl");
    std::size_t begin = 0;
    // What follows the last line's end is still being written.
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
        try {
            epochs.push_back(train::epoch_result(train::parse_json(std::string_view(text).substr(begin, end - begin))));
        } catch (const std::exception&) {
            throw FileError(fmt::format("{}: line {} is not what a run writes for an epoch",
                                        (folder / "metrics.jsonl").string(), epochs.size() + 1));
        }
        begin = end + 1;
    }
    if (epochs.empty()) throw FileError(fmt::format("{}: no epoch of this run is done yet", folder.string()));
    return epochs;
}

RunSummary read_run(const fs::path& folder) {
    if (!fs::exists(folder)) throw FileError(fmt::format("{}: no such folder", folder.string()));
    if (!fs::is_directory(folder)) throw FileError(fmt::format("{}: not a folder", folder.string()));
    RunSummary run;
    const std::string text = read_text(folder, "config.json");
    try {
        const Json config = train::parse_json(text);
        for (const auto& [name, value] : config.at("options").items())
            run.settings[name] = train::text_from_json(value);
        run.settings["(program)"] = train::text_from_json(config.at("program"));
        run.settings["(version)"] = train::text_from_json(config.at("version"));
        run.settings["(device)"] = train::text_from_json(config.at("device_description"));
        run.epochs_planned = train::whole_number<std::int64_t>(config.at("options"), "epochs");
    } catch (const std::exception&) {
        throw FileError(fmt::format("{}: not what a run writes", (folder / "config.json").string()));
    }
    run.epochs = read_epochs(folder);
    return run;
}

/// The last part of a path, whether or not it ends in a slash.
std::string last_part(const fs::path& folder) {
    const fs::path path = fs::absolute(folder).lexically_normal();
    return (path.has_filename() ? path : path.parent_path()).filename().string();
}

}  // namespace

double RunSummary::seconds() const {
    double total = 0;
    for (const train::EpochResult& epoch : epochs) total += epoch.seconds;
    return total;
}

double RunSummary::images_per_second() const {
    std::vector<double> speeds;
    for (const train::EpochResult& epoch : epochs) speeds.push_back(epoch.images_per_second);
    std::sort(speeds.begin(), speeds.end());
    return speeds[(speeds.size() - 1) / 2];
}

std::vector<RunSummary> read_runs(const std::vector<fs::path>& folders) {
    std::vector<RunSummary> runs;
    std::map<std::string, int> uses;
    for (const fs::path& folder : folders) ++uses[last_part(folder)];
    for (const fs::path& folder : folders) {
        runs.push_back(read_run(folder));
        const std::string name = last_part(folder);
        runs.back().name = uses[name] > 1 ? folder.string() : name;
    }
    return runs;
}

}  // namespace radial::report
