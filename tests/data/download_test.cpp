// Tests of downloads from a local server that ends connections early, rejects requests, redirects, or sends wrong data.
#include "radial/data/download.h"

#include "../catch.h"
#include "../expect.h"
#include "http_server.h"
#include "scratch.h"

#include <cstdlib>

using namespace radial;
using namespace radial::data;
using namespace radial::test;
namespace fs = std::filesystem;

namespace {

/// 200 kB of text without repetition, so that a socket must be read several times.
std::string sample_content() {
    std::string text;
    for (int i = 0; text.size() < 200'000; ++i) text += std::to_string(i) + ",";
    text.resize(200'000);
    return text;
}

const std::string content = sample_content();

/// A server, an empty folder, and the file to download from the server to the folder.
struct Fixture {
    Fixture() {
        ::setenv("no_proxy", "127.0.0.1", 1);
        file = {server.url("/data.bin"), "data.bin", sha256_of(scratch.write("original", content)), content.size()};
    }
    HttpServer server{{.content = content}};
    Scratch scratch;
    fs::path folder = scratch.path() / "a" / "b";
    fs::path target = folder / "data.bin", part = folder / "data.bin.part";
    RemoteFile file;

    void write_part(std::string_view bytes) const { scratch.write("a/b/data.bin.part", bytes); }
    std::string error() const {
        return error_of<FileError>([&] { download(file, folder); });
    }
};

}  // namespace

TEST_CASE("sha256_of gives the published hash of a known text", "[host][data][download]") {
    const Scratch scratch;
    CHECK(sha256_of(scratch.write("abc", "abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(sha256_of(scratch.write("none", "")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("sha256_of names a file that is not there", "[host][data][download]") {
    CHECK(error_of<FileError>([] { sha256_of("/nowhere/x"); }) == "/nowhere/x: no such file");
}

TEST_CASE_METHOD(Fixture, "a download makes the folder and leaves the whole file and no part",
                 "[host][data][download]") {
    download(file, folder);
    CHECK(differences(content_of(target), content) == "");
    CHECK_FALSE(fs::exists(part));
    CHECK(server.requests() == std::vector<Request>{{"/data.bin", ""}});
}

TEST_CASE_METHOD(Fixture, "progress counts up to the whole size", "[host][data][download]") {
    std::vector<std::uint64_t> seen;
    download(file, folder, [&](const RemoteFile& which, std::uint64_t done, std::uint64_t total) {
        CHECK(which.name == "data.bin");
        CHECK(total == content.size());
        seen.push_back(done);
    });
    REQUIRE_FALSE(seen.empty());
    CHECK(std::is_sorted(seen.begin(), seen.end()));
    CHECK(seen.back() == content.size());
}

TEST_CASE_METHOD(Fixture, "what progress throws ends a download that can be resumed", "[host][data][download]") {
    const auto stop = [](const RemoteFile&, std::uint64_t, std::uint64_t) { throw Error("enough"); };
    CHECK(error_of([&] { download(file, folder, stop); }) == "enough");
    CHECK_FALSE(fs::exists(target));
    CHECK(fs::file_size(part) > 0);
    download(file, folder);
    CHECK(differences(content_of(target), content) == "");
}

TEST_CASE_METHOD(Fixture, "a file that is there already is not asked for", "[host][data][download]") {
    scratch.write("a/b/data.bin", content);
    download(file, folder);
    CHECK(server.requests().empty());
}

TEST_CASE_METHOD(Fixture, "a file that is there with other content is replaced", "[host][data][download]") {
    scratch.write("a/b/data.bin", std::string(content.size(), 'x'));
    download(file, folder);
    CHECK(differences(content_of(target), content) == "");
}

TEST_CASE_METHOD(Fixture, "a cut connection keeps the part and says how to go on", "[host][data][download]") {
    server.behave({.content = content, .cut_after = 70'000});
    CHECK(error() == file.url +
                         ": stopped after 70000 of 200000 bytes (Transferred a partial file); "
                         "the next download goes on from there");
    CHECK(differences(content_of(part), content.substr(0, 70'000)) == "");
    CHECK_FALSE(fs::exists(target));
}

TEST_CASE_METHOD(Fixture, "a download goes on from where it was cut", "[host][data][download]") {
    server.behave({.content = content, .cut_after = 70'000});
    error();
    server.behave({.content = content});
    std::uint64_t first = 0;
    download(file, folder, [&](const RemoteFile&, std::uint64_t done, std::uint64_t) {
        if (first == 0) first = done;
    });
    CHECK(differences(content_of(target), content) == "");
    CHECK_FALSE(fs::exists(part));
    CHECK(first > 70'000);
    CHECK(server.requests() == std::vector<Request>{{"/data.bin", ""}, {"/data.bin", "bytes=70000-"}});
}

TEST_CASE_METHOD(Fixture, "a server that ignores Range is started over with", "[host][data][download]") {
    write_part(content.substr(0, 1000));
    server.behave({.content = content, .ranges = false});
    download(file, folder);
    CHECK(differences(content_of(target), content) == "");
    CHECK(server.requests() == std::vector<Request>{{"/data.bin", "bytes=1000-"}});
}

TEST_CASE_METHOD(Fixture, "a server that refuses the range is asked again for all", "[host][data][download]") {
    write_part(content.substr(0, 1000));
    server.behave({.content = content, .refuse_ranges = true});
    download(file, folder);
    CHECK(differences(content_of(target), content) == "");
    CHECK(server.requests() == std::vector<Request>{{"/data.bin", "bytes=1000-"}, {"/data.bin", ""}});
}

TEST_CASE_METHOD(Fixture, "a part that is whole already is put in place without a request", "[host][data][download]") {
    write_part(content);
    download(file, folder);
    CHECK(differences(content_of(target), content) == "");
    CHECK(server.requests().empty());
}

TEST_CASE_METHOD(Fixture, "a part longer than the file is dropped", "[host][data][download]") {
    write_part(content + "more");
    download(file, folder);
    CHECK(differences(content_of(target), content) == "");
    CHECK(server.requests() == std::vector<Request>{{"/data.bin", ""}});
}

TEST_CASE_METHOD(Fixture, "a checksum that differs deletes the part", "[host][data][download]") {
    std::string wrong = content;
    wrong[5] ^= 1;
    server.behave({.content = wrong});
    const std::string got = sha256_of(scratch.write("wrong", wrong));
    CHECK(error() == file.url + ": SHA-256 is " + got + ", expected " + file.sha256 + "; deleted");
    CHECK(fs::is_empty(folder));
}

TEST_CASE_METHOD(Fixture, "a part that was damaged ends in a checksum error and is deleted", "[host][data][download]") {
    write_part(std::string(1000, '?'));
    CHECK(error().find("SHA-256 is ") != std::string::npos);
    CHECK(fs::is_empty(folder));
}

TEST_CASE_METHOD(Fixture, "an answer that is too short deletes the part", "[host][data][download]") {
    server.behave({.content = content.substr(0, 1234)});
    CHECK(error() == file.url + ": 1234 bytes, expected 200000; deleted");
    CHECK(fs::is_empty(folder));
}

TEST_CASE_METHOD(Fixture, "an answer that is too long deletes the part", "[host][data][download]") {
    server.behave({.content = content + "!"});
    CHECK(error() == file.url + ": more bytes than the expected 200000; deleted");
    CHECK(fs::is_empty(folder));
}

TEST_CASE_METHOD(Fixture, "an HTTP error names the URL and the code", "[host][data][download]") {
    for (const int status : {404, 500}) {
        server.behave({.status = status});
        CHECK(error() == file.url + ": the server answered HTTP " + std::to_string(status));
        CHECK(fs::is_empty(folder));
    }
}

TEST_CASE_METHOD(Fixture, "an HTTP error leaves a part to go on from", "[host][data][download]") {
    write_part(content.substr(0, 1000));
    server.behave({.status = 500});
    CHECK(error() == file.url + ": the server answered HTTP 500");
    CHECK(differences(content_of(part), content.substr(0, 1000)) == "");
}

TEST_CASE_METHOD(Fixture, "a redirection is followed", "[host][data][download]") {
    server.behave({.content = content, .redirect_from = "/data.bin"});
    download(file, folder);
    CHECK(differences(content_of(target), content) == "");
    CHECK(server.requests() == std::vector<Request>{{"/data.bin", ""}, {"/moved", ""}});
}

TEST_CASE_METHOD(Fixture, "other protocols than HTTP are refused", "[host][data][download]") {
    file.url = "file://" + (scratch.path() / "original").string();
    CHECK(error() == file.url + ": cannot download: Unsupported protocol");
    CHECK(fs::is_empty(folder));
}

TEST_CASE_METHOD(Fixture, "a folder that cannot be made is found before any request", "[host][data][download]") {
    scratch.write("a", "a file where the folder should be");
    CHECK(error() == folder.string() + ": cannot make the folder: Not a directory");
    CHECK(server.requests().empty());
}

TEST_CASE_METHOD(Fixture, "a part that cannot be written is found before any request", "[host][data][download]") {
    fs::create_directories(part);
    CHECK(error() == part.string() + ": not a regular file");
    CHECK(server.requests().empty());
}

TEST_CASE("MNIST's files carry the published names and sizes under the mirror given", "[host][data][download]") {
    const std::vector<RemoteFile> files = mnist_files("http://mirror/m/");
    REQUIRE(files.size() == 4);
    CHECK(files[0].url == "http://mirror/m/train-images-idx3-ubyte.gz");
    const std::uint64_t bytes[] = {9912422, 28881, 1648877, 4542};
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(files[i].bytes == bytes[i]);
        CHECK(files[i].url == "http://mirror/m/" + files[i].name);
        CHECK(files[i].sha256.size() == 64);
    }
}
