// Tests of what happens to a run if another run is started in its folder.
#include "radial/apps/cli/run/run_folder.h"
#include "../../expect.h"
#include "../program.h"

#include <fmt/core.h>

#include <unistd.h>

#include <fstream>
#include <map>

namespace radial::test {
namespace {

namespace fs = std::filesystem;

/// A folder with a run of one epoch of two steps, and its data.
class DoneRun {
public:
    DoneRun() {
        write_patterns(folder_ / "data", 20, 10);
        REQUIRE(train("").status == 0);
    }
    fs::path run() const { return folder_ / "run"; }
    ProgramResult train(const std::string& arguments) const {
        return run_program("radial-mnist", fmt::format("train --data {} --out {} --dim 3 --epochs 1 --batch 10 "
                                                       "--threads 1 {}",
                                                       (folder_ / "data").string(), run().string(), arguments));
    }
    ProgramResult resume(const std::string& arguments = "") const {
        return run_program("radial-mnist", fmt::format("train --resume {} {}", run().string(), arguments));
    }
    /// Returns the contents of all files of the run except the lock, by path.
    std::map<std::string, std::string> files() const {
        std::map<std::string, std::string> all;
        for (const auto& entry : fs::recursive_directory_iterator(run()))
            if (entry.is_regular_file() && entry.path().filename() != ".lock")
                all[entry.path().string()] = read_text(entry.path());
        return all;
    }

private:
    TemporaryFolder folder_;
};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("training into the folder of a run is refused, and the run stays as it is", "[host]") {
    const DoneRun done;
    const auto before = done.files();
    const ProgramResult again = done.train("");
    CHECK(again.status == 1);
    CHECK(again.first_error() ==
          fmt::format("radial-mnist train: {0}: holds a run of 1 of 1 epochs (checkpoint.safetensors, "
                      "best.safetensors, report.html, metrics.jsonl, 2 snapshots, 1 event file): go on with it by "
                      "--resume {0}, choose another --out, or delete what is there by --overwrite",
                      done.run().string()));
    CHECK(done.files() == before);
}

TEST_CASE("a run that is to be overwritten stays until the new one is ready to start", "[host]") {
    const DoneRun done;
    const auto before = done.files();
    for (const char* const mistake : {"--schedule step", "--model resnet20", "--device cuda:99"}) {
        INFO(mistake);
        CHECK(done.train(fmt::format("--overwrite {}", mistake)).status != 0);
        CHECK(done.files() == before);
    }
    CHECK(run_program("radial-mnist", "train --overwrite --data /nonexistent --out " + done.run().string()).status ==
          1);
    CHECK(done.files() == before);
    REQUIRE(done.train("--overwrite --seed 9").status == 0);
    CHECK(contains(read_text(done.run() / "config.json"), "\"seed\": 9"));
    CHECK(done.files().size() == before.size());
}

TEST_CASE("a run that was killed before its first snapshot is started again", "[host]") {
    const DoneRun done;
    const std::string config = read_text(done.run() / "config.json");
    fs::remove_all(done.run());
    fs::create_directories(done.run());
    std::ofstream(done.run() / "config.json") << config;
    std::ofstream(done.run() / "metrics.jsonl") << "";
    CHECK(done.train("").status == 0);
}

TEST_CASE("files that no run wrote are neither overwritten nor deleted unasked", "[host]") {
    const DoneRun done;
    fs::remove_all(done.run());
    fs::create_directories(done.run());
    std::ofstream(done.run() / "config.json") << "{\"name\": \"of another program\"}";
    std::ofstream(done.run() / "notes.tmp") << "mine";
    const auto before = done.files();
    const ProgramResult refused = done.train("");
    CHECK(refused.status == 1);
    CHECK(contains(refused.first_error(),
                   ": holds files that a new run would delete (config.json): choose another --out, "));
    CHECK(done.files() == before);
    CHECK(done.train("--overwrite").status == 0);
    CHECK(read_text(done.run() / "notes.tmp") == "mine");
}

TEST_CASE("--overwrite and --resume exclude each other, and no config file overwrites", "[host]") {
    const DoneRun done;
    CHECK(done.resume("--overwrite").status == 2);
    REQUIRE(done.train("--overwrite").status == 0);
    const std::string config = " --config " + (done.run() / "config.json").string();
    CHECK(run_program("radial-mnist", "train" + config).status == 1);
}

TEST_CASE("a folder that another process is at work in is refused", "[host]") {
    const DoneRun done;
    const auto before = done.files();
    const train::FolderLock lock(done.run());
    const std::string expected = fmt::format("radial-mnist train: {}: another process is at work there (process {} on ",
                                             done.run().string(), getpid());
    for (const ProgramResult& result : {done.train(""), done.train("--overwrite"), done.resume()}) {
        CHECK(result.status == 1);
        CHECK(result.first_error().starts_with(expected));
    }
    CHECK(done.files() == before);
}

TEST_CASE("a lock keeps others out for as long as it lives", "[host]") {
    const TemporaryFolder folder;
    {
        const train::FolderLock lock(folder.path());
        CHECK(error_of<FileError>([&] {
                  const train::FolderLock second(folder.path());
              }).starts_with(folder.path().string() + ": another process is at work there (process "));
    }
    CHECK_NOTHROW(train::FolderLock(folder.path()));
}

}  // namespace radial::test
