// Tests of data sets with one folder of images per class: synthetic ones and ImageNet.
#include "radial/data/image_folder.h"

#include "../expect.h"
#include "radial/data/images/image.h"
#include "scratch.h"

#include <iostream>
#include <set>

using namespace radial;
using namespace radial::data;
using namespace radial::test;
namespace fs = std::filesystem;

namespace {

/// Two classes with three pictures, and files that must be ignored.
struct Pictures {
    Scratch scratch;
    const fs::path root = scratch.path() / "train";

    Pictures() {
        for (const char* const name : {"train/n02/b.JPEG", "train/n02/a.jpg", "train/n01/deep/c.png",
                                       "train/n01/notes.txt", "train/list.txt", "train/.cache/x.jpg"})
            scratch.write(name, "x");
    }
    /// The error message of list_image_folder() for the folder, without the path of the root.
    std::string problem(const ImageFolderOptions& options = {}) const {
        const std::string message = error_of<FileError>([&] { list_image_folder(root, options); });
        return message.starts_with(root.string()) ? message.substr(root.string().size()) : "(no path) " + message;
    }
};

}  // namespace

TEST_CASE("folders are classes, in the order of their names", "[host][data][folder]") {
    const Pictures pictures;
    const ImageFolder set = list_image_folder(pictures.root, {.names = {{"n02", "tench, Tinca tinca"}}});
    CHECK(set.files == std::vector<fs::path>{pictures.root / "n01/deep/c.png", pictures.root / "n02/a.jpg",
                                             pictures.root / "n02/b.JPEG"});
    CHECK(set.labels == std::vector<std::int64_t>{0, 1, 1});
    CHECK(set.folders == std::vector<std::string>{"n01", "n02"});
    CHECK(set.class_names == std::vector<std::string>{"n01", "tench, Tinca tinca"});
}

TEST_CASE("labels follow the order of the classes that are given", "[host][data][folder]") {
    const Pictures pictures;
    const ImageFolder set = list_image_folder(pictures.root, {.folders = {"n02", "n01"}});
    CHECK(set.labels == std::vector<std::int64_t>{0, 0, 1});
    CHECK(set.files.front() == pictures.root / "n02/a.jpg");
    CHECK(pictures.problem({.folders = {"n01"}}) == "/n02: not one of the 1 classes");
    CHECK(pictures.problem({.folders = {"n01", "n02", "n03"}}) == ": no folder for the class n03");
}

TEST_CASE("a folder without classes, or a class without pictures, is named", "[host][data][folder]") {
    const Pictures pictures;
    fs::create_directory(pictures.root / "n03");
    CHECK(pictures.problem() == "/n03: no JPEG or PNG file in this class");
    const fs::path leaf = pictures.root / "n02", nowhere = pictures.root / "nowhere";
    CHECK(error_of<FileError>([&] { list_image_folder(leaf); }) ==
          leaf.string() + ": no folder in it, expected one for each class of pictures");
    CHECK(error_of<FileError>([&] { list_image_folder(nowhere); }) == nowhere.string() + ": no such folder");
}

TEST_CASE("WordNet's ids have names in a list of lines", "[host][data][folder]") {
    const Scratch scratch;
    const auto names = read_synset_names(scratch.write("ok", "n01 tench, Tinca tinca\r\n\nn02\tgoldfish \n"));
    CHECK(names == std::map<std::string, std::string>{{"n01", "tench, Tinca tinca"}, {"n02", "goldfish"}});
    const auto problem = [&](const std::string& text) {
        const fs::path path = scratch.write("list", text);
        return error_of<FileError>([&] { read_synset_names(path); }).substr(path.string().size());
    };
    CHECK(problem("n01 tench\nn02\n") == ": line 2 is 'n02', expected an id and a name");
    CHECK(problem("n01 tench\n n02 x\n") == ": line 2 is ' n02 x', expected an id and a name");
    CHECK(problem("n01 tench\nn01 x\n") == ": line 2: n01 has a name already");
    const fs::path nowhere = scratch.path() / "nowhere";
    CHECK(error_of<FileError>([&] { read_synset_names(nowhere); }) == nowhere.string() + ": no such file");
}

TEST_CASE("the real ImageNet pictures have the same classes in both sets, and all can be read",
          "[host][data][folder][real]") {
    const char* const data = std::getenv("RADIAL_DATA");
    if (data == nullptr || !fs::is_directory(fs::path(data) / "imagenet-mini")) {
        std::cout << "no imagenet-mini in RADIAL_DATA: test on real ImageNet pictures skipped\n";
        return;
    }
    const ImageFolder train = list_image_folder(fs::path(data) / "imagenet-mini/train");
    const ImageFolder val = list_image_folder(fs::path(data) / "imagenet-mini/val", {.folders = train.folders});
    CHECK(train.classes() == 10);
    CHECK(train.size() + val.size() == 400);
    for (const std::string& folder : train.folders) CHECK((folder.size() == 9 && folder.starts_with("n0")));
    CHECK(std::set<std::int64_t>(val.labels.begin(), val.labels.end()).size() == 10);
    for (const fs::path& file : val.files) {
        INFO(file.string());
        const Tensor image = read_image(file);
        CHECK(image.size(2) == 3);
        CHECK(std::min(image.size(0), image.size(1)) >= 64);
    }
}
