// Tests of `radial-imagenet` from folders of JPEG files to a checkpoint.
#include "../../data/pictures.h"
#include "../../expect.h"
#include "../program.h"
#include "radial/apps/cli/run/data_record.h"

#include <fmt/core.h>

#include <algorithm>

namespace radial::test {
namespace {

namespace fs = std::filesystem;

/// A training set and a test set, each with the recorded pictures in two classes.
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
    ProgramResult train(const std::string& arguments, int image_size = 32) const {
        return run_program("radial-imagenet",
                           fmt::format("train --data {} --out {} --model resnet18 --image-size {} --batch 4 --epochs 1 "
                                       "--warmup-epochs 0 --threads 2 --overwrite {}",
                                       data().string(), run().string(), image_size, arguments));
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

/// The "test accuracy: ..." line that eval prints, or "".
std::string accuracy_line(const std::string& text) {
    const auto at = text.find("test accuracy: ");
    return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
}

}  // namespace

TEST_CASE("radial-imagenet trains on folders and evaluates at the size it was trained with", "[host][slow]") {
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

TEST_CASE("predictions of pictures in files name the file and the class", "[host][slow]") {
    const Folder folder;
    REQUIRE(folder.train("").status == 0);
    const fs::path table = folder.run() / "predictions.csv";
    REQUIRE(folder.eval("--predictions " + table.string()).status == 0);
    const std::string text = read_text(table);
    CHECK(std::ranges::count(text, '\n') == 9);
    for (const std::string& name : recorded_files())
        CHECK((contains(text, fmt::format(",{},n01,n0", (folder.data() / "val" / "n01" / name).string())) ||
               contains(text, fmt::format(",{},n02,n0", (folder.data() / "val" / "n02" / name).string()))));
}

TEST_CASE("a corrupt picture ends training by its name, or is skipped and counted", "[host][slow]") {
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

TEST_CASE("check names every picture that cannot be read, also one that is damaged near its end", "[host]") {
    const Folder folder;
    const std::string start = fmt::format("check {} --workers 2", folder.data().string());
    const ProgramResult good = run_program("radial-imagenet", start);
    CHECK(good.status == 0);
    CHECK(good.out.starts_with("train: 8 pictures of 2 classes, 4 in each\nval: 8 pictures of 2 classes, 4 in each\n"));
    CHECK(good.out.ends_with("\nall 16 files can be read\n"));
    // The same pictures are in both sets.
    CHECK(contains(good.out, fmt::format("\nnote: {0}/val/n01/420.jpg is a copy of {0}/train/n01/420.jpg, which is in "
                                         "train, so that training sees what is evaluated\n",
                                         folder.data().string())));

    const fs::path cut = folder.data() / "train/n01/420.jpg", spoilt = folder.spoil("val/n01/420.jpg");
    fs::resize_file(cut, fs::file_size(cut) - 20);
    const ProgramResult bad = run_program("radial-imagenet", start);
    CHECK(bad.status == 1);
    CHECK(contains(bad.out, "\n" + cut.string() + ": "));
    CHECK(contains(bad.out, "\n" + spoilt.string() + ": neither a JPEG nor a PNG image"));
    CHECK(
        bad.first_error() ==
        "radial-imagenet check: 2 of 16 files cannot be read; take them away, or train with --skip-corrupt, which does "
        "without them");
    CHECK(run_program("radial-imagenet", "check /nonexistent").status == 1);
}

TEST_CASE("a run that meets a corrupt picture is saved, and goes on without it", "[host]") {
    const Folder folder;
    const fs::path bad = folder.spoil("val/n01/420.jpg");
    const ProgramResult ended = folder.train("");
    CHECK(ended.status == 1);
    CHECK(contains(ended.error, bad.string() + ": neither a JPEG nor a PNG image"));
    const std::string resume = "train --resume " + folder.run().string() + " --skip-corrupt";
    CHECK(contains(ended.error,
                   ". The run is saved after step 2; go on without the file with: radial-imagenet " + resume + "\n"));
    const ProgramResult resumed = run_program("radial-imagenet", resume);
    CHECK(resumed.status == 0);
    CHECK(contains(resumed.out, "resumed after step 2 from "));
    CHECK(contains(resumed.out, "note: --skip-corrupt is true from here on, was false\n"));
    CHECK(contains(resumed.out, "skipped 1 of 8 files:\n"));
}

TEST_CASE("a last batch of one image is refused before the first step where a batch norm would see one value",
          "[host][slow]") {
    const Folder folder;
    const ProgramResult refused = folder.train("--limit 5");
    CHECK(refused.status == 1);
    CHECK(contains(refused.error, "--batch: the last batch of 1 of 5 images leaves the batch norm layer4."));
    CHECK(contains(refused.error,
                   "a single value a channel, too few to train on; give --drop-last, or another --batch\n"));
    CHECK_FALSE(fs::exists(folder.run() / "config.json"));
    CHECK(folder.train("--limit 5 --drop-last").status == 0);
    CHECK(folder.train("--limit 5 --backbone-eval --loss softmax").status == 0);  // batch norms are in evaluation mode
    // At 64 pixels, layer4 has 2 x 2 values per channel for one image, which suffice, but the loss normalises features
    // and needs more than one sample.
    CHECK(contains(Folder().train("--limit 5", 64).error,
                   "--batch: the last batch of 1 of 5 images is too small for the loss, which takes 2 samples or more; "
                   "give --drop-last, or another --batch"));
    CHECK(Folder().train("--limit 5 --loss softmax", 64).status == 0);
    CHECK(contains(folder.train("--accumulate 4").error,
                   "--batch: a batch of 4, in 4 parts on 1 rank, leaves the batch norm layer4."));
}

TEST_CASE("the smallest part of a batch follows from ranks, parts and what is left over", "[host]") {
    using train::smallest_part;
    CHECK(smallest_part({.samples = 100, .batch = 10}) == 10);
    CHECK(smallest_part({.samples = 101, .batch = 10}) == 1);
    CHECK(smallest_part({.samples = 101, .batch = 10, .drop_last = true}) == 10);
    CHECK(smallest_part({.samples = 3, .batch = 10}) == 3);
    CHECK(smallest_part({.samples = 3, .batch = 10, .drop_last = true}) == 0);
    CHECK(smallest_part({.samples = 103, .batch = 10, .ranks = 2}) == 1);
    CHECK(smallest_part({.samples = 100, .batch = 10, .accumulate = 4}) == 1);  // 3, 3, 3, 1
    CHECK(smallest_part({.samples = 100, .batch = 10, .accumulate = 3}) == 2);  // 4, 4, 2
    CHECK(smallest_part({.samples = 104, .batch = 10, .accumulate = 3}) == 2);
}

TEST_CASE("radial-imagenet trains with mixed batches and jitter, the same for any number of workers", "[host][slow]") {
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
