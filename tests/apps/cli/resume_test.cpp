// Tests that runs that were stopped and resumed end with the same result as runs that were not interrupted.
#include "../../expect.h"
#include "../../folders.h"
#include "../program.h"
#include "radial/apps/cli/run/run_folder.h"
#include "radial/apps/train/run/snapshots.h"
#include "radial/core/io/safetensors.h"
#include "radial/core/tensor/random.h"

#include <fmt/core.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <map>
#include <thread>

namespace radial::test {
namespace {

namespace fs = std::filesystem;

/// A run of `radial-mnist` on 100 patterns with ten steps per epoch, and the results of an uninterrupted run.
class StoppedRun {
public:
    StoppedRun() {
        write_patterns(folder_ / "data", 100, 20);
        run("whole", settings(6));
    }
    fs::path path(const std::string& name) const { return folder_ / name; }
    std::string checkpoint(const std::string& name) const { return read_text(path(name) / "checkpoint.safetensors"); }
    std::string best(const std::string& name) const { return read_text(path(name) / "best.safetensors"); }
    std::string settings(int epochs, int batch = 10) const {
        return fmt::format(
            "--data {} --dim 2 --epochs {} --batch {} --lr 0.02 --threads 1 --seed 3 --crop-padding 2 "
            "--accumulate 3 --ema 0.9",
            path("data").string(), epochs, batch);
    }
    ProgramResult run(const std::string& name, const std::string& arguments) const {
        return run_program("radial-mnist", fmt::format("train --out {} {}", path(name).string(), arguments));
    }
    ProgramResult resume(const std::string& name, const std::string& arguments = "") const {
        return run_program("radial-mnist", fmt::format("train --resume {} {}", path(name).string(), arguments));
    }
    /// Starts the run and sends `signal` as soon as 24 of its 60 steps are saved. Returns the exit status (minus the
    /// signal's number if the signal ended the process) and what the run wrote to standard error.
    std::pair<int, std::string> stop(const std::string& name, int signal) const {
        return stop(name, [signal](pid_t child) { kill(child, signal); });
    }
    /// Starts the run and calls `act` with its process id at the same point; `act` must make the run end. Standard
    /// output goes to NAME.out.
    std::pair<int, std::string> stop(const std::string& name, const std::function<void(pid_t)>& act) const;

private:
    TemporaryFolder folder_;
};

std::pair<int, std::string> StoppedRun::stop(const std::string& name, const std::function<void(pid_t)>& act) const {
    const std::string program = program_folder() + "/radial-mnist";
    std::vector<std::string> words{program, "train", "--out", path(name).string(), "--save-steps", "1"};
    std::istringstream text(settings(6));
    for (std::string word; text >> word;) words.push_back(word);
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const std::string error = path(name + ".error").string(), out = path(name + ".out").string();
    const DefaultSignals signals;
    const pid_t child = fork();
    if (child == 0) {
        dup2(open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
        dup2(open(error.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
        execv(program.c_str(), arguments.data());
        _exit(127);
    }
    const train::Snapshots snapshots(path(name), 2);
    const auto far_enough = [&] {
        const std::vector<fs::path> files = snapshots.files();
        return !files.empty() && files.front().filename() > "step-000000024";
    };
    int status = 0;
    while (!far_enough() && waitpid(child, &status, WNOHANG) == 0)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    act(child);
    waitpid(child, &status, 0);
    return {WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status), read_text(error)};
}

const StoppedRun& stopped_run() {
    static const StoppedRun run;
    return run;
}

/// Returns a line of metrics without the values that depend on the clock or on other memory in use.
nlohmann::json without_times(nlohmann::json line) {
    for (const char* key : {"seconds", "images_per_second", "peak_bytes"}) line.erase(key);
    return line;
}

bool same_metrics(const fs::path& a, const fs::path& b) {
    const auto x = read_metrics(a), y = read_metrics(b);
    return x.size() == y.size() && std::equal(x.begin(), x.end(), y.begin(), [](const auto& one, const auto& other) {
               return without_times(one) == without_times(other);
           });
}

}  // namespace

TEST_CASE("a run that a signal ends saves itself, says how to resume, and ends as if never stopped", "[host][slow]") {
    const StoppedRun& run = stopped_run();
    const std::map<int, std::string> names = {{SIGTERM, "SIGTERM"}, {SIGINT, "SIGINT"}, {SIGHUP, "SIGHUP"}};
    for (const auto& [signal, called] : names) {
        const std::string name = fmt::format("signal{}", signal);
        const auto [status, error] = run.stop(name, signal);
        CHECK(status == 128 + signal);
        CHECK(error.starts_with(fmt::format("radial-mnist train: {} after step ", called)));
        CHECK(error.ends_with(
            fmt::format(": the run is saved, go on with: radial-mnist train --resume {}\n", run.path(name).string())));
        CHECK(read_metrics(run.path(name)).size() < 6);
        const ProgramResult resumed = run.resume(name);
        CHECK(resumed.status == 0);
        CHECK(resumed.out.find("resumed after step ") != std::string::npos);
        CHECK(differences(run.checkpoint(name), run.checkpoint("whole")) == "");
        CHECK(same_metrics(run.path(name), run.path("whole")));
    }
}

TEST_CASE("a run that is killed goes on from its last snapshot and ends as if never stopped", "[host][slow]") {
    const StoppedRun& run = stopped_run();
    CHECK(run.stop("killed", SIGKILL).first == -SIGKILL);
    CHECK(run.resume("killed").status == 0);
    CHECK(differences(run.checkpoint("killed"), run.checkpoint("whole")) == "");
    CHECK(differences(run.best("killed"), run.best("whole")) == "");
    CHECK(same_metrics(run.path("killed"), run.path("whole")));
}

TEST_CASE("a run holds its folder until it ends, however it ends", "[host][slow]") {
    const StoppedRun& run = stopped_run();
    std::string error, holder;
    run.stop("held", [&](pid_t child) {
        holder = fmt::format(": another process is at work there (process {} on ", child);
        error = error_of<FileError>([&] { const train::FolderLock lock(run.path("held")); });
        kill(child, SIGKILL);
    });
    CHECK(error.starts_with(run.path("held").string() + holder));
    CHECK_NOTHROW(train::FolderLock(run.path("held")));
}

TEST_CASE("a snapshot that cannot be read is named and the one before is taken", "[host][slow]") {
    const StoppedRun& run = stopped_run();
    run.stop("damaged", SIGKILL);
    const std::vector<fs::path> files = train::Snapshots(run.path("damaged"), 2).files();
    REQUIRE(files.size() >= 2);
    fs::resize_file(files[0], fs::file_size(files[0]) / 2);
    const ProgramResult resumed = run.resume("damaged");
    CHECK(resumed.status == 0);
    CHECK(resumed.out.find("warning: " + files[0].string() + ": ") != std::string::npos);
    CHECK(resumed.out.find(" from " + files[1].string() + "\n") != std::string::npos);
    CHECK(differences(run.checkpoint("damaged"), run.checkpoint("whole")) == "");
}

TEST_CASE("resuming with other settings is refused, but where and how may differ", "[host][slow]") {
    const StoppedRun& run = stopped_run();
    run.stop("changed", SIGKILL);
    const ProgramResult refused = run.resume("changed", "--lr 0.1");
    CHECK(refused.status == 1);
    CHECK(refused.first_error() ==
          fmt::format(
              "radial-mnist train: --resume: --lr is 0.1, the run that goes on has 0.02; it would be another run, "
              "to be started with --config {} and another --out",
              (run.path("changed") / "config.json").string()));
    CHECK(run.resume("changed", "--workers 3 --keep-saves 1 --save-minutes 1").status == 0);
    CHECK(differences(run.checkpoint("changed"), run.checkpoint("whole")) == "");
    CHECK(train::Snapshots(run.path("changed"), 1).files().size() == 1);
}

TEST_CASE("a finished run has nothing left to do when resumed", "[host]") {
    const StoppedRun& run = stopped_run();
    run.run("finished", run.settings(1));
    const std::string before = run.checkpoint("finished");
    const ProgramResult again = run.resume("finished");
    CHECK(again.status == 0);
    CHECK(again.out.find("resumed after step 10 from ") != std::string::npos);
    CHECK(differences(run.checkpoint("finished"), before) == "");
    CHECK(read_metrics(run.path("finished")).size() == 1);
}

TEST_CASE("a finished run goes on to more epochs, as if it had been given them from the start", "[host][slow]") {
    const StoppedRun& run = stopped_run();
    for (const auto& [name, epochs] : std::vector<std::pair<std::string, int>>{{"short", 2}, {"long", 4}})
        REQUIRE(run.run(name, run.settings(epochs) + " --schedule constant").status == 0);
    const ProgramResult extended = run.resume("short", "--epochs 4");
    CHECK(extended.status == 0);
    CHECK(extended.out.find(
              "\nnote: --epochs is 4 from here on, was 2; the learning rate is that of a run of 4: constant "
              "0.02\n") != std::string::npos);
    CHECK(run.checkpoint("short") == run.checkpoint("long"));
    CHECK(same_metrics(run.path("short"), run.path("long")));
    const auto config = nlohmann::json::parse(read_text(run.path("short") / "config.json"));
    CHECK(config.at("options").at("epochs") == 4);
    CHECK(run.resume("short", "--epochs 3").first_error() ==
          "radial-mnist train: --epochs: 3 is below the 4 that the run has done");
}

TEST_CASE("the cosine of a run that is extended is that of its new length", "[host][slow]") {
    const StoppedRun& run = stopped_run();
    REQUIRE(run.run("cosine", run.settings(2)).status == 0);
    const ProgramResult extended = run.resume("cosine", "--epochs 4");
    CHECK(extended.out.find(
              ": cosine from 0.02 to 0 over 4 epochs\nnote: the learning rate of the next step is 0.01\n") !=
          std::string::npos);
    REQUIRE(read_metrics(run.path("cosine")).size() == 4);
}

TEST_CASE("a run goes on with another batch size, and its epochs still hold each sample once", "[host][slow]") {
    const StoppedRun& run = stopped_run();
    run.stop("rebatched", SIGKILL);  // in the middle of an epoch of ten steps
    const ProgramResult resumed = run.resume("rebatched", "--batch 7 --save-steps 1 --keep-saves 100");
    CHECK(resumed.status == 0);
    CHECK(resumed.out.find("\nnote: --batch is 7 from here on, was 10\n") != std::string::npos);
    const auto whole = read_metrics(run.path("whole")), other = read_metrics(run.path("rebatched"));
    REQUIRE(other.size() == whole.size());
    for (std::size_t i = 0; i < whole.size(); ++i) CHECK(other[i].at("order") == whole[i].at("order"));
    // The step counter continues: the last epoch has 15 steps of 7 images.
    const std::vector<fs::path> files = train::Snapshots(run.path("rebatched"), 100).files();
    const auto step = [&](std::size_t i) { return std::stoi(files.at(i).filename().string().substr(5)); };
    for (std::size_t i = 1; i < 16; ++i) CHECK(step(i) == step(0) - static_cast<int>(i));
    // This run, too, can be resumed again.
    CHECK(run.resume("rebatched", "--batch 7").status == 0);
}

TEST_CASE("--drop-last leaves out a last batch that is not full, and is exact when a run goes on", "[host][slow]") {
    const StoppedRun& run = stopped_run();
    const std::string settings = run.settings(2, 30) + " --drop-last";  // 3 batches of 30 images, without the last 10
    REQUIRE(run.run("dropped", settings).status == 0);
    CHECK(train::Snapshots(run.path("dropped"), 2).files().at(0).filename() == "step-000000006.safetensors");
    REQUIRE(run.run("dropped-then-more", run.settings(1, 30) + " --drop-last --schedule constant").status == 0);
    REQUIRE(run.run("dropped-at-once", settings + " --schedule constant").status == 0);
    CHECK(run.resume("dropped-then-more", "--epochs 2").status == 0);
    CHECK(run.checkpoint("dropped-then-more") == run.checkpoint("dropped-at-once"));
    CHECK(run.run("none", run.settings(1, 101) + " --drop-last").first_error() ==
          "radial-mnist train: --drop-last: leaves none of 100 images, which make no batch of 101; choose another "
          "--batch");
}

TEST_CASE("an option that an earlier version did not record keeps the value with which it has no effect",
          "[host][slow]") {
    const StoppedRun& run = stopped_run();
    run.stop("earlier-version", SIGKILL);
    const std::vector<std::string> newer = {"alternating-flip", "final-lr",   "lookahead",
                                            "bias-lr-scale",    "poly-power", "loss.margin"};
    const auto without_newer = [&](nlohmann::ordered_json options) {
        for (const std::string& name : newer) options.erase(name);
        return options;
    };
    for (const fs::path& file : train::Snapshots(run.path("earlier-version"), 2).files()) {
        TensorFile snapshot = read_safetensors(file);
        auto state = nlohmann::ordered_json::parse(snapshot.metadata.at("state"));
        state["options"] = without_newer(state.at("options"));
        snapshot.metadata["state"] = state.dump();
        write_safetensors(file, snapshot, Checksum::added);
    }
    const fs::path config_file = run.path("earlier-version") / "config.json";
    auto config = nlohmann::ordered_json::parse(read_text(config_file));
    config["options"] = without_newer(config.at("options"));
    std::ofstream(config_file) << config.dump();
    const auto refused = [&](const std::string& flags) {
        const std::string error = run.resume("earlier-version", flags).first_error();
        return error.substr(0, error.find("; it would be another run"));
    };
    CHECK(refused("--alternating-flip") ==
          "radial-mnist train: --resume: --alternating-flip is true, the run that goes on has false");
    CHECK(refused("--final-lr 0.5") == "radial-mnist train: --resume: --final-lr is 0.5, the run that goes on has 0.0");
    CHECK(refused("--loss.margin 0.5") ==
          "radial-mnist train: --resume: --loss.margin is 0.5, the run that goes on has 0.0");
    CHECK(run.resume("earlier-version").status == 0);
    CHECK(differences(run.checkpoint("earlier-version"), run.checkpoint("whole")) == "");
}

TEST_CASE("an option that changes the tensors of a snapshot is named, not the tensors", "[host][slow]") {
    const StoppedRun& run = stopped_run();
    run.stop("other-tensors", SIGKILL);
    for (const auto& [flags, first] :
         {std::pair{"--bias-lr-scale 8", "--bias-lr-scale is 8, the run that goes on has 1"},
          {"--weight-decay-on weights", "--weight-decay-on is \"weights\", the run that goes on has \"all\""},
          {"--ema 0", "--ema is 0, the run that goes on has 0.9"}}) {
        const ProgramResult result = run.resume("other-tensors", flags);
        CHECK(result.status == 1);
        const std::string error = result.first_error();
        CHECK(error.substr(0, error.find("; it would be another run")) ==
              fmt::format("radial-mnist train: --resume: {}", first));
    }
}

TEST_CASE("images too small for a reflected border are refused before an earlier run is deleted", "[host]") {
    const StoppedRun& run = stopped_run();
    run.run("kept", run.settings(1));
    const std::string before = run.checkpoint("kept");
    std::string settings = run.settings(1);
    settings.replace(settings.find("--crop-padding 2"), 16, "--crop-padding 28 --crop-border reflect --overwrite");
    const ProgramResult result = run.run("kept", settings);
    CHECK(result.status == 1);
    CHECK(result.first_error() ==
          "radial-mnist train: --crop-padding: 28 is not below the 28 pixels of the images, as --crop-border reflect "
          "needs");
    CHECK(run.checkpoint("kept") == before);
}

TEST_CASE("the command that goes on with a run is quoted for a shell", "[host][slow]") {
    const StoppedRun& run = stopped_run();
    CHECK(run.stop("my run", SIGTERM)
              .second.ends_with("radial-mnist train --resume '" + run.path("my run").string() + "'\n"));
}

TEST_CASE("a folder without a run cannot be resumed", "[host]") {
    const TemporaryFolder folder;
    const std::string path = folder.path().string();
    CHECK(run_program("radial-mnist", "train --resume " + path).first_error() ==
          "radial-mnist train: " + path + "/config.json was not readable (missing?)");
    std::ofstream(folder / "config.json") << "{}";
    write_patterns(folder / "data", 20, 10);
    const ProgramResult result =
        run_program("radial-mnist", fmt::format("train --resume {} --data {}", path, (folder / "data").string()));
    CHECK(result.status == 1);
    CHECK(result.first_error() == "radial-mnist train: " + path + ": no snapshot to go on from");
}

TEST_CASE("a run that overwrites an earlier one forgets its snapshots", "[host][slow]") {
    const StoppedRun& run = stopped_run();
    run.run("reused", run.settings(3));
    run.run("reused", run.settings(1) + " --overwrite");
    const std::vector<fs::path> files = train::Snapshots(run.path("reused"), 2).files();
    REQUIRE(files.size() == 2);
    CHECK(files[0].filename() == "step-000000010.safetensors");
    CHECK(files[1].filename() == "step-000000000.safetensors");
}

TEST_CASE("a disk that fills up keeps the last good files, training goes on, and the run can be finished later",
          "[host][slow]") {
    const StoppedRun& run = stopped_run();
    // From now on, the run cannot write a file as long as a snapshot or a checkpoint.
    const auto [status, error] = run.stop("full", [](pid_t child) {
        constexpr rlimit full{200000, RLIM_INFINITY};
        REQUIRE(prlimit(child, RLIMIT_FSIZE, &full, nullptr) == 0);
    });
    CHECK(status == 1);
    const std::vector<fs::path> files = train::Snapshots(run.path("full"), 2).files();
    REQUIRE(files.size() == 2);
    const std::string kept = files[0].string();
    CHECK(error == fmt::format("radial-mnist train: {0}/checkpoint.safetensors: cannot be written: File too large. {1} "
                               "is kept; go on with: radial-mnist train --resume {0}\n",
                               run.path("full").string(), kept));
    const std::string out = read_text(run.path("full.out"));
    CHECK(out.find(": cannot be written: File too large. " + kept +
                   " is kept; training goes on, and saves again when it is due\n") != std::string::npos);
    CHECK(out.find("epoch 5/6: ") != std::string::npos);
    CHECK(read_metrics(run.path("full")).size() == 6);
    CHECK(run.resume("full").status == 0);
    CHECK(differences(run.checkpoint("full"), run.checkpoint("whole")) == "");
    CHECK(same_metrics(run.path("full"), run.path("whole")));
}

TEST_CASE("a snapshot with one bit flipped is named and the one before is taken", "[host][slow]") {
    const StoppedRun& run = stopped_run();
    run.stop("flipped", SIGKILL);
    const std::vector<fs::path> files = train::Snapshots(run.path("flipped"), 2).files();
    std::string bytes = read_text(files.at(0));
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    std::ofstream(files[0], std::ios::binary) << bytes;
    const ProgramResult resumed = run.resume("flipped");
    CHECK(resumed.out.find("warning: " + files[0].string() + ": is damaged: its content has the checksum ") !=
          std::string::npos);
    CHECK(differences(run.checkpoint("flipped"), run.checkpoint("whole")) == "");
}

TEST_CASE("a snapshot without its checksum is named and the one before is taken", "[host][slow]") {
    const StoppedRun& run = stopped_run();
    run.stop("unsummed", SIGKILL);
    const std::vector<fs::path> files = train::Snapshots(run.path("unsummed"), 2).files();
    write_safetensors(files.at(0), read_safetensors(files.at(0)));
    const ProgramResult resumed = run.resume("unsummed");
    CHECK(resumed.status == 0);
    CHECK(resumed.out.find("warning: " + files[0].string() + ": has no checksum: ") != std::string::npos);
    CHECK(resumed.out.find(" from " + files[1].string() + "\n") != std::string::npos);
    CHECK(run.checkpoint("unsummed") == run.checkpoint("whole"));
}

TEST_CASE("a run whose folder is deleted ends with an error that names it, and makes none in its place", "[host]") {
    const StoppedRun& run = stopped_run();
    const fs::path folder = run.path("deleted");
    const auto [status, error] = run.stop("deleted", [&](pid_t) { fs::rename(folder, run.path("elsewhere")); });
    CHECK(status == 1);
    CHECK(error ==
          fmt::format("radial-mnist train: {}: the run's folder was deleted or moved while the run was writing "
                      "to it\n",
                      folder.string()));
    CHECK_FALSE(fs::exists(folder));
}

TEST_CASE("resuming deletes what a killed run was writing", "[host][slow]") {
    const StoppedRun& run = stopped_run();
    run.stop("half", SIGKILL);
    for (const char* name : {"snapshots/step-000000030.safetensors.1.0.tmp", "checkpoint.safetensors.1.0.tmp"})
        std::ofstream(run.path("half") / name) << "half of it";
    CHECK(run.resume("half").status == 0);
    for (const auto& entry : fs::recursive_directory_iterator(run.path("half")))
        CHECK(entry.path().extension() != ".tmp");
    CHECK(differences(run.checkpoint("half"), run.checkpoint("whole")) == "");
}

}  // namespace radial::test
