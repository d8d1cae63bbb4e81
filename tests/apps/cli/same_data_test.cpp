// Tests that a stopped run's data may move but not change, and that a checkpoint is evaluated only on its own classes.
#include "../../data/pictures.h"
#include "../../expect.h"
#include "../program.h"
#include "radial/core/io/safetensors.h"

#include <fmt/core.h>

#include <fstream>

namespace radial::test {
namespace {

namespace fs = std::filesystem;

/// A run of one epoch on 20 patterns, which can be resumed with other data.
class PatternsRun {
public:
    PatternsRun() {
        write_patterns(folder_ / "data", 20, 10);
        const ProgramResult result =
            run_program("radial-mnist", fmt::format("train --data {} --out {} --dim 3 --epochs 1 --batch 10 "
                                                    "--threads 1 --keep-saves 1",
                                                    path("data").string(), path("run").string()));
        INFO(result.error);
        REQUIRE(result.status == 0);
    }
    fs::path path(const std::string& name) const { return folder_ / name; }
    /// Changes the last byte of one of the data's files.
    void change(const std::string& file) const {
        std::string bytes = read_text(path("data") / file);
        bytes.back() = static_cast<char>(bytes.back() ^ 1);
        std::ofstream(path("data") / file, std::ios::binary) << bytes;
    }
    ProgramResult resume(const std::string& data) const {
        return run_program("radial-mnist",
                           fmt::format("train --resume {} --data {}", path("run").string(), path(data).string()));
    }
    /// Resumes the run with other data, which must fail, and returns the error.
    std::string refusal(const std::string& data) const {
        const ProgramResult result = resume(data);
        CHECK(result.status == 1);
        return result.first_error();
    }
    std::string expected(const std::string& difference) const {
        return "radial-mnist train: --data: " + difference +
               "; a run goes on with the data that it began with, wherever they lie";
    }
    void forget_in_config() const {
        auto config = nlohmann::json::parse(read_text(path("run/config.json")));
        config.erase("data");
        std::ofstream(path("run/config.json")) << config.dump(2);
    }
    void forget_in_snapshot() const {
        const fs::path file = path("run/snapshots/step-000000002.safetensors");
        TensorFile snapshot = read_safetensors(file);
        auto state = nlohmann::json::parse(snapshot.metadata.at("state"));
        REQUIRE(state.erase("data") == 1);
        snapshot.metadata["state"] = state.dump();
        write_safetensors(file, snapshot, Checksum::added);
    }

private:
    TemporaryFolder folder_;
};

/// Data for radial-imagenet: six colour images in each set, two of each class.
class ClassFolders {
public:
    explicit ClassFolders(const std::vector<std::string>& names) { write("data", names); }
    void write(const std::string& root, const std::vector<std::string>& names) const {
        const std::vector<std::string> pictures = recorded_files();
        for (const char* const set : {"train", "val"})
            for (std::size_t i = 0; i < 2 * names.size(); ++i)
                scratch_.write(fmt::format("{}/{}/{}/{}", root, set, names[i / 2], pictures[i]),
                               recorded_bytes(pictures[i]));
    }
    std::string path(const std::string& name) const { return (scratch_.path() / name).string(); }
    ProgramResult train(const std::string& place) const {
        return run_program("radial-imagenet",
                           fmt::format("train {} --model resnet18 --image-size 32 --batch 6 --epochs 1 --loss softmax "
                                       "--warmup-epochs 0 --threads 1",
                                       place));
    }
    ProgramResult eval(const std::string& data) const {
        return run_program("radial-imagenet", fmt::format("eval --checkpoint {} --data {} --threads 1",
                                                          path("run/checkpoint.safetensors"), path(data)));
    }

private:
    Scratch scratch_;
};

}  // namespace

TEST_CASE("a run goes on with data that have moved", "[host]") {
    const PatternsRun run;
    fs::rename(run.path("data"), run.path("moved"));
    CHECK(run.resume("moved").status == 0);
}

TEST_CASE("a run does not go on with more or fewer images", "[host]") {
    const PatternsRun run;
    write_patterns(run.path("larger"), 40, 10);
    CHECK(run.refusal("larger") ==
          run.expected(fmt::format("the run had 20 training images, '{}' has 40", run.path("larger").string())));
    write_patterns(run.path("test"), 20, 11);
    CHECK(run.refusal("test").find(": the run had 10 test images, '") != std::string::npos);
}

TEST_CASE("a run does not go on with other pixels or labels", "[host]") {
    const PatternsRun run;
    run.change("train-images-idx3-ubyte");
    CHECK(run.refusal("data") ==
          run.expected(
              fmt::format("'{}' has as many training images, but others, or other labels", run.path("data").string())));
    run.change("train-images-idx3-ubyte");
    CHECK(run.resume("data").status == 0);
    run.change("t10k-labels-idx1-ubyte");
    CHECK(run.refusal("data").find("' has as many test images, but others, or other labels") != std::string::npos);
}

TEST_CASE("a snapshot knows its data where config.json does not", "[host]") {
    const PatternsRun run;
    write_patterns(run.path("larger"), 40, 10);
    run.forget_in_config();
    CHECK(run.refusal("larger").find(": the run had 20 training images, '") != std::string::npos);
}

TEST_CASE("a run of a version that kept no record of its data goes on", "[host]") {
    const PatternsRun run;
    run.forget_in_config();
    run.forget_in_snapshot();
    CHECK(run.resume("data").status == 0);
}

TEST_CASE("classes of other names or in another order are neither evaluated nor trained on", "[host][slow]") {
    const ClassFolders folders({"cat", "dog", "fox"});
    const ProgramResult trained =
        folders.train(fmt::format("--data {} --out {}", folders.path("data"), folders.path("run")));
    INFO(trained.error);
    REQUIRE(trained.status == 0);
    CHECK(folders.eval("data").status == 0);

    folders.write("other", {"ant", "bee", "fly"});
    const ProgramResult other = folders.eval("other");
    CHECK(other.status == 1);
    CHECK(other.first_error() == fmt::format("radial-imagenet eval: {}: has 'cat' as class 0, '{}' has 'ant'",
                                             folders.path("run/checkpoint.safetensors"), folders.path("other")));
    const ProgramResult resumed = run_program(
        "radial-imagenet", fmt::format("train --resume {} --data {}", folders.path("run"), folders.path("other")));
    CHECK(resumed.status == 1);
    CHECK(resumed.first_error().find("train: --data: the run had 'cat' as class 0, '") != std::string::npos);

    const std::string picture = folders.path("data/val/cat/" + recorded_files().front());
    const std::string classes = folders.path("classes.txt");
    std::ofstream(classes) << "dog\ncat\nfox\n";
    const ProgramResult predicted =
        run_program("radial-predict", fmt::format("--weights {} --classes {} --threads 1 {}",
                                                  folders.path("run/checkpoint.safetensors"), classes, picture));
    CHECK(predicted.status == 1);
    CHECK(predicted.first_error() == "radial-predict: " + classes +
                                         ": line 1 is 'dog', the checkpoint has 'cat' there: the same classes in "
                                         "another order");
}

TEST_CASE("a list of names beside the folders of classes does not make them others", "[host][slow]") {
    const ClassFolders folders({"n01", "n02", "n03"});
    const std::string place = fmt::format("--data {} --out {}", folders.path("data"), folders.path("run"));
    REQUIRE(folders.train(place).status == 0);
    std::ofstream(folders.path("data/synset_words.txt")) << "n01 tench\nn02 shark\nn03 cock\n";
    CHECK(folders.eval("data").status == 0);
    CHECK(folders.train(place + " --overwrite").status == 0);
    fs::remove(folders.path("data/synset_words.txt"));
    CHECK(folders.eval("data").status == 0);
}

}  // namespace radial::test
