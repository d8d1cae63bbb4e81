// Writes the files of a run, deletes those of an earlier run, and locks the folder with flock().
#include "radial/apps/cli/run/run_folder.h"

#include "radial/apps/train/console/safe_text.h"
#include "radial/apps/train/events/tensorboard.h"
#include "radial/apps/train/run/json_text.h"
#include "radial/apps/train/run/snapshots.h"
#include "radial/core/io/files.h"
#include "radial/core/util/error.h"

#include <fmt/ranges.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

namespace radial::train {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// The description of this process in a lock file, such as "process 4711 on a-host".
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
    // The text is only for messages, so it does not matter if the disk is too full for it.
    [[maybe_unused]] const bool written =
        ftruncate(file_, 0) == 0 && pwrite(file_, holder.data(), holder.size(), 0) >= 0;
}

FolderLock::~FolderLock() { close(file_); }

namespace {

[[noreturn]] void fail(const fs::path& path, const char* what, int code) {
    throw FileError(fmt::format("{}: {}: {}", path.string(), what, std::strerror(code)));
}

/// Writes all of `text` at the offset `begin`, and syncs the file. Returns false when that fails.
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

constexpr std::string_view failed_step = "failed-step-";
/// The files that a run writes besides snapshots, events and failed steps. config.json is deleted first, so that a run
/// that could only be deleted in part cannot be resumed.
constexpr std::array files_of_run = {"config.json", "checkpoint.safetensors", "best.safetensors", "report.html",
                                     "metrics.jsonl"};

/// The names in `folder` that `wanted` accepts, in alphabetical order.
template <class F>
std::vector<std::string> names_in(const fs::path& folder, const F& wanted) {
    std::vector<std::string> names;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folder, none))
        if (const std::string name = entry.path().filename().string(); wanted(name)) names.push_back(name);
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<std::string> failed_steps(const fs::path& folder) {
    return names_in(folder, [](const std::string& name) { return name.starts_with(failed_step); });
}

void remove_file(const fs::path& file) {
    std::error_code error;
    fs::remove(file, error);
    if (error) throw FileError(fmt::format("{}: cannot be deleted: {}", file.string(), error.message()));
}

/// Deletes temporary files of a run that was killed while it was writing them.
void remove_temporaries(const fs::path& folder) {
    const auto unfinished = [](const std::string& name) {
        const bool ours = name.starts_with(failed_step) ||
                          std::any_of(files_of_run.begin(), files_of_run.end(),
                                      [&](const char* file) { return name.starts_with(std::string(file) + '.'); });
        return ours && name.ends_with(".tmp");
    };
    for (const std::string& name : names_in(folder, unfinished)) remove_file(folder / name);
}

void remove_run(const fs::path& folder) {
    for (const char* const name : files_of_run) remove_file(folder / name);
    Snapshots(folder, 1).clear();
    for (const std::string& name : failed_steps(folder)) remove_file(folder / name);
    remove_event_files(folder / "events");
}

/// The config.json of a run; null if there is none.
Json config_of(const fs::path& folder) {
    Json config = read_json(folder / "config.json");
    return config.is_object() && config.contains("program") && config.value("options", Json()).is_object() ? config
                                                                                                           : Json();
}

/// Lists what a new run would delete. A run that was killed before its first snapshot has nothing to lose: only
/// settings and an empty metrics.jsonl.
std::vector<std::string> what_is_held(const fs::path& folder) {
    std::vector<std::string> held;
    for (const std::string_view name : files_of_run) {
        std::error_code error;
        const fs::file_status status = fs::status(folder / name, error);
        const bool nothing = !fs::exists(status) || (name == "config.json" && !config_of(folder).is_null()) ||
                             (fs::is_regular_file(status) && fs::file_size(folder / name, error) == 0);
        if (!nothing) held.emplace_back(name);
    }
    const auto count = [&](std::size_t files, const char* what) {
        if (files > 0) held.push_back(fmt::format("{} {}{}", files, what, files == 1 ? "" : "s"));
    };
    count(Snapshots(folder, 1).files().size(), "snapshot");
    count(failed_steps(folder).size(), "failed step");
    count(event_files(folder / "events").size(), "event file");
    return held;
}

/// " of 3 of 8 epochs", or "" if that cannot be read.
std::string progress_of(const fs::path& folder) {
    const Json config = config_of(folder);
    const Json planned = config.is_null() ? Json() : config.at("options").value("epochs", Json());
    std::error_code error;
    if (!planned.is_number() || !fs::is_regular_file(folder / "metrics.jsonl", error)) return "";
    std::ifstream metrics(folder / "metrics.jsonl");
    const auto done = std::count(std::istreambuf_iterator<char>(metrics), {}, '\n');
    return fmt::format(" of {} of {} epochs", done, planned.dump());
}

void refuse_run(const fs::path& folder) {
    const std::vector<std::string> held = what_is_held(folder);
    if (held.empty()) return;
    const bool can_resume = !config_of(folder).is_null() && !Snapshots(folder, 1).files().empty();
    const std::string what =
        config_of(folder).is_null() ? "files that a new run would delete" : "a run" + progress_of(folder);
    throw FileError(fmt::format("{}: holds {} ({}): {}choose another --out, or delete what is there by --overwrite",
                                folder.string(), what, fmt::join(held, ", "),
                                can_resume ? fmt::format("go on with it by --resume {}, ", shell_word(folder)) : ""));
}

}  // namespace

RunFolder::RunFolder(fs::path folder, EarlierRun earlier) : folder_(std::move(folder)), earlier_(earlier) {
    if (folder_.empty()) throw FileError("--out: an empty folder name");
    std::error_code error;
    if (fs::is_directory(folder_, error)) take();
}

RunFolder::~RunFolder() {
    if (metrics_ >= 0) close(metrics_);
}

void RunFolder::take() {
    if (!lock_) lock_.emplace(folder_);
    if (earlier_ == EarlierRun::refused) refuse_run(folder_);
}

void RunFolder::begin() {
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error) throw FileError(fmt::format("{}: cannot make the output folder: {}", folder_.string(), error.message()));
    take();
    remove_run(folder_);
    remove_temporaries(folder_);
    // Opening the log proves that files can be created here.
    open_metrics(O_CREAT | O_TRUNC);
}

void RunFolder::go_on(const std::vector<Json>& metrics) {
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

}  // namespace radial::train
