// fork and exec of /proc/self/exe.
#include "radial/apps/sweep/child_process.h"

#include "radial/core/util/error.h"

#include <fmt/core.h>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <thread>

namespace radial::train {
namespace {

/// In the child: only calls that are safe between fork and exec.
[[noreturn]] void become(char* const* arguments, int output, pid_t parent) {
    setpgid(0, 0);  // Ctrl-C is for the parent, which passes it on
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(128 + SIGTERM);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execv("/proc/self/exe", arguments);
    _exit(127);
}

/// What is new in a growing file, in whole lines.
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

}  // namespace

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

}  // namespace radial::train
