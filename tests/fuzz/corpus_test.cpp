// Runs each target with the useful inputs that fuzzing has found.
#include "../catch.h"
#include "../folders.h"
#include "targets.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace radial::test {

TEST_CASE("what fuzzing has found worth keeping is read or refused", "[host][fuzz]") {
    namespace fs = std::filesystem;
    for (const fuzz::Target& target : fuzz::targets) {
        std::size_t inputs = 0;
        for (const auto& entry : fs::directory_iterator(test_folder() + "/fuzz/corpus/" + std::string(target.name))) {
            INFO(entry.path().string());
            std::ifstream file(entry.path(), std::ios::binary);
            const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
            const std::vector<std::uint8_t> content(bytes.begin(), bytes.end());
            CHECK_NOTHROW(target.run(content));
            ++inputs;
        }
        INFO(target.name);
        CHECK(inputs > 0);
    }
}

}  // namespace radial::test
