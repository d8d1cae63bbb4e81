// Tests of finding image files below a folder, where no file is found twice through links.
#include "../expect.h"
#include "radial/data/image_folder.h"
#include "scratch.h"

#include <sys/stat.h>

using namespace radial;
using namespace radial::data;
using namespace radial::test;
namespace fs = std::filesystem;
using namespace std::string_literals;

namespace {

const std::string jpeg = "\xff\xd8\xff\xe0 and so on", png = "\x89PNG\r\n\x1a\n and so on";

std::vector<std::string> relative_to(const fs::path& root, const std::vector<fs::path>& paths) {
    std::vector<std::string> names;
    for (const fs::path& path : paths) names.push_back(path.lexically_relative(root).string());
    return names;
}

/// A folder with two pictures in the class cat and two in the class dog.
struct Pets {
    Scratch scratch;
    const fs::path root = scratch.path() / "set/train", cat = root / "cat";

    Pets() {
        for (const char* const name : {"cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png"})
            scratch.write(std::string("set/train/") + name, png);
    }
    std::vector<std::string> cats() const { return relative_to(cat, find_images(cat).files); }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("images are found in a folder at any depth, in order", "[host][data][image]") {
    const Scratch scratch;
    for (const char* name : {"b/2.JPEG", "b/1.png", "a/z.jpg", "top.Png", "a/deep/er/0.jpeg"}) scratch.write(name, "x");
    const FoundImages found = find_images(scratch.path());
    CHECK(relative_to(scratch.path(), found.files) ==
          Names{"a/deep/er/0.jpeg", "a/z.jpg", "b/1.png", "b/2.JPEG", "top.Png"});
    CHECK(found.others.empty());
    const fs::path nowhere = scratch.path() / "nowhere";
    CHECK(error_of<FileError>([&] { find_images(nowhere); }) ==
          nowhere.string() + ": cannot list: No such file or directory");
}

TEST_CASE("hidden files and folders hold no pictures", "[host][data][image]") {
    const Pets pets;
    for (const char* const name : {"._1.png", ".ipynb_checkpoints/1-checkpoint.png", ".x/deep/2.jpg"})
        pets.scratch.write(std::string("set/train/cat/") + name, png);
    CHECK(pets.cats() == Names{"1.png", "2.png"});
    CHECK(find_images(pets.cat).others.empty());
    CHECK(list_image_folder(pets.root).size() == 4);
}

TEST_CASE("links that lead back to where they are multiply no picture", "[host][data][image]") {
    const Pets pets;
    fs::create_directory(pets.cat / "deep");
    fs::create_symlink(".", pets.cat / "l1");
    fs::create_symlink(".", pets.cat / "l2");
    fs::create_symlink("..", pets.cat / "deep/up");
    fs::create_symlink("..", pets.cat / "a_class_above");
    fs::create_symlink("../..", pets.cat / "far_above");
    fs::create_symlink("self", pets.cat / "self");
    CHECK(pets.cats() == Names{"1.png", "2.png"});
    CHECK(list_image_folder(pets.root).size() == 4);
}

TEST_CASE("a picture that several paths lead to counts once, under its own", "[host][data][image]") {
    const Pets pets;
    pets.scratch.write("set/train/cat/sub/3.png", png);
    fs::create_symlink("sub", pets.cat / "a");
    fs::create_symlink("1.png", pets.cat / "0.png");
    CHECK(pets.cats() == Names{"1.png", "2.png", "sub/3.png"});
}

TEST_CASE("links to pictures elsewhere are followed, once", "[host][data][image]") {
    const Pets pets;
    pets.scratch.write("store/4.png", png);
    pets.scratch.write("store/deep/5.png", png);
    fs::create_symlink("../../../store/4.png", pets.cat / "9.png");
    fs::create_symlink("../../../store", pets.cat / "more");
    fs::create_symlink("../../../store", pets.cat / "more2");
    CHECK(pets.cats() == Names{"1.png", "2.png", "9.png", "more/deep/5.png"});
}

TEST_CASE("a link that leads nowhere is not a class", "[host][data][folder]") {
    const Pets pets;
    fs::create_symlink("self", pets.root / "self");
    fs::create_symlink("missing", pets.root / "broken");
    CHECK(list_image_folder(pets.root).folders == Names{"cat", "dog"});
}

TEST_CASE("a link to a folder above is not a class", "[host][data][folder]") {
    const Pets pets;
    fs::create_symlink(".", pets.root / "all");
    fs::create_symlink("..", pets.root / "up");
    pets.scratch.write("store/owl/1.png", png);
    fs::create_symlink("../../store/owl", pets.root / "owl");
    CHECK(list_class_folders(pets.root) == Names{"cat", "dog", "owl"});
}

TEST_CASE("a picture is recognised by its name or its content, and other files are reported", "[host][data][image]") {
    const Scratch scratch;
    scratch.write("a.webp", jpeg);
    scratch.write("b", png);
    scratch.write("c.jpg", "damaged, which reading it will tell");
    scratch.write("d.webp", "RIFF\x10\0\0\0WEBP"s);
    scratch.write("e.txt", "");
    REQUIRE(mkfifo((scratch.path() / "f.png").c_str(), 0600) == 0);
    const FoundImages found = find_images(scratch.path());
    CHECK(relative_to(scratch.path(), found.files) == Names{"a.webp", "b", "c.jpg"});
    CHECK(relative_to(scratch.path(), found.others) == Names{"d.webp", "e.txt", "f.png"});
    CHECK(passed_over(found.others) ==
          "3 files passed over, being no JPEG or PNG by name or content, as " + (scratch.path() / "d.webp").string());
}

TEST_CASE("a data set of pictures notes which files are none", "[host][data][folder]") {
    const Pets pets;
    CHECK(make_dataset(list_image_folder(pets.root)).notes.empty());
    const fs::path text = pets.scratch.write("set/train/dog/about.txt", "x");
    CHECK(make_dataset(list_image_folder(pets.root)).notes ==
          Names{"1 file passed over, being no JPEG or PNG by name or content, as " + text.string()});
}
