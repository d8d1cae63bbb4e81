// Tests of training on two ranks from the command line: the results equal those of one rank, and the run ends cleanly
// if a rank is stopped, killed or hangs.
#include "../../expect.h"
#include "../../folders.h"
#include "../program.h"
#include "radial/apps/train/run/snapshots.h"
#include "radial/core/distributed/communicator.h"

#include <fmt/core.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

namespace radial::test {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

bool have_mpi() {
#ifdef RADIAL_WITH_MPI
    static const bool there = std::system("mpirun --version > /dev/null 2>&1") == 0;
#else
    static const bool there = false;
#endif
    if (!there) std::cout << "skipped: ranks need a build with MPI, and mpirun\n";
    return there;
}

std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words;
    std::istringstream stream(text);
    for (std::string word; stream >> word;) words.push_back(word);
    return words;
}

/// A running process: mpirun -n 2 with a program and its arguments.
class RanksRun {
public:
    RanksRun(const fs::path& log, const std::string& arguments) : RanksRun(log, arguments, arguments) {}
    /// Starts the first rank with `arguments` and the second rank with `others`.
    RanksRun(const fs::path& log, const std::string& arguments, const std::string& others) : log_(log) {
        // Uses a shell, because mpirun of Open MPI 5.0.7 crashes if it gets two programs separated by a colon.
        std::vector<std::string> words = words_of("mpirun --allow-run-as-root --oversubscribe -n 2 sh -c");
        words.push_back(fmt::format("cd {} && if [ $OMPI_COMM_WORLD_RANK = 0 ]; then exec ./{}; else exec ./{}; fi",
                                    program_folder(), arguments, others));
        std::vector<char*> raw;
        raw.reserve(words.size() + 1);
        for (std::string& word : words) raw.push_back(word.data());
        raw.push_back(nullptr);
        // Open MPI frees some memory only when the process ends; the leak sanitizer would report that memory as leaks.
        const char* const given = std::getenv("ASAN_OPTIONS");
        const std::string sanitizer = std::string(given == nullptr ? "" : given) + ":detect_leaks=0";
        const DefaultSignals signals;
        process_ = fork();
        if (process_ == 0) {
            unsetenv("RADIAL_DATA");
            unsetenv("RADIAL_DEVICE");
            setenv("ASAN_OPTIONS", sanitizer.c_str(), 1);
            const int file = open(log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
            dup2(file, STDOUT_FILENO);
            dup2(file, STDERR_FILENO);
            execvp(raw.front(), raw.data());
            _exit(127);
        }
    }
    ~RanksRun() {
        if (!ended_) finish();
    }
    RanksRun(const RanksRun&) = delete;
    RanksRun& operator=(const RanksRun&) = delete;

    /// Sends a signal to a rank. Fails the test if the rank has no process.
    void signal(int rank, int number) const {
        const pid_t process = process_of(rank);
        REQUIRE(process > 1);
        CHECK(kill(process, number) == 0);
    }
    bool running() {
        if (!ended_ && waitpid(process_, &status_, WNOHANG) == process_) ended_ = true;
        return !ended_;
    }
    /// Waits until mpirun ends; returns its exit status.
    int finish() {
        if (!ended_) waitpid(process_, &status_, 0);
        ended_ = true;
        return WIFEXITED(status_) ? WEXITSTATUS(status_) : -WTERMSIG(status_);
    }
    std::string output() const { return read_text(log_); }

private:
    /// The process id of a rank, or 0 if there is none.
    pid_t process_of(int rank) const {
        for (const auto& task : fs::directory_iterator(fmt::format("/proc/{}/task", process_))) {
            std::ifstream children(task.path() / "children");
            for (pid_t child = 0; children >> child;) {
                std::ifstream environment(fmt::format("/proc/{}/environ", child));
                for (std::string line; std::getline(environment, line, '\0');)
                    if (line == fmt::format("OMPI_COMM_WORLD_RANK={}", rank)) return child;
            }
        }
        return 0;
    }

    fs::path log_;
    pid_t process_ = 0;
    int status_ = 0;
    bool ended_ = false;
};

/// A run of `radial-mnist` on two ranks with ten steps per epoch, and the results of an uninterrupted run.
class TwoRanks {
public:
    TwoRanks() {
        write_patterns(folder_ / "data", 97, 23);  // not all batches can be divided evenly
        RanksRun run(path("whole.log"), train("whole", "--epochs 4"));
        status_ = run.finish();
        output_ = run.output();
    }
    fs::path path(const std::string& name) const { return folder_ / name; }
    std::string train(const std::string& name, const std::string& more) const {
        return fmt::format(
            "radial-mnist train --data {} --out {} --dim 2 --batch 10 --lr 0.02 --threads 1 --seed 3 "
            "--crop-padding 2 --save-steps 1 {}",
            path("data").string(), path(name).string(), more);
    }
    /// The metrics of a run on two ranks and of the same run on one rank.
    std::pair<std::vector<nlohmann::json>, std::vector<nlohmann::json>> on_two_and_one(const std::string& name,
                                                                                       const std::string& more) const {
        RanksRun ranks(path(name + ".log"), train(name, more));
        REQUIRE(ranks.finish() == 0);
        const std::string alone = train(name + "-alone", more);
        REQUIRE(run_program("radial-mnist", alone.substr(std::string("radial-mnist ").size())).status == 0);
        return {read_metrics(path(name)), read_metrics(path(name + "-alone"))};
    }
    std::string checkpoint(const std::string& name) const { return read_text(path(name) / "checkpoint.safetensors"); }
    int status() const { return status_; }
    const std::string& output() const { return output_; }

    /// Starts a run and calls `harm` when 14 of its 40 steps are saved. Returns the output of mpirun, and for how many
    /// seconds it ran after the call.
    template <class F>
    std::pair<std::string, double> disturb(const std::string& name, const std::string& more, const F& harm) const {
        RanksRun run(path(name + ".log"), train(name, "--epochs 4 " + more));
        const train::Snapshots snapshots(path(name), 2);
        const auto far_enough = [&] {
            const std::vector<fs::path> files = snapshots.files();
            return !files.empty() && files.front().filename() > "step-000000014";
        };
        while (!far_enough() && run.running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        REQUIRE(run.running());
        const Clock::time_point then = Clock::now();
        harm(run);
        CHECK(run.finish() != 0);
        return {run.output(), std::chrono::duration<double>(Clock::now() - then).count()};
    }
    void resume(const std::string& name) const {
        RanksRun run(path(name + ".resumed.log"), fmt::format("radial-mnist train --resume {}", path(name).string()));
        CHECK(run.finish() == 0);
        INFO(run.output());
        CHECK(run.output().find("resumed after step ") != std::string::npos);
        CHECK(differences(checkpoint(name), checkpoint("whole")) == "");
    }

private:
    TemporaryFolder folder_;
    int status_ = 0;
    std::string output_;
};

const TwoRanks& two_ranks() {
    static const TwoRanks run;
    return run;
}

int count(const std::string& text, const std::string& part) {
    int times = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++times;
    return times;
}

}  // namespace

TEST_CASE("two ranks get the results of one rank, and only the first rank prints", "[host][ranks][slow]") {
    if (!have_mpi()) return;
    const TwoRanks& run = two_ranks();
    INFO(run.output());
    REQUIRE(run.status() == 0);
    CHECK(count(run.output(), "ranks: 2, 5 images a step and 1 thread each") == 1);
    CHECK(count(run.output(), "epoch 4/4: ") == 1);
    // With features normalised over ten samples, the difference would grow faster, so the next test compares only one
    // step.
    const auto [two, one] = run.on_two_and_one("plain", "--epochs 4 --loss.normalise 0");
    REQUIRE(two.size() == 4);
    REQUIRE(one.size() == 4);
    for (std::size_t i = 0; i < one.size(); ++i) {
        // Sums over five images and over ten round differently, and training doubles the difference every few steps:
        // from 1e-8 in the first epoch to 1e-3 in the later ones.
        const double tolerance = i == 0 ? 1e-4 : 1e-2;
        for (const char* key : {"train_loss", "test_loss", "gradient_norm", "mean_kernel"})
            CHECK(two[i].at(key).get<double>() == Approx(one[i].at(key).get<double>()).epsilon(tolerance));
        for (const char* key : {"train_accuracy", "test_accuracy"})
            CHECK(two[i].at(key).get<double>() == Approx(one[i].at(key).get<double>()).margin(0.02));
    }
}

TEST_CASE("a step of normalised features is the same on two ranks as on one", "[host][ranks][slow]") {
    if (!have_mpi()) return;
    const auto [two, one] = two_ranks().on_two_and_one("step", "--epochs 1 --limit 10");
    REQUIRE(two.size() == 1);
    for (const char* key : {"train_loss", "test_loss", "gradient_norm", "mean_kernel"})
        CHECK(two[0].at(key).get<double>() == Approx(one[0].at(key).get<double>()).epsilon(1e-5));
}

TEST_CASE("class weights have the same effect on one rank, on two ranks and in parts of a batch",
          "[host][ranks][slow]") {
    if (!have_mpi()) return;
    const TwoRanks& run = two_ranks();
    // The first 25 images: three of each of the first five classes, two of each other class.
    const std::string how = "--epochs 1 --limit 25 --loss lgm --class-weights balanced --clip-norm 0";
    RanksRun both(run.path("counted.log"), run.train("counted", how));
    const bool fine = both.finish() == 0;
    INFO(both.output());
    REQUIRE(fine);
    const std::size_t program = std::string("radial-mnist ").size();
    REQUIRE(run_program("radial-mnist", run.train("counted-1", how).substr(program)).status == 0);
    REQUIRE(run_program("radial-mnist", run.train("counted-4", how + " --accumulate 4").substr(program)).status == 0);
    const auto two = read_metrics(run.path("counted")).at(0);
    for (const char* other : {"counted-1", "counted-4"}) {
        const auto one = read_metrics(run.path(other)).at(0);
        for (const char* key : {"train_loss", "test_loss", "gradient_norm"})
            CHECK(two.at(key).get<double>() == Approx(one.at(key).get<double>()).epsilon(1e-3));
    }
}

TEST_CASE("a loss over pairs has whole parts of the batch on each rank, however many parts that takes",
          "[host][ranks][slow]") {
    if (!have_mpi()) return;
    const TwoRanks& run = two_ranks();
    const std::string how = "--epochs 1 --limit 40 --loss triplet --clip-norm 0 --accumulate ";
    for (const char* parts : {"1", "5"}) {
        RanksRun both(run.path("pairs.log"), run.train(std::string("pairs-") + parts, how + parts));
        const bool fine = both.finish() == 0;
        INFO(both.output());
        REQUIRE(fine);
    }
    const auto whole = read_metrics(run.path("pairs-1")).at(0), parts = read_metrics(run.path("pairs-5")).at(0);
    for (const char* key : {"train_loss", "test_loss", "gradient_norm"})
        CHECK(parts.at(key).get<double>() == Approx(whole.at(key).get<double>()).epsilon(1e-3));
    CHECK(whole.at("gradient_norm").get<double>() > 0);
}

TEST_CASE("a signal to one rank ends all after the step, saved, and the run ends as if never stopped",
          "[host][ranks][slow]") {
    if (!have_mpi()) return;
    const TwoRanks& run = two_ranks();
    const std::string output = run.disturb("signal", "", [](const RanksRun& ranks) { ranks.signal(1, SIGTERM); }).first;
    INFO(output);
    CHECK(count(output, "radial-mnist train: SIGTERM after step ") == 1);
    CHECK(count(output, "the run is saved, go on with: radial-mnist train --resume ") == 1);
    run.resume("signal");
}

TEST_CASE("a rank that is killed ends the others, and the run goes on from the last whole step",
          "[host][ranks][slow]") {
    if (!have_mpi()) return;
    const TwoRanks& run = two_ranks();
    // The remaining rank saves the steps that are not yet in a snapshot.
    const auto [output, seconds] = run.disturb("killed", "", [](const RanksRun& ranks) { ranks.signal(1, SIGKILL); });
    INFO(output);
    CHECK(seconds < 30);
    run.resume("killed");
}

TEST_CASE("when the first rank is killed the last snapshot is there", "[host][ranks][slow]") {
    if (!have_mpi()) return;
    const TwoRanks& run = two_ranks();
    const double seconds = run.disturb("first", "", [](const RanksRun& ranks) { ranks.signal(0, SIGKILL); }).second;
    CHECK(seconds < 30);
    run.resume("first");
}

TEST_CASE("a rank that hangs ends the run after the timeout, saved", "[host][ranks][slow]") {
    if (!have_mpi()) return;
    const TwoRanks& run = two_ranks();
    const auto [output, seconds] =
        run.disturb("hangs", "--rank-timeout 4", [](const RanksRun& ranks) { ranks.signal(1, SIGSTOP); });
    INFO(output);
    CHECK(seconds < 30);
    CHECK(output.find("rank 0 of 2: waited 4 s in '") != std::string::npos);
    CHECK(output.find("' for the other ranks: one hangs, or is far slower; the run is saved after step ") !=
          std::string::npos);
    run.resume("hangs");
}

TEST_CASE("ranks that were started with other options or see other data are told apart", "[host][ranks][slow]") {
    if (!have_mpi()) return;
    const TwoRanks& run = two_ranks();
    const auto refused = [&](const std::string& name, const std::string& first, const std::string& second) {
        RanksRun ranks(run.path(name + ".log"), first, second);
        CHECK(ranks.finish() == 1);
        INFO(ranks.output());
        CHECK_FALSE(fs::exists(run.path(name)));
        return ranks.output();
    };
    const std::string flags =
        refused("flags", run.train("flags", "--epochs 1"), run.train("flags", "--epochs 1 --clip-norm 2"));
    CHECK(flags.find("radial-mnist train: ranks differ: --clip-norm is 1 on rank 0 and 2 on rank 1\n") !=
          std::string::npos);
    write_patterns(run.path("fewer"), 87, 23);
    std::string other = run.train("data-run", "--epochs 1");
    other.replace(other.find(run.path("data").string()), run.path("data").string().size(), run.path("fewer").string());
    const std::string data = refused("data-run", run.train("data-run", "--epochs 1"), other);
    CHECK(data.find("radial-mnist train: ranks differ: rank 0 has 97 training images, rank 1 has 87\n") !=
          std::string::npos);
}

TEST_CASE("ranks that go on after different steps are told apart", "[host][ranks][slow]") {
    if (!have_mpi()) return;
    const TwoRanks& run = two_ranks();
    run.disturb("apart", "", [](const RanksRun& ranks) { ranks.signal(0, SIGTERM); });
    fs::copy(run.path("apart"), run.path("older"), fs::copy_options::recursive);
    const std::vector<fs::path> files = train::Snapshots(run.path("older"), 2).files();
    fs::remove(files.front());
    RanksRun ranks(run.path("apart.log"), "radial-mnist train --resume " + run.path("apart").string(),
                   "radial-mnist train --resume " + run.path("older").string());
    CHECK(ranks.finish() == 1);
    INFO(ranks.output());
    CHECK(ranks.output().find("radial-mnist train: ranks differ: rank 0 goes on after step ") != std::string::npos);
}

TEST_CASE("a batch that the ranks cannot share is refused", "[host][ranks][slow]") {
    if (!have_mpi()) return;
    const TwoRanks& run = two_ranks();
    std::string nine = run.train("odd", "");
    nine.replace(nine.find("--batch 10"), 10, "--batch 9");
    RanksRun odd(run.path("odd.log"), nine);
    CHECK(odd.finish() == 1);
    CHECK(odd.output().find("radial-mnist train: --batch: 9 images a step do not divide among 2 ranks") !=
          std::string::npos);
    RanksRun lonely(run.path("lonely.log"), run.train("lonely", "--limit 21"));
    CHECK(lonely.finish() == 1);
    CHECK(lonely.output().find("--batch: the last batch of 1 image leaves some of 2 ranks without any; give "
                               "--drop-last, or another --batch or --limit") != std::string::npos);
}

}  // namespace radial::test
