// Tests of tar archives: their files, and the exact errors for damaged archives.
#include "radial/data/archive.h"

#include "../catch.h"
#include "../expect.h"
#include "archives.h"

using namespace radial;
using namespace radial::data;
using namespace radial::test;

namespace {

/// The files of an archive with these bytes: "name=content;" for each file.
std::string listing(const std::string& bytes) {
    const Scratch scratch;
    TarReader reader(scratch.write("x.tar", bytes));
    std::string all;
    while (const std::optional<TarEntry> entry = reader.next()) {
        const std::vector<std::uint8_t> content = reader.read();
        CHECK(content.size() == entry->bytes);
        all += entry->name + "=" + std::string(content.begin(), content.end()) + ";";
    }
    return all;
}

/// The error message for an archive with these bytes, without the path and ": ".
std::string complaint(const std::string& bytes) {
    const std::string message = error_of<FileError>([&] { listing(bytes); });
    const std::string path = "x.tar: ";
    return message.substr(std::min(message.size(), message.find(path) + path.size()));
}

}  // namespace

TEST_CASE("an archive's files come in order with their content", "[host][data][tar]") {
    CHECK(listing(tar_member("a/one", "1") + tar_member("a/empty", "") + tar_member("two", std::string(512, '2')) +
                  tar_end()) == "a/one=1;a/empty=;two=" + std::string(512, '2') + ";");
}

TEST_CASE("a gzipped archive is known by its content", "[host][data][tar]") {
    CHECK(listing(gzipped(tar_member("one", "1") + tar_end())) == "one=1;");
}

TEST_CASE("a file that is not read is passed over", "[host][data][tar]") {
    const Scratch scratch;
    const std::string bytes = tar_member("big", std::string(200'000, 'x')) + tar_member("one", "1") + tar_end();
    TarReader reader(scratch.write("x.tar", bytes));
    CHECK(reader.next()->name == "big");
    CHECK(reader.next()->name == "one");
    CHECK(reader.read() == std::vector<std::uint8_t>{'1'});
    CHECK_FALSE(reader.next().has_value());
}

TEST_CASE("folders, links and the records of newer formats are no files", "[host][data][tar]") {
    CHECK(listing(tar_member("folder/", "", '5') + tar_member("link", "", '2') +
                  tar_member("pax_global_header", "52 comment=x", 'g') + tar_member("one", "1") + tar_end()) ==
          "one=1;");
}

TEST_CASE("a prefix of ustar is part of the name", "[host][data][tar]") {
    CHECK(listing(tar_header("file", 0, '0', "a/long/way") + tar_end()) == "a/long/way/file=;");
}

TEST_CASE("an archive of the time before ustar is read", "[host][data][tar]") {
    std::string header = tar_header("old", 0);
    int sum = std::stoi(header.substr(148, 6), nullptr, 8);
    for (std::size_t i = 257; i < 265; ++i) sum -= std::exchange(header[i], '\0');
    header.replace(148, 6, fmt::format("{:06o}", sum));
    header[156] = '\0';
    header.replace(148, 6, fmt::format("{:06o}", sum - '0'));
    CHECK(listing(header + tar_end()) == "old=;");
}

TEST_CASE("an archive may end without its blocks of zeros", "[host][data][tar]") {
    CHECK(listing(tar_member("one", "1")) == "one=1;");
    CHECK(listing(tar_header("one", 1) + "1") == "one=1;");
}

TEST_CASE("an empty file and a file of something else are no archives", "[host][data][tar]") {
    CHECK(complaint("") == "empty file, expected a tar archive");
    CHECK(complaint("PK\x03\x04 and more") == "not a tar archive");
    CHECK(complaint(std::string(1024, 'x')) == "not a tar archive");
    std::string wrong = tar_member("one", "1");
    wrong[0] = 'O';
    CHECK(complaint(wrong) == "not a tar archive");
}

TEST_CASE("an archive cut in a header or a file is truncated", "[host][data][tar]") {
    const std::string one = tar_member("one", "1"), two = tar_member("two", std::string(600, '2'));
    CHECK(complaint(one + two.substr(0, 100)) == "truncated tar archive: it ends in a header");
    CHECK(complaint(one + two.substr(0, 512 + 500)) == "truncated tar archive: 100 bytes of a file are missing");
    const Scratch scratch;
    TarReader reader(scratch.write("x.tar", one + two.substr(0, 512 + 500)));
    reader.next();
    reader.next();
    CHECK(error_of<FileError>([&] { reader.next(); }) ==
          (scratch.path() / "x.tar").string() + ": truncated tar archive: 100 bytes of a file are missing");
}

TEST_CASE("a damaged header after the first is named by its place", "[host][data][tar]") {
    std::string two = tar_member("two", "2");
    two[130] = '7';
    CHECK(complaint(tar_member("one", "1") + two + tar_end()) ==
          "damaged tar archive: the header after entry 1 is not one");
}

TEST_CASE("an archive that unpacks to far more than images would is refused before it fills the memory",
          "[host][data][tar]") {
    const std::string zeros = gzipped(tar_member("zeros", std::string(300U << 20U, '\0')));
    CHECK_THAT(complaint(zeros),
               Catch::Matchers::StartsWith(std::to_string(zeros.size()) + " bytes of gzip hold more than 26") &&
                   Catch::Matchers::EndsWith("not what images compress to"));
}

TEST_CASE("a header that claims gigabytes takes no memory for them", "[host][data][tar]") {
    CHECK(complaint(tar_header("huge", 0x1FFFFFFFF) + "abc") ==
          "truncated tar archive: 8589934588 bytes of a file are missing");
}
