// Files of a run, each complete or absent.
#include "radial/apps/common/run_folder.h"

#include "radial/apps/common/event_file.h"
#include "radial/core/atomic_file.h"
#include "radial/core/error.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace radial::apps {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const char* what, int code) {
    throw FileError(fmt::format("{}: {}: {}", path.string(), what, std::strerror(code)));
}

bool write_all(std::FILE* file, std::string_view text) {
    return std::fwrite(text.data(), 1, text.size(), file) == text.size() && std::fflush(file) == 0 &&
           fsync(fileno(file)) == 0;
}

}  // namespace

RunFolder::RunFolder(fs::path folder) : folder_(std::move(folder)) {
    if (folder_.empty()) throw FileError("--out: an empty folder name");
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error) throw FileError(fmt::format("{}: cannot make the output folder: {}", folder_.string(), error.message()));
    for (const char* name : {"config.json", "checkpoint.safetensors", "report.html", "metrics.jsonl"})
        fs::remove(folder_ / name, error);
    remove_event_files(events());
    // Opening the log is the proof that files can be made here.
    open_metrics("wb");
}

RunFolder::RunFolder(fs::path folder, const std::vector<nlohmann::ordered_json>& metrics) : folder_(std::move(folder)) {
    std::string text;
    for (const auto& line : metrics) text += line.dump() + "\n";
    write_file(folder_ / "metrics.jsonl", text);
    open_metrics("ab");
}

void RunFolder::open_metrics(const char* mode) {
    metrics_.reset(std::fopen((folder_ / "metrics.jsonl").c_str(), mode));
    if (metrics_ == nullptr) fail(folder_, "the output folder cannot be written", errno);
}

void RunFolder::write_config(const nlohmann::ordered_json& config) const {
    write_file(folder_ / "config.json", config.dump(2) + "\n");
}

void RunFolder::append_metrics(const nlohmann::ordered_json& line) {
    if (!write_all(metrics_.get(), line.dump() + "\n")) fail(folder_ / "metrics.jsonl", "cannot be written", errno);
}

}  // namespace radial::apps
