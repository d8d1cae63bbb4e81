// Tests of the messages of `radial-mnist download` when the files of a mirror are not those of MNIST.
#include "../../data/http_server.h"
#include "../../expect.h"
#include "../program.h"

#include <fmt/core.h>

namespace radial::test {

TEST_CASE("download refuses a file that is not MNIST's and leaves nothing behind", "[host]") {
    const HttpServer server({.content = "not a gzip file"});
    const TemporaryFolder folder;
    const ProgramResult result = run_program(
        "radial-mnist", fmt::format("download {} --mirror {}", (folder / "mnist").string(), server.url("/")));
    CHECK(result.status == 1);
    CHECK(result.first_error() == fmt::format("radial-mnist download: {}: 15 bytes, expected 9912422; deleted",
                                              server.url("/train-images-idx3-ubyte.gz")));
    CHECK(std::filesystem::is_empty(folder / "mnist"));
}

TEST_CASE("download asks its mirror for MNIST's files", "[host]") {
    const HttpServer server({.status = 404});
    const TemporaryFolder folder;
    run_program("radial-mnist", fmt::format("download {} --mirror {}", (folder / "mnist").string(), server.url("/")));
    REQUIRE(!server.requests().empty());
    CHECK(server.requests().front().path == "/train-images-idx3-ubyte.gz");
}

}  // namespace radial::test
