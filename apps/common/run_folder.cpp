// Files of a run, each complete or absent.
#include "radial/apps/common/run_folder.h"

#include "radial/apps/common/event_file.h"
#include "radial/core/atomic_file.h"
#include "radial/core/error.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace radial::apps {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const char* what, int code) {
    throw FileError(fmt::format("{}: {}: {}", path.string(), what, std::strerror(code)));
}

/// Writes all of `text` behind the first `begin` bytes, and syncs.
bool write_at(int file, std::int64_t begin, std::string_view text) {
    while (!text.empty()) {
        const ssize_t count = pwrite(file, text.data(), text.size(), begin);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return false;
        begin += count;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return fsync(file) == 0;
}

/// Deletes what a killed run has left of files that it was writing.
void remove_temporaries(const fs::path& folder) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder, ignored))
        if (entry.path().extension() == ".tmp") fs::remove(entry.path(), ignored);
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
    for (const auto& entry : fs::directory_iterator(folder_, error))
        if (entry.path().filename().string().starts_with("failed-step-")) fs::remove(entry.path(), error);
    remove_temporaries(folder_);
    // Opening the log is the proof that files can be made here.
    open_metrics(O_CREAT | O_TRUNC);
}

RunFolder::~RunFolder() {
    if (metrics_ >= 0) close(metrics_);
}

RunFolder::RunFolder(fs::path folder, const std::vector<nlohmann::ordered_json>& metrics) : folder_(std::move(folder)) {
    std::string text;
    for (const auto& line : metrics) text += line.dump() + "\n";
    write_file(folder_ / "metrics.jsonl", text);
    remove_temporaries(folder_);
    written_ = static_cast<std::int64_t>(text.size());
    open_metrics(0);
}

void RunFolder::open_metrics(int flags) {
    metrics_ = open((folder_ / "metrics.jsonl").c_str(), O_WRONLY | O_CLOEXEC | flags, 0666);
    if (metrics_ < 0) fail(folder_, "the output folder cannot be written", errno);
}

void RunFolder::write_config(const nlohmann::ordered_json& config) const {
    write_file(folder_ / "config.json", config.dump(2) + "\n");
}

void RunFolder::append_metrics(const nlohmann::ordered_json& line) {
    waiting_ += line.dump() + "\n";
    struct stat status {};
    if (fstat(metrics_, &status) == 0 && status.st_nlink == 0)
        throw FileError(
            fmt::format("{}: was deleted while the run was writing it", (folder_ / "metrics.jsonl").string()));
    if (!write_at(metrics_, written_, waiting_)) {
        const int error = errno;
        const bool cut = ftruncate(metrics_, written_) == 0;
        fail(folder_ / "metrics.jsonl", cut ? "cannot be written" : "cannot be written, nor cut to its whole lines",
             error);
    }
    written_ += static_cast<std::int64_t>(waiting_.size());
    waiting_.clear();
}

}  // namespace radial::apps
