// `radial-imagenet` from folders of JPEG files to a checkpoint.
#include "../data/pictures.h"
#include "../expect.h"
#include "program.h"

#include <fmt/core.h>

namespace radial::test {
namespace {

namespace fs = std::filesystem;

/// Two classes with the recorded pictures, in both sets.
class Folder {
public:
    Folder() {
        const std::vector<std::string> names = recorded_files();
        for (std::size_t i = 0; i < names.size(); ++i)
            for (const char* const set : {"train", "val"})
                scratch_.write(fmt::format("data/{}/{}/{}", set, i % 2 == 0 ? "n01" : "n02", names[i]),
                               recorded_bytes(names[i]));
    }
    fs::path data() const { return scratch_.path() / "data"; }
    fs::path run() const { return scratch_.path() / "run"; }
    ProgramResult train(const std::string& arguments) const {
        return run_program(
            "radial-imagenet",
            fmt::format(
                "train --data {} --out {} --model resnet18 --image-size 32 --batch 4 --epochs 1 --loss.gamma 100 "
                "--warmup-epochs 0 --threads 2 {}",
                data().string(), run().string(), arguments));
    }
    ProgramResult eval(const std::string& arguments = "") const {
        return run_program("radial-imagenet",
                           fmt::format("eval --checkpoint {} --data {} --threads 2 {}",
                                       (run() / "checkpoint.safetensors").string(), data().string(), arguments));
    }
    fs::path spoil(const std::string& name) const { return scratch_.write("data/" + name, "no picture"); }

private:
    Scratch scratch_;
};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// The "test accuracy: ..." line that eval prints, or nothing.
std::string accuracy_line(const std::string& text) {
    const auto at = text.find("test accuracy: ");
    return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
}

}  // namespace

TEST_CASE("radial-imagenet trains on folders and evaluates at the size it was trained with", "[host]") {
    const Folder folder;
    const ProgramResult trained = folder.train("");
    INFO(trained.error);
    REQUIRE(trained.status == 0);
    CHECK(contains(trained.out, fmt::format("data: 8 training and 8 test images from {}\n", folder.data().string())));
    CHECK(contains(trained.out, "augmentation: random region of 0.08 of the area or more, flip 0.5\n"));
    const ProgramResult same = folder.eval(), given = folder.eval("--image-size 32"),
                        larger = folder.eval("--resize 80");
    REQUIRE(same.status == 0);
    CHECK(same.out == given.out);
    CHECK(same.out != larger.out);
    CHECK(read_metrics(folder.run()).back().at("test_accuracy").get<double>() * 100 ==
          Approx(std::stod(accuracy_line(same.out).substr(15))).margin(0.01));
}

TEST_CASE("a corrupt picture ends training by its name, or is skipped and counted", "[host]") {
    const Folder folder;
    const fs::path train = folder.spoil("train/n01/420.jpg"), val = folder.spoil("val/n01/420.jpg");
    const ProgramResult refused = folder.train("");
    CHECK(refused.status == 1);
    CHECK(contains(refused.error, train.string() + ": neither a JPEG nor a PNG image"));
    const ProgramResult trained = folder.train("--skip-corrupt");
    INFO(trained.error);
    REQUIRE(trained.status == 0);
    CHECK(contains(trained.out, "skipped 1 of 8 files:\n" + train.string() + ": neither"));
    CHECK(contains(trained.out, "skipped 1 of 8 files:\n" + val.string() + ": neither"));
    CHECK(folder.eval().status == 1);
    CHECK(contains(folder.eval("--skip-corrupt").out, " of 7)\n"));
}

TEST_CASE("training and evaluation say which files are no pictures", "[host]") {
    const Folder folder;
    const fs::path train = folder.spoil("train/n01/list.txt"), val = folder.spoil("val/n02/x.webp");
    const ProgramResult trained = folder.train("");
    REQUIRE(trained.status == 0);
    const auto note = [](const fs::path& file) {
        return "note: 1 file passed over, being no JPEG or PNG by name or content, as " + file.string() + "\n";
    };
    CHECK(contains(trained.out, "data: 8 training and 8 test images from "));
    CHECK(contains(trained.out, note(train)));
    CHECK(contains(trained.out, note(val)));
    CHECK(contains(folder.eval().out, note(val)));
}

TEST_CASE("radial-imagenet trains with mixed batches and jitter, the same for any number of workers", "[host]") {
    const Folder folder;
    const std::string arguments = "--color-jitter 0.4,0.4,0.4,0.1 --mixup 0.2 --cutmix 1 --workers ";
    const ProgramResult one = folder.train(arguments + "1");
    INFO(one.error);
    REQUIRE(one.status == 0);
    CHECK(contains(one.out, "color jitter 0.4,0.4,0.4,0.1, flip 0.5, mixup 0.2, CutMix 1\n"));
    const std::string checkpoint = read_text(folder.run() / "checkpoint.safetensors");
    REQUIRE(folder.train(arguments + "3").status == 0);
    CHECK(differences(read_text(folder.run() / "checkpoint.safetensors"), checkpoint) == "");
}

TEST_CASE("radial-imagenet download says where ImageNet is to be had", "[host]") {
    const ProgramResult result = run_program("radial-imagenet", "download");
    CHECK(result.status == 0);
    CHECK(contains(result.out, "https://image-net.org/download.php"));
    CHECK(contains(result.out, "DIR/train/n01440764/"));
}

}  // namespace radial::test
