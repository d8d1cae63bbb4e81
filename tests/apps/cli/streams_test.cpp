// Tests of programs whose standard streams are closed, full, or not read by any process.
#include "../../expect.h"
#include "../../folders.h"
#include "../weights_folder.h"
#include "radial/apps/train/console/safe_text.h"

#include <stdio_ext.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace radial::test {
namespace {

/// Starts runs of two epochs and their evaluation from a shell, so that the standard streams of the program can be
/// redirected.
class Shell : public TemporaryFolder {
public:
    Shell() { write_patterns(*this / "data", 40, 20); }
    /// Runs a shell command in the programs' folder; returns its exit status.
    int run(const std::string& command) const {
        const DefaultSignals signals;
        const int status = std::system(
            fmt::format("cd {} && unset RADIAL_DATA RADIAL_DEVICE && {}", program_folder(), command).c_str());
        REQUIRE(WIFEXITED(status));
        return WEXITSTATUS(status);
    }
    std::string path(const std::string& name) const { return (*this / name).string(); }
    std::string train(const std::string& name) const {
        return fmt::format("./radial-mnist train --threads 1 --epochs 2 --batch 20 --data {} --out {}", path("data"),
                           path(name));
    }
    std::string eval(const std::string& name) const {
        return fmt::format("./radial-mnist eval --threads 1 --data {} --checkpoint {}/checkpoint.safetensors",
                           path("data"), path(name));
    }
};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a run without standard streams keeps its files whole", "[host][streams]") {
    const Shell shell;
    CHECK(shell.run(shell.train("run") + " <&- >&- 2> " + shell.path("error")) == 0);
    CHECK(read_text(shell / "error") ==
          "radial-mnist train: warning: standard output: cannot be written: Bad file descriptor\n");
    CHECK(shell.run(shell.train("silent") + " <&- >&- 2>&-") == 0);
    CHECK(read_metrics(shell / "run").size() == 2);
    CHECK(read_metrics(shell / "silent").size() == 2);
    CHECK(read_text(shell / "run/checkpoint.safetensors") == read_text(shell / "silent/checkpoint.safetensors"));
}

TEST_CASE("a run goes on to its end when nobody reads its output any more", "[host][streams]") {
    const Shell shell;
    shell.run(fmt::format("({} 2> {}; echo $? > {}) | head -n 1 > /dev/null", shell.train("run"), shell.path("error"),
                          shell.path("status")));
    CHECK(read_text(shell / "status") == "0\n");
    CHECK(read_text(shell / "error") ==
          "radial-mnist train: warning: standard output: cannot be written: Broken pipe\n");
    CHECK(read_metrics(shell / "run").size() == 2);
}

TEST_CASE("a broken pipe is named even if a failed write has left no errno", "[host][streams]") {
    std::fflush(stdout);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        int ends[2];
        std::signal(SIGPIPE, SIG_IGN);
        if (pipe(ends) != 0 || dup2(ends[1], STDOUT_FILENO) < 0 || close(ends[0]) != 0) _exit(2);
        std::printf("text that nobody reads");
        std::fflush(stdout);  // fails; after the next two lines, only the stream's error flag is left
        __fpurge(stdout);
        errno = 0;
        _exit(train::output_error() == std::errc::broken_pipe ? 0 : 1);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("results that do not fit where they are printed are an error", "[host][streams]") {
    const Shell shell;
    const std::string error = shell.path("error");
    REQUIRE(shell.run(shell.train("run") + " > /dev/null") == 0);
    const std::string full = " > /dev/full 2> " + error, closed = " >&- 2> " + error;
    const std::string reason = ": standard output: cannot be written: ";
    CHECK(shell.run(shell.eval("run") + full) == 1);
    CHECK(read_text(error) == "radial-mnist eval" + reason + "No space left on device\n");
    CHECK(shell.run(shell.eval("run") + closed) == 1);
    CHECK(read_text(error) == "radial-mnist eval" + reason + "Bad file descriptor\n");
    CHECK(shell.run("./radial-report " + shell.path("run") + " --out " + shell.path("page") + full) == 1);
    CHECK(read_text(error) == "radial-report" + reason + "No space left on device\n");
    CHECK(shell.run("./radial-models --model resnet20 --summary" + full) == 1);
    CHECK(read_text(error) == "radial-models" + reason + "No space left on device\n");
    CHECK(shell.run("./radial-mnist train --help" + full) == 1);
    CHECK(read_text(error) == "radial-mnist train" + reason + "No space left on device\n");
    CHECK(shell.run("./radial-mnist train --list-losses" + full) == 1);
    CHECK(shell.run("./radial-mnist --help" + full) == 1);
}

TEST_CASE("radial-predict fails where its output does not fit, and ends quietly where nobody reads it",
          "[host][streams]") {
    const WeightsFolder folder;
    const Shell shell;
    const std::string error = shell.path("error");
    std::string command = "./radial-predict --threads 1 --batch 1 --model resnet20 --weights " + folder.weights;
    for (int i = 0; i < 20; ++i) command += " " + folder.picture("rgb.png", fmt::format("p/{}.png", i));
    CHECK(shell.run(command + " > /dev/full 2> " + error) == 1);
    CHECK(read_text(error) == "radial-predict: standard output: cannot be written: No space left on device\n");
    shell.run(fmt::format("({} 2> {}; echo $? > {}) | head -n 1 > /dev/null", command, error, shell.path("status")));
    CHECK(read_text(shell / "status") == "141\n");  // SIGPIPE
    CHECK(read_text(error).empty());
}

TEST_CASE("an error that cannot be printed still gives its exit status", "[host][streams]") {
    const Shell shell;
    CHECK(shell.run("./radial-mnist eval --checkpoint /nowhere/x --data / > /dev/null 2> /dev/full") == 1);
    CHECK(shell.run("./radial-mnist eval --checkpoint /nowhere/x --data / > /dev/null 2>&-") == 1);
    CHECK(shell.run("./radial-mnist train --epochz 2> /dev/full") == 2);
    const WeightsFolder folder;
    const std::string good = folder.picture("rgb.png", "a.png"), bad = folder.text("b.png", "no picture");
    CHECK(shell.run(fmt::format("./radial-predict --threads 1 --skip-bad --model resnet20 --weights {} {} {} > "
                                "/dev/null 2> /dev/full",
                                folder.weights, bad, good)) == 0);
}

TEST_CASE("a --config that is a pipe is refused without waiting for its writer", "[host][streams]") {
    const Shell shell;
    const std::string pipe = shell.path("pipe"), error = shell.path("error");
    REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
    CHECK(shell.run(shell.train("run") + " --config " + pipe + " 2> " + error) == 2);
    CHECK(contains(read_text(error), pipe + ": not a regular file\n"));
    CHECK_FALSE(std::filesystem::exists(shell / "run"));
}

}  // namespace radial::test
