// Tests of reading whole files, and of paths that are rejected before they are opened.
#include "radial/core/io/files.h"
#include "../../data/scratch.h"
#include "../../expect.h"
#include "radial/core/io/safetensors.h"
#include "radial/data/archive.h"
#include "radial/data/image_folder.h"
#include "radial/data/images/image.h"

#include <sys/stat.h>

namespace radial::test {

TEST_CASE("a file is read whole up to a limit", "[host][core][file]") {
    const Scratch scratch;
    const auto path = scratch.write("a", std::string("b\0c", 3));
    CHECK(read_file(path, 3) == std::string("b\0c", 3));
    CHECK(error_of<FileError>([&] { read_file(path, 2); }) == path.string() + ": longer than 2 bytes");
    CHECK(read_file(scratch.write("none", ""), 0).empty());
}

TEST_CASE("a file whose size is not known is read to its end", "[host][core][file]") {
    CHECK(read_file("/proc/self/status", 1U << 20U).find("\nPid:") != std::string::npos);
}

TEST_CASE("reading a missing file or a folder is an error", "[host][core][file]") {
    const Scratch scratch;
    const std::string folder = scratch.path().string();
    CHECK(error_of<FileError>([&] { read_file(folder + "/x", 9); }) == folder + "/x: no such file");
    CHECK(error_of<FileError>([&] { read_file(folder, 9); }) == folder + ": not a regular file");
}

TEST_CASE("no reader waits for the writer of a pipe", "[host][core][file]") {
    const Scratch scratch;
    const auto pipe = scratch.path() / "pipe";
    REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
    const std::string problem = pipe.string() + ": not a regular file";
    CHECK(error_of<FileError>([&] { read_file(pipe, 9); }) == problem);
    CHECK(error_of<FileError>([&] { data::read_image(pipe); }) == problem);
    CHECK(error_of<FileError>([&] { data::read_synset_names(pipe); }) == problem);
    CHECK(error_of<FileError>([&] { data::TarReader(pipe).next(); }) == problem);
    CHECK(error_of<FileError>([&] { read_safetensors(pipe); }) ==
          pipe.string() + ": cannot be read: it is not a regular file");
}

TEST_CASE("a pipe is not replaced by a file that is written", "[host][core][file]") {
    const Scratch scratch;
    const auto pipe = scratch.path() / "pipe";
    REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
    CHECK(error_of<FileError>([&] { write_file(pipe, "x"); }) ==
          pipe.string() + ": cannot be written: it is not a regular file");
    CHECK(std::filesystem::is_fifo(pipe));
}

}  // namespace radial::test
