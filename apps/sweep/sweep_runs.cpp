// Turns a cell of a table into a folder with a trained run, with fork() and exec() of /proc/self/exe.
#include "radial/apps/sweep/sweep_runs.h"

#include "radial/apps/cli/image_task.h"
#include "radial/apps/cli/registry_options.h"
#include "radial/apps/cli/run/run_saver.h"
#include "radial/apps/train/run/json_text.h"
#include "radial/apps/train/run/snapshots.h"
#include "radial/core/backend/backend.h"
#include "radial/core/io/files.h"
#include "radial/core/util/error.h"

#include <fmt/core.h>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

namespace radial::train {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* failure_file = "failure.txt";

/// Runs in the child: makes only calls that are safe between fork() and exec().
[[noreturn]] void become(char* const* arguments, int output, pid_t parent) {
    setpgid(0, 0);  // Ctrl-C goes only to the parent, which passes it on
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(128 + SIGTERM);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execv("/proc/self/exe", arguments);
    _exit(127);
}

/// Reads the whole lines that have been appended to a file since the last call.
class NewLines {
public:
    explicit NewLines(const std::filesystem::path& path) : file_(path) { file_.seekg(0, std::ios::end); }
    void each(const std::function<void(const std::string&)>& line) {
        file_.clear();
        for (char c = 0; file_.get(c);) {
            if (c != '\n') {
                begun_ += c;
            } else {
                line(begun_);
                begun_.clear();
            }
        }
    }

private:
    std::ifstream file_;
    std::string begun_;
};

/// Runs another instance of this program, under the name `name`, with `arguments`. Waits for its end and returns its
/// exit status, or 128 + the signal that ended it. Its output is appended to `log`, and each line is passed to `line`
/// within a fifth of a second. A signal that `signals` receives meanwhile is passed on once. The child does not get
/// signals of the terminal, and is sent SIGTERM if this process ends first. Throws FileError when `log` cannot be
/// written.
int run_this_program(const std::string& name, const std::vector<std::string>& arguments,
                     const std::filesystem::path& log, const SignalWatch& signals,
                     const std::function<void(const std::string&)>& line) {
    std::vector<std::string> words = {name};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    pointers.reserve(words.size() + 1);
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);

    const int output = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (output < 0) throw FileError(fmt::format("{}: cannot be written: {}", log.string(), std::strerror(errno)));
    NewLines lines(log);
    const pid_t parent = getpid(), child = fork();
    if (child == 0) become(pointers.data(), output, parent);
    close(output);
    RADIAL_CHECK(child > 0, "no process for {}: {}", name, std::strerror(errno));
    int status = 0, passed_on = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (const int signal = signals.received(); signal != passed_on) kill(child, passed_on = signal);
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        lines.each(line);
    }
    lines.each(line);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// The content of a file of a run; "" if it does not exist.
std::string read_text(const fs::path& path) {
    constexpr std::size_t most = std::size_t{256} << 20U;
    return fs::exists(path) ? read_file(path, most) : "";
}

/// Parses JSON. Incomplete text, such as that of a file that was still being written, gives a discarded value.
Json parsed(const std::string& text) {
    try {
        return parse_json(text);
    } catch (const Error&) {
        return Json::value_t::discarded;
    }
}

void add(std::vector<std::string>& arguments, const std::string& option, const std::string& value) {
    arguments.push_back(fmt::format("--{}={}", option, value));
}

std::vector<std::string> settings_for(const PaperRun& cell, const SweepOptions& options, std::uint64_t seed) {
    std::vector<std::string> arguments;
    if (!cell.recipe.empty()) add(arguments, "recipe", cell.recipe);
    for (const auto& [option, value] : cell.options) add(arguments, option, value);
    if (options.epochs > 0) add(arguments, "epochs", fmt::format("{}", options.epochs));
    if (options.limit > 0) add(arguments, "limit", fmt::format("{}", options.limit));
    add(arguments, "precision", name_of(options.precision));
    add(arguments, "seed", fmt::format("{}", seed));
    for (const std::string& each : options.set) {
        RADIAL_CHECK(each.find('=') != std::string::npos && each.front() != '-' && each.front() != '=',
                     "--set: '{}' is not NAME=VALUE, as lr=0.1", each);
        arguments.push_back("--" + each);
    }
    return arguments;
}

std::vector<std::string> place_for(const PaperTable& table, const SweepOptions& options) {
    std::vector<std::string> arguments;
    if (table.result == SweepResult::distances) arguments = {"--save-steps=20", "--keep-saves=1000"};
    if (!options.data.empty()) add(arguments, "data", options.data.string());
    add(arguments, "device", options.device);
    const std::int64_t share = options.jobs > 1 ? std::max<std::int64_t>(1, available_cores() / options.jobs) : 0;
    add(arguments, "threads", fmt::format("{}", options.threads > 0 ? options.threads : share));
    add(arguments, "workers", fmt::format("{}", options.workers));
    return arguments;
}

/// The last line of a log that is not empty.
std::string last_line(const fs::path& log) {
    std::istringstream file(read_text(log));
    std::string found;
    for (std::string line; std::getline(file, line);)
        if (!line.empty()) found = line;
    return found;
}

}  // namespace

std::vector<SweepRun> runs_of(const PaperTable& table, const SweepOptions& options) {
    std::vector<SweepRun> runs;
    std::string names;
    for (const PaperRun& cell : table.runs) names += (names.empty() ? "" : ", ") + cell.name;
    for (std::uint64_t seed = 1; seed <= static_cast<std::uint64_t>(options.seeds); ++seed) {
        for (const PaperRun& cell : table.runs) {
            if (cell.name.find(options.only) == std::string::npos) continue;
            runs.push_back({.cell = cell,
                            .seed = seed,
                            .folder = options.out / fmt::format("{}-seed{}", cell.name, seed),
                            .settings = settings_for(cell, options, seed),
                            .place = place_for(table, options)});
        }
    }
    RADIAL_CHECK(!runs.empty() || table.runs.empty(), "--only: no run of {} is called '{}'; they are {}", table.id,
                 options.only, names);
    return runs;
}

RunState state_of(const fs::path& folder) {
    RunState state{.failure = read_text(folder / failure_file)};
    const Json config = parsed(read_text(folder / "config.json"));
    if (config.is_discarded()) return state;
    try {
        state.epochs = whole_number<std::int64_t>(config.at("options"), "epochs");
        if (config.at("options").contains("patience"))
            state.patience = whole_number<std::int64_t>(config.at("options"), "patience");
        std::istringstream metrics(read_text(folder / "metrics.jsonl"));
        for (std::string text; std::getline(metrics, text);) {
            const Json line = parsed(text);
            if (line.is_discarded()) break;  // the line was being written when the run was killed
            state.epochs_done = whole_number<std::int64_t>(line, "epoch");
            state.last = real_number(line, "test_accuracy");
            state.best = real_number(line, "best_accuracy");
            state.last_loss = real_number(line, "test_loss");
            state.best_epoch = whole_number<std::int64_t>(line, "best_epoch");
            state.seconds += line.at("seconds").get<double>();
        }
    } catch (const std::exception& error) {
        throw FileError(
            fmt::format("{}: config.json or metrics.jsonl is not that of a run: {}", folder.string(), error.what()));
    }
    return state;
}

void check_settings(const ImageTask& task, const SweepRun& run) {
    const Json now = train_settings(task, run.settings);
    const Json config = parsed(read_text(run.folder / "config.json"));
    if (config.is_discarded() || !config.contains("options")) return;
    const Json there = options_of_this_version(config.at("options"));
    for (const auto& [option, value] : there.items()) {
        const auto found = now.find(option);
        const bool same = found != now.end() && *found == value;
        RADIAL_CHECK(same || may_differ(option),
                     "{}: --{} is {} there, and {} for this sweep: give another --out, or delete the folder",
                     run.folder.string(), option, value.dump(), found == now.end() ? "not given" : found->dump());
    }
}

void train_run(const ImageTask& task, const SweepRun& run, const SignalWatch& signals,
               const std::function<void(const std::string&)>& line) {
    const bool begun = state_of(run.folder).epochs > 0 && !Snapshots(run.folder, 1).files().empty();
    std::vector<std::string> arguments = {"train"};
    if (begun)
        add(arguments, "resume", run.folder.string());
    else
        add(arguments, "out", run.folder.string());
    if (!begun) arguments.insert(arguments.end(), run.settings.begin(), run.settings.end());
    arguments.insert(arguments.end(), run.place.begin(), run.place.end());

    std::error_code error;
    fs::create_directories(run.folder, error);
    RADIAL_CHECK(!error, "{}: cannot make the run's folder: {}", run.folder.string(), error.message());
    fs::remove(run.folder / failure_file, error);
    const fs::path log = run.folder / "output.log";
    const int status = run_this_program(task.program, arguments, log, signals, [&](const std::string& text) {
        if (text.find(": loss ") != std::string::npos || text.starts_with("resumed ")) line(text);
    });
    if (status == 0 || signals.received() != 0) return;
    const std::string said = last_line(log);
    write_file(run.folder / failure_file, said.starts_with(task.program) ? said
                                          : status > 128 ? fmt::format("ended by signal {}", status - 128)
                                                         : fmt::format("exit status {}", status));
}

}  // namespace radial::train
