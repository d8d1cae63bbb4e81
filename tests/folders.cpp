// The only source that contains paths of the build, so that the compiler cache can share all others between builds.
#include "folders.h"

#include <cstdlib>

namespace radial::test {
namespace {

std::string folder_from(const char* variable, const char* built) {
    const char* const named = std::getenv(variable);
    return named != nullptr ? named : built;
}

}  // namespace

std::string test_folder() { return folder_from("RADIAL_TEST_DIR", RADIAL_TEST_DIR); }
std::string program_folder() { return folder_from("RADIAL_BIN_DIR", RADIAL_BIN_DIR); }

}  // namespace radial::test
