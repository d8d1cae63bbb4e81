// Where the tests' data and the programs lie: as they were built, or where the environment says that they were brought.
#pragma once

#include <cstdlib>
#include <string>

namespace radial::test {

inline std::string folder_from(const char* variable, const char* built) {
    const char* const named = std::getenv(variable);
    return named != nullptr ? named : built;
}

/// The source tree's tests/, or RADIAL_TEST_DIR.
inline std::string test_folder() { return folder_from("RADIAL_TEST_DIR", RADIAL_TEST_DIR); }
/// The folder of the built programs, or RADIAL_BIN_DIR.
inline std::string program_folder() { return folder_from("RADIAL_BIN_DIR", RADIAL_BIN_DIR); }

}  // namespace radial::test
